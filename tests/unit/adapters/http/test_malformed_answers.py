"""Answers that are malformed in any place: each is a file, or ends as a problem that names no fault of ours."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend import errors
from backend.adapters.http import address as http_address
from backend.adapters.http.answer import FIELD_BYTES
from backend.adapters.http.sources import HttpSources, Rules
from backend.core.content_disposition import answer_filename

SOURCES = HttpSources(Rules(allowed=(ip_network("127.0.0.0/8"),), timeout_s=3))
HERE = http_address.parse("http://127.0.0.1:8080/a/b?c=d")
LINE = st.binary(max_size=60).map(lambda each: each.replace(b"\n", b""))
STATUS = st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 2000 OK", b"HTTP/1.1  200", b"HTTP/1.1 404", b"HTTP/1.1 100", b"ICY 200"])
LENGTH = st.sampled_from([b"5", b"-5", b"+5", b"5, 5", b"5_0", b" 5 ", b"0x5", b"", b"9" * 30, b"9" * 5000, "٥".encode(), b"1e3", b"5;x", b"\x00"])
CODING = st.sampled_from([b"gzip", b"deflate", b"br", b"gzip," * 9, b"," * 300, b"\xff", b"x-gzip, identity", b"", b"chunked"])
TRANSFER = st.sampled_from([b"chunked", b"Chunked", b"gzip, chunked", b"identity", b"chunked, chunked", b"\xff", b"", b"chunked;q=1"])
QUOTED = st.sampled_from([b'"', b"\\", b"'", b"=?utf-8?B?", b"?=", b"%", b"%ff", b"filename*0*=", b"UTF-8''", b"\\\\", b"; ", b"&#99999;", b"\x1b$B"])
PIECES = st.lists(st.one_of(QUOTED, st.binary(max_size=6)), max_size=12).map(b"".join)
NAME = st.builds(lambda key, rest: b"attachment; " + key + b"=" + rest, st.sampled_from([b"filename", b"filename*", b"filename*1*"]), PIECES)
FIELDS = st.one_of(
    LINE,
    LENGTH.map(lambda each: b"Content-Length: " + each),
    CODING.map(lambda each: b"Content-Encoding: " + each),
    TRANSFER.map(lambda each: b"Transfer-Encoding: " + each),
    NAME.map(lambda each: b"Content-Disposition: " + each.replace(b"\n", b"")),
)
SIZE = st.sampled_from([b"5", b"0", b"-5", b"0x5", b"5;x=y", b"", b" 5", b"5 ", b"f" * 20, b"g", b"5" * 5000, b"\x00"])
CHUNKS = st.lists(st.tuples(SIZE, st.binary(max_size=8)), max_size=5).map(lambda all: b"".join(size + b"\r\n" + data + b"\r\n" for size, data in all))
BROKEN_GZIP = st.binary(max_size=9).map(lambda each: b"\x1f\x8b\x08" + each)
BODY = st.one_of(st.binary(max_size=200), CHUNKS, st.binary(max_size=99).map(gzip.compress), BROKEN_GZIP)
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r\r\n", b"\r"])


class OneAnswer:
    """A server that gives ``answer`` to everybody, whole or in two parts."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/cat.png"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                half = len(self.answer) // 2
                for part in (self.answer[:half], self.answer[half:]):
                    try:
                        connection.sendall(part)
                    except OSError:
                        break

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def there() -> Iterator[OneAnswer]:
    server = OneAnswer()
    yield server
    server.close()


def fetch(url: str) -> None:
    download = SOURCES.open(url)
    try:
        for _ in download.chunks():
            pass
    finally:
        download.close()


@given(status=st.one_of(STATUS, LINE), fields=st.lists(FIELDS, max_size=6), end=ENDS, body=BODY, kept=st.integers(0, 100))
@example(status=b"HTTP/1.1 302 Found", fields=[b"Location: http://[::1"], end=b"\r\n", body=b"", kept=100)
@example(status=b"HTTP/1.1 302 Found", fields=[b"Location: //[x]:y/"], end=b"\r\n", body=b"", kept=100)
@example(status=b"HTTP/1.1 301 M", fields=[b"Location: " + b"x" * 100_000], end=b"\r\n", body=b"", kept=100)
@example(status=b"HTTP/1.1 200 OK", fields=[b"Content-Encoding: " + b"gzip," * 2000], end=b"\r\n", body=b"", kept=100)
@example(status=b"HTTP/1.1 200 OK", fields=[b"Content-Length: " + b"9" * 5000], end=b"\r\n", body=b"x", kept=100)
def test_a_malformed_answer_is_a_file_or_a_problem(there: OneAnswer, status: bytes, fields: list[bytes], end: bytes, body: bytes, kept: int) -> None:
    """``kept``: the percent of the answer that comes before the connection ends."""
    whole = end.join([status, *fields, b"", body])
    there.answer = whole[: len(whole) * kept // 100]
    try:
        fetch(there.url)
    except errors.BadRequest as error:
        assert error.status == 400


LOCATIONS = [b"//[", b"//]:[", b"http://[::1", b"http://a:b/", b"http://\xff/", b"\\\\[x", b"http://xn--\xc3/", b"\xed\xa0\x80"]


@given(location=st.one_of(PIECES, st.binary(max_size=40), st.sampled_from(LOCATIONS)))
def test_any_location_is_an_address_or_a_problem(location: bytes) -> None:
    try:
        http_address.parse(http_address.redirected(HERE, location))
    except errors.BadRequest:
        pass


NO_URLS = ["http://a/\ud800", "http://a/?\udfff", "http://\ud800/", "http://a:\u0661/", "http://[::1%25lo]/", "http://a%zz/"]


@pytest.mark.parametrize("url", [*NO_URLS, "http://a/" + "b/../" * 900])
def test_a_url_that_is_none_is_a_problem(url: str) -> None:
    with pytest.raises(errors.BadRequest):
        http_address.parse(url)


@given(st.one_of(NAME, PIECES, st.binary(max_size=80)))
def test_any_content_disposition_gives_a_name(header: bytes) -> None:
    assert isinstance(answer_filename(header), str)


LONG = [b";", b"=", b"; a=b", b'; a="', b"\\", b'"\\', b"=?", b"=?a?B?", b"%", b"&#", b"a*0=;", b"'", b"=?utf-8?q?a?=", b"\xff", b"A\xff"]


@pytest.mark.parametrize("part", LONG)
def test_a_long_content_disposition_takes_no_time(part: bytes) -> None:
    """Of one field's bound; the loop waits meanwhile."""
    header = b"attachment; filename=" + part * (FIELD_BYTES // len(part))
    begun = time.thread_time()
    answer_filename(header)
    assert time.thread_time() - begun < 0.5
