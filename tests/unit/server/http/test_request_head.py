"""A request's head: read once, bounded, with one valid ``Host``, and without a word on where the application lies."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from gateway_process import Gateway
from gunicorn.http.errors import InvalidProxyLine, LimitRequestHeaders
from gunicorn.http.message import PP_V2_SIGNATURE

from backend.server.http.request_head import gather_head

HEAD = b"GET / HTTP/1.1\r\nHost: t\r\nX-A: b\r\n\r\n"


class Pieces:
    """An unreader whose source brings ``piece_bytes`` at a time."""

    def __init__(self, data: bytes, piece_bytes: int) -> None:
        self._source, self._piece_bytes = io.BytesIO(data), piece_bytes
        self.unread_bytes = b""

    def read(self) -> bytes:
        return self._source.read(self._piece_bytes)

    def unread(self, data: bytes) -> None:
        self.unread_bytes = data


def gathered(data: bytes, piece_bytes: int, most_bytes: int = 1000, has_proxy_line: bool = False) -> bytes:
    pieces = Pieces(data, piece_bytes)
    gather_head(pieces, most_bytes=most_bytes, line_bytes=100, has_proxy_line=has_proxy_line)
    return pieces.unread_bytes


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 5, 1000])
def test_a_head_is_gathered_up_to_its_end_in_whatever_pieces_it_comes(piece_bytes: int) -> None:
    found = gathered(HEAD + b"body\n\n" * 50, piece_bytes)
    assert found.startswith(HEAD)
    assert len(found) < len(HEAD) + piece_bytes


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 5])
@pytest.mark.parametrize("wrong", [b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nHost: t\n", b"G" * 103, b"\n"])
def test_a_head_that_is_wrong_is_not_waited_for(piece_bytes: int, wrong: bytes) -> None:
    found = gathered(wrong + b"X: y\r\n" * 50, piece_bytes)
    assert len(found) < len(wrong) + piece_bytes


def test_a_stream_that_ends_early_is_handed_on() -> None:
    assert gathered(b"GET / HT", 3) == b"GET / HT"
    assert gathered(b"", 3) == b""


def test_a_head_above_its_bound_is_refused() -> None:
    with pytest.raises(LimitRequestHeaders):
        gathered(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000, 7)


@pytest.mark.parametrize("piece_bytes", [1, 5, 1000])
def test_the_line_of_a_proxy_comes_before_the_head(piece_bytes: int) -> None:
    for line in (b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n", PP_V2_SIGNATURE + b"\x20\x00\x00\x08\n\n\r\n\r\n\n\n", b""):
        found = gathered(line + HEAD + b"body", piece_bytes, has_proxy_line=True)
        assert found.startswith(line + HEAD)


def test_an_endless_line_of_a_proxy_is_refused() -> None:
    with pytest.raises(InvalidProxyLine):
        gathered(b"PROXY " + b"x" * 1000, 7, has_proxy_line=True)


def processor_s(pid: int) -> float:
    """User and system time, in seconds at 100 ticks each."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_large_head_that_goes_on_byte_by_byte_costs_no_time(start_gateway: Any) -> None:
    """Gunicorn searched 800 KB from the start at each byte: others waited for seconds. Every byte here is a packet of its own."""
    gateway = start_gateway(workers=1)
    (pid,) = gateway.living()
    before_s = processor_s(pid)
    with gateway.wire() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: t\r\n" + b"".join(b"X: %s\r\n" % (b"a" * 8000) for _ in range(95)))
        try:
            for _ in range(2000):
                wire.send(b"a")
        except OSError:
            pass
        assert wire.response()[0] == 431
    assert processor_s(pid) - before_s < 0.5


def test_the_trailers_of_a_body_have_the_bound_of_a_head(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + f"X: {'y' * 8000}\r\n" * 9)
        assert wire.response()[0] == 400


@pytest.mark.parametrize("extension", ["", ";" + "a;" * 4000 + "a"])
def test_a_body_of_chunk_headers_is_refused_and_not_read_without_end(gateway: Gateway, extension: str) -> None:
    chunk = f"1{extension}\r\nx\r\n"
    with gateway.wire() as wire:
        wire.send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(100):
                wire.send(chunk * (100_000 // len(chunk)))
        except OSError:
            pass
        assert wire.response()[0] == 400


def test_a_body_written_byte_by_byte_is_taken(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + "1\r\nx\r\n" * 100_000 + "0\r\n\r\n")
        assert json.loads(wire.response()[2]) == {"bytes": 100_000}


@pytest.mark.parametrize(
    ("status", "head"),
    [
        (400, "GET / HTTP/1.1\r\n"),
        (400, "GET / HTTP/1.1\r\nHost:\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a b\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n"),
        (400, "GET / HTTP/1.0\r\nHost:\r\n"),
        (400, "GET / HTTP/1.0\r\nHost: a@b\r\n"),
        (400, "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n"),
        (400, "GET http:/// HTTP/1.1\r\nHost: b\r\n"),
        (400, "GET http://b/ HTTP/1.1\r\n"),
        (200, "GET / HTTP/1.0\r\n"),
        (200, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n"),
        (200, "GET http://b/ HTTP/1.1\r\nHost: a\r\n"),
    ],
)
def test_a_request_has_one_valid_host(gateway: Gateway, status: int, head: str) -> None:
    with gateway.wire() as wire:
        wire.send(f"{head}Connection: close\r\n\r\n")
        answered, _, body = wire.response()
    assert answered == status
    if status == 400:
        assert json.loads(body)["code"] == "bad_request"


def told(gateway: Gateway, target: str, *fields: str) -> dict[str, Any]:
    with gateway.wire() as wire:
        wire.send(f"GET {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n" + "".join(f"{field}\r\n" for field in fields) + "\r\n")
        answer: dict[str, Any] = json.loads(wire.response()[2])
        return answer


def test_the_host_of_a_target_in_absolute_form_counts(gateway: Gateway) -> None:
    assert told(gateway, "http://b.example:81/environ")["HTTP_HOST"] == "b.example:81"


@pytest.mark.parametrize(
    "field",
    [
        *("SCRIPT_NAME: /environ", "Script_Name: /environ", "SCRIPT-NAME: /environ", "PATH_INFO: /other", "PATH-INFO: /other"),
        *("REMOTE_ADDR: 9.9.9.9", "Remote-Addr: 9.9.9.9", "REMOTE_USER: root", "X_Forwarded_For: 9.9.9.9", "X-Forwarded-For: 9.9.9.9"),
        *("X-Forwarded-Proto: https", "X-Forwarded-Protocol: ssl", "X-Forwarded-SSL: on", "X-Forwarded-Prefix: /p"),
        "Forwarded: for=9.9.9.9;proto=https",
        *("wsgi.url_scheme: https", "HTTPS: on", "X-Forwarded-Host: evil.example", "X-Forwarded-Port: 443", "SERVER_NAME: evil", "HTTP_HOST: evil"),
    ],
)
def test_no_header_of_a_client_says_where_the_application_lies_or_who_asks(gateway: Gateway, field: str) -> None:
    """From loopback, whose peers Gunicorn trusts by default."""
    changed = told(gateway, "/environ", field)
    plain = told(gateway, "/environ")
    assert {name: value for name, value in changed.items() if name in plain and name != "REMOTE_PORT"} == {
        name: value for name, value in plain.items() if name != "REMOTE_PORT"
    }
    assert not {"REMOTE_USER", "HTTPS"} & set(changed)
