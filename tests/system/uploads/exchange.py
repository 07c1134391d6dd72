"""What a client of tus sends and what must come back, as data: a ``Case`` is a row of steps, which ``play`` sends to a real gateway."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from tests.fakes.samples import image

PNG, JPEG = image("png", 64, 48), image("jpeg", 200, 150)
TYPE = "application/offset+octet-stream"
CREATE = "/api/uploads"
UNKNOWN = "4k6Zr0m1x8uQyB5w2TnHcA"
Fields = dict[str, str | None]


@dataclass(frozen=True)
class Step:
    """``sends``: None leaves a header out. ``shows``: None is a header that must not be there, ``*`` one whose value does not matter.

    ``path``, ``sends`` and ``shows`` may name an upload of the case as ``{a}``, which stands for its path; ``saves`` is the name of a new one.
    """

    method: str
    path: str
    status: int
    sends: Fields = field(default_factory=dict)
    body: bytes = b""
    shows: Fields = field(default_factory=dict)
    saves: str = ""
    is_chunked: bool = False


@dataclass(frozen=True)
class Case:
    """``level`` is RFC 2119's word for what the protocol demands there."""

    level: str
    says: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return re.sub(r"\W+", "-", f"{self.level} {self.says}").strip("-")


def must(says: str, *steps: Step) -> Case:
    return Case("MUST", says, steps)


def should(says: str, *steps: Step) -> Case:
    return Case("SHOULD", says, steps)


def may(says: str, *steps: Step) -> Case:
    return Case("MAY", says, steps)


def create(
    name: str, length: int | str | None = len(PNG), body: bytes = b"", status: int = 201, shows: Fields | None = None, **sends: str | None
) -> Step:
    """Of so many bytes; None leaves them out."""
    size = {"Upload-Length": None if length is None else str(length)}
    kind = {"Content-Type": TYPE} if body else {}
    good: Fields = {"Location": "*"} if status == 201 else {"Location": None}
    return Step("POST", CREATE, status, {**size, **kind, **headers(sends)}, body, {**good, **(shows or {})}, name if status == 201 else "")


def patch(name: str, offset: int | str | None, body: bytes, status: int = 204, shows: Fields | None = None, **sends: str | None) -> Step:
    at = {"Upload-Offset": None if offset is None else str(offset), "Content-Type": TYPE}
    good: Fields = {"Upload-Offset": str(int(offset or 0) + len(body)), "Upload-Expires": "*"} if status == 204 else {}
    return Step("PATCH", f"{{{name}}}", status, {**at, **headers(sends)}, body, {**good, **(shows or {})})


def head(name: str, offset: int | None, status: int = 200, **shows: str | None) -> Step:
    seen: Fields = {"Upload-Offset": None if offset is None else str(offset)}
    return Step("HEAD", f"{{{name}}}", status, {}, b"", {**seen, **headers(shows)})


def delete(name: str, status: int = 204, **sends: str | None) -> Step:
    return Step("DELETE", f"{{{name}}}", status, headers(sends))


def headers(named: Fields) -> Fields:
    """``Upload_Length`` → ``Upload-Length``."""
    return {name.replace("_", "-"): value for name, value in named.items()}


def metadata(**pairs: str | bytes) -> str:
    return ",".join(f"{key} {encoded(value)}" for key, value in pairs.items())


def encoded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {encoded(hashlib.new(algorithm, data).digest())}"


class Player:
    """Plays cases over one connection. ``uploads`` are the paths of the present case."""

    def __init__(self, port: int) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.uploads: dict[str, str] = {}

    def play(self, steps: Iterable[Step]) -> None:
        self.uploads = {"unknown": f"{CREATE}/{UNKNOWN}"}
        for number, step in enumerate(steps, 1):
            response, body = self._send(step)
            told = f"step {number}, {step.method} {step.path}: {response.status} {dict(response.getheaders())} {body[:300]!r}"
            assert response.status == step.status, told
            self._check(step, response, told)
            if step.saves:
                self.uploads[step.saves] = urlsplit(urljoin(f"http://127.0.0.1{CREATE}", response.headers["Location"])).path

    def close(self) -> None:
        self._line.close()

    def _filled(self, text: str) -> str:
        return re.sub(r"{(\w+)}", lambda match: self.uploads[match[1]], text)

    def _send(self, step: Step) -> tuple[http.client.HTTPResponse, bytes]:
        self._line.putrequest(step.method, self._filled(step.path), skip_accept_encoding=True)
        size: Fields = {"Transfer-Encoding": "chunked"} if step.is_chunked else {"Content-Length": str(len(step.body))}
        for name, value in {"Tus-Resumable": "1.0.0", **size, **step.sends}.items():
            if value is not None:
                self._line.putheader(name, self._filled(value).encode("utf-8"))
        pieces = [step.body[at : at + 50] for at in range(0, len(step.body), 50)] if step.is_chunked else step.body
        self._line.endheaders(pieces, encode_chunked=step.is_chunked)
        response = self._line.getresponse()
        return response, response.read()

    def _check(self, step: Step, response: http.client.HTTPResponse, told: str) -> None:
        for name, value in step.shows.items():
            found = response.headers[name]
            assert (found is not None) if value == "*" else found == (value and self._filled(value)), f"{name}: {found!r}, not {value!r}; {told}"
        check_always(step, response, told)


def check_always(step: Step, response: http.client.HTTPResponse, told: str) -> None:
    """What holds for every answer, whatever was asked."""
    seen, method = response.headers, str(step.sends.get("X-HTTP-Method-Override", step.method)).upper()
    assert seen["Tus-Resumable"] == "1.0.0" or method == "OPTIONS", told
    assert seen["Upload-Offset"] is None or re.fullmatch(r"\d+", seen["Upload-Offset"]), told
    assert seen["Upload-Offset"] is None or response.status not in (403, 404, 410), told
    assert (response.status == 412) <= (seen["Tus-Version"] == "1.0.0"), told
    if method == "HEAD":
        assert seen["Cache-Control"] == "no-store", told
    if response.status in (201, 204) and method in ("POST", "PATCH"):
        when = seen["Upload-Expires"]
        assert format_datetime(parsedate_to_datetime(when), usegmt=True) == when, told
