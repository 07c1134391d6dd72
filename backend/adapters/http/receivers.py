"""Receivers of webhooks: one exchange each (``exchange``), with the same guards as the fetching of images.

Of the answer only status and ``Retry-After`` are read; its body stays where it is, and the connection is closed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from backend import errors
from backend.adapters.http import address as http_address
from backend.adapters.http.deadline import Deadline
from backend.adapters.http.exchange import HttpClient, HttpRequest
from backend.adapters.http.failures import Broken, Late, NotReached
from backend.adapters.http.lookup import check_addresses, known_addresses
from backend.core.addresses import Network
from backend.core.options import WEBHOOK_URL
from backend.ports.receivers import Reply

NOT_REACHED_S = 1.0
"""As in ``sources``: the log of tries shall not tell by its times which names a network has."""


@dataclass(frozen=True, slots=True)
class ReceiverRules:
    """``allowed`` are networks that may be told though they are not public. ``timeout_s`` holds for a whole try."""

    allowed: tuple[Network, ...] = ()
    timeout_s: float = 20.0


class HttpReceivers:
    def __init__(self, rules: ReceiverRules) -> None:
        self._rules = rules
        self._client = HttpClient(rules.allowed)

    def check(self, url: str) -> str:
        """Looks nothing up, as ``HttpSources.check``."""
        try:
            address = http_address.parse(url)
        except errors.BadRequest as error:
            raise errors.InvalidOption("webhook_url", option=WEBHOOK_URL, private=str(error)) from error
        known = ["127.0.0.1", "::1"] if address.is_this_machine else known_addresses(address)
        try:
            check_addresses(known, self._rules.allowed)
        except NotReached as error:
            raise errors.InvalidOption("webhook_address", option=WEBHOOK_URL, host=address.host[:100], private=str(error)) from error
        return f"{address.scheme}://{address.authority}{address.target}"

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        begun_s, deadline = time.monotonic(), Deadline.after(self._rules.timeout_s)
        fields = {"Content-Type": "application/json", "Accept": "*/*", **headers}
        try:
            answer = self._client.ask(HttpRequest("POST", http_address.parse(url), fields, body), deadline)
        except NotReached as error:
            deadline.sleep_until(begun_s + NOT_REACHED_S)
            raise errors.BadRequest("url_unreachable", private=str(error)) from error
        except Late as error:
            raise errors.BadRequest("url_slow", private=str(error)) from error
        except Broken as error:
            raise errors.BadRequest("url_answer", answer="–", private=str(error)) from error
        except OSError as error:
            raise errors.BackendUnavailable(part="network", retry_after_s=5, private=repr(error)) from error
        answer.close()
        return Reply(answer.head.status, _seconds(answer.head.field(b"retry-after")[:60].decode("latin-1")))


def _seconds(retry_after: str) -> float:
    """Of ``Retry-After``: seconds or a date (RFC 9110 §10.2.3). 0 for what is neither."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return 0.0
