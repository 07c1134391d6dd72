"""Images on servers of others, by HTTP(S): up to ``MAX_REDIRECTS`` exchanges (``exchange``) until one gives a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backend import errors
from backend.adapters.http import address as http_address
from backend.adapters.http import codings as http_codings
from backend.adapters.http.address import HttpAddress
from backend.adapters.http.deadline import SILENCE_S, Deadline
from backend.adapters.http.exchange import HttpAnswer, HttpClient, HttpRequest
from backend.adapters.http.failures import Broken, ExchangeFailed, Late, NotReached
from backend.adapters.http.lookup import check_addresses, known_addresses
from backend.core.addresses import Network
from backend.core.content_disposition import answer_filename
from backend.core.filenames import display_name

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
FIELDS = {"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
NOT_REACHED_S = 1.0
"""An address that cannot be reached, or may not be, fails no sooner: the time shall not tell which names a network has."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowed`` are networks that may be asked though they are not public. ``timeout_s`` holds for a whole image, redirects included."""

    allowed: tuple[Network, ...] = ()
    timeout_s: float = 60.0
    min_bytes_per_s: int = 10_000


class HttpSources:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._client = HttpClient(rules.allowed)

    def check(self, url: str) -> str:
        """Looks nothing up: a client shall not wait for name servers, nor learn from the answer what they know."""
        address = http_address.parse(url)
        known = ["127.0.0.1"] if address.is_this_machine else known_addresses(address)
        try:
            check_addresses(known, self._rules.allowed)
        except NotReached as error:
            raise _problem(error) from error
        return display_name(address.last_path_segment)

    def open(self, url: str, pulse: Callable[[], None] = lambda: None) -> HttpDownload:
        deadline = Deadline.after(self._rules.timeout_s, pulse)
        for redirects in range(MAX_REDIRECTS + 1):
            address = http_address.parse(url)
            download = HttpDownload(self._ask(address, deadline), address, self._rules.min_bytes_per_s)
            try:
                location = download.redirect()
                if location is None:
                    download.accept(is_redirected=redirects > 0)
                    return download
            except BaseException:
                download.close()
                raise
            download.close()
            url = http_address.redirected(address, location)
        raise errors.BadRequest("url_answer", answer=f"> {MAX_REDIRECTS} redirects")

    def _ask(self, address: HttpAddress, deadline: Deadline) -> HttpAnswer:
        begun_s = time.monotonic()
        try:
            return self._client.ask(HttpRequest("GET", address, FIELDS), deadline)
        except NotReached as error:
            deadline.sleep_until(begun_s + NOT_REACHED_S)
            raise _problem(error) from error
        except ExchangeFailed as error:
            raise _problem(error) from error
        except OSError as error:
            raise errors.BackendUnavailable(part="network", retry_after_s=5, private=repr(error)) from error


@dataclass(slots=True)
class HttpDownload:
    """One answer. ``chunks`` can be iterated once."""

    answer: HttpAnswer
    address: HttpAddress
    min_bytes_per_s: int
    filename: str = ""
    size_bytes: int | None = None
    _codings: tuple[str, ...] = field(init=False, default=())

    def redirect(self) -> bytes | None:
        """Where the answer redirects to, None where it does not. Raises ``BadRequest`` for one that leads nowhere."""
        status = self.answer.head.status
        if status not in REDIRECTS:
            return None
        location = self.answer.head.field(b"location")
        if not location:
            raise errors.BadRequest("url_answer", answer=str(status))
        return location

    def accept(self, *, is_redirected: bool) -> None:
        """Raises ``BadRequest`` for an answer that is not a whole file."""
        head = self.answer.head
        if head.status != 200:
            raise errors.BadRequest("url_answer", answer=str(head.status))
        self._codings = http_codings.known_codings(head.joined(b"content-encoding").decode("latin-1"))
        self.size_bytes = None if self._codings else head.body_bytes
        self.filename = display_name(answer_filename(head.field(b"content-disposition")))
        if is_redirected and not self.filename:
            last = display_name(self.address.last_path_segment)
            self.filename = last if "." in last else ""

    def chunks(self) -> Iterator[bytes]:
        chunks = self._chunks_sent()
        for coding in self._codings:
            chunks = http_codings.decoded(chunks, coding, self.answer.deadline.check)
        try:
            yield from chunks
        except http_codings.DecodingFailed as error:
            raise _problem(Broken(str(error))) from error
        except ExchangeFailed as error:
            raise _problem(error) from error

    def _chunks_sent(self) -> Iterator[bytes]:
        begun_s, received_bytes = time.monotonic(), 0
        for chunk in self.answer.chunks():
            received_bytes += len(chunk)
            if received_bytes < self.min_bytes_per_s * (time.monotonic() - begun_s - SILENCE_S):
                raise Late(f"{received_bytes} bytes after {time.monotonic() - begun_s:.0f} s")
            yield chunk

    def close(self) -> None:
        self.answer.close()


def _problem(error: ExchangeFailed) -> errors.BadRequest:
    """What a client reads: an address that may not be asked, a name that is none, a closed port and a bad answer are all alike."""
    return errors.BadRequest("url_slow" if isinstance(error, Late) else "url_unreachable", private=str(error))
