"""Answers of other people's servers, byte for byte over loopback: headers in any bytes, codings that are known, unknown or broken."""

from __future__ import annotations

import gzip
import io
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest
from PIL import Image

from backend import errors
from backend.adapters.http.codings import PIECE_BYTES
from backend.adapters.http.sources import HttpDownload, HttpSources, Rules

Answer = Callable[[bytes], bytes]
LOOPBACK = Rules(allowed=(ip_network("127.0.0.0/8"),), timeout_s=5)


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(drawn, "PNG")
    return drawn.getvalue()


PNG = picture()


class RawServer:
    """Answers each request by ``answers``: the bytes for its target, or for any target that is not there."""

    def __init__(self) -> None:
        self.answers: dict[bytes, bytes] = {}
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(1 << 16).split(b" ")[1])
                connection.sendall(self.answers.get(self.asked[-1], self.answers[b"*"]))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def ok(body: bytes = PNG, **headers: bytes) -> bytes:
    lines = b"".join(name.replace("_", "-").encode() + b": " + value + b"\r\n" for name, value in headers.items())
    return b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n" + lines + b"\r\n" + body


def to(location: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def there() -> Iterator[RawServer]:
    server = RawServer()
    server.answers[b"*"] = ok()
    yield server
    server.close()


def opened(there: RawServer, path: str = "/cat.png") -> HttpDownload:
    return HttpSources(LOOPBACK).open(there.url + path)


def fetched(there: RawServer, path: str = "/cat.png") -> bytes:
    download = opened(there, path)
    try:
        return b"".join(download.chunks())
    finally:
        download.close()


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_a_redirect_in_raw_bytes_is_followed_with_those_bytes(there: RawServer, charset: str) -> None:
    there.answers[b"/old"] = to("/图片 元/猫.png#top".encode(charset))
    assert fetched(there, "/old") == PNG
    escaped = "".join(f"%{byte:02X}" if byte > 127 else chr(byte) for byte in "/图片%20元/猫.png".encode(charset))
    assert there.asked == [b"/old", escaped.encode()]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="图片.png"'.encode(), "图片.png"),
        ('attachment; filename="元.png"'.encode(), "元.png"),
        ("attachment; filename=à".encode(), "à"),
        ('attachment; filename="é.png"'.encode("latin-1"), "é.png"),
        ('attachment; filename="图片.png"'.encode("gbk"), "图片.png"),
        (b"attachment; filename=\"plain.png\"; filename*=UTF-8''%E5%9B%BE.png", "图.png"),
        (b"attachment; filename*=UTF-8''%E5%9B%BE.png; filename=\"plain.png\"", "图.png"),
        (b"attachment; filename*=UTF-8''%FF.png; filename=\"plain.png\"", "plain.png"),
        (b'attachment; filename="=?UTF-8?B?5Zu+LnBuZw==?="', "图.png"),
        (b'attachment;\r\n filename="folded\r\n name.png"', "folded  name.png"),
        (b"attachment; filename=C:\\fakepath\\cat.png", "cat.png"),
        (b"attachment", ""),
    ],
)
def test_the_name_of_an_answer_is_read_whatever_its_bytes(there: RawServer, disposition: bytes, name: str) -> None:
    there.answers[b"*"] = ok(Content_Disposition=disposition)
    download = opened(there)
    download.close()
    assert download.filename == name


def test_after_redirects_the_last_address_gives_the_name_if_it_has_an_extension(there: RawServer) -> None:
    there.answers |= {b"/short": to("/图.png?key=1".encode()), b"/cat.png": to(b"/8f3a2b")}
    for path, name in (("/short", "图.png"), ("/cat.png", ""), ("/dog.png", "")):
        download = opened(there, path)
        download.close()
        assert download.filename == name


@pytest.mark.parametrize("coding", ["aws-chunked", "binary", "utf-8", "none", "", "identity", "UTF-8, aws-chunked", "image/png", "\xe9"])
def test_a_coding_that_nobody_knows_is_passed_over(there: RawServer, coding: str) -> None:
    there.answers[b"*"] = ok(Content_Encoding=coding.encode("latin-1"))
    download = opened(there)
    assert download.size_bytes == len(PNG)
    assert b"".join(download.chunks()) == PNG
    download.close()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(PNG)),
        (b"X-GZIP", gzip.compress(PNG)),
        (b"aws-chunked, gzip", gzip.compress(PNG)),
        (b"deflate", zlib.compress(PNG)),
        (b"deflate", raw_deflate(PNG)),
        (b"gzip, gzip", gzip.compress(gzip.compress(PNG))),
        (b"deflate, gzip", gzip.compress(zlib.compress(PNG))),
        (b"gzip", gzip.compress(PNG) + b"more"),
        (b"gzip", PNG),
    ],
)
def test_a_coding_that_is_known_is_undone(there: RawServer, coding: bytes, body: bytes) -> None:
    there.answers[b"*"] = ok(body, Content_Encoding=coding)
    download = opened(there)
    assert download.size_bytes is None
    assert b"".join(download.chunks()) == PNG
    download.close()


def test_a_small_answer_becomes_many_pieces_and_never_a_large_one(there: RawServer) -> None:
    there.answers[b"*"] = ok(gzip.compress(bytes(50 << 20)), Content_Encoding=b"gzip")
    download = opened(there)
    sizes = [len(piece) for piece in download.chunks()]
    download.close()
    assert sum(sizes) == 50 << 20 and max(sizes) <= PIECE_BYTES


@pytest.mark.parametrize("body", [gzip.compress(PNG)[:-9], gzip.compress(PNG)[:20], gzip.compress(PNG)[:-8] + bytes(8), b"\x1f\x8b" + bytes(50)])
def test_a_broken_coding_is_a_transfer_that_broke_off(there: RawServer, body: bytes) -> None:
    there.answers[b"*"] = ok(body, Content_Encoding=b"gzip")
    with pytest.raises(errors.BadRequest) as caught:
        fetched(there)
    assert caught.value.variant == "url_unreachable"


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip, br"])
def test_a_coding_that_only_browsers_read_is_named(there: RawServer, coding: bytes) -> None:
    there.answers[b"*"] = ok(Content_Encoding=coding)
    with pytest.raises(errors.BadRequest) as caught:
        opened(there)
    assert caught.value.variant == "url_answer"


@pytest.mark.parametrize("location", ["http://169.254.169.254/", "http://１２７.0.0.1/", "//[::1]/", "http:\\\\10.0.0.1\\x", "http://%31%30.0.0.1/"])
def test_a_redirect_in_any_disguise_is_checked(there: RawServer, location: str) -> None:
    """Only 127.0.0.0/8 is allowed here; where the disguise is of that network, it is its port 80 that nobody listens to."""
    there.answers[b"/old"] = to(location.encode())
    with pytest.raises(errors.BadRequest) as caught:
        fetched(there, "/old")
    assert caught.value.variant == "url_unreachable"
    assert there.asked == [b"/old"]


def chunked(*lines: bytes) -> bytes:
    fields = (*lines, b"Content-Disposition: attachment; filename=x.png", b"Transfer-Encoding: chunked")
    return b"HTTP/1.1 200 OK\r\n" + b"".join(line + b"\r\n" for line in fields) + b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(PNG), PNG)


@pytest.mark.parametrize(
    "line",
    [
        b"no field",
        "X-图: 1".encode(),
        b": no name",
        b"X Y: 1",
        b"X-A : 1",
        b" continues",
        b"no field\r\n continues",
        b"X: a\rb: c",
        b"X: \x85\x1c\x0b\xa0",
        b"HTTP/1.1 200 OK",
    ],
)
def test_a_line_that_is_no_header_is_passed_over(there: RawServer, line: bytes) -> None:
    there.answers[b"*"] = chunked(line)
    download = opened(there)
    assert (download.filename, b"".join(download.chunks())) == ("x.png", PNG)
    download.close()


def test_there_is_an_end_to_lines_that_are_no_headers(there: RawServer) -> None:
    there.answers[b"*"] = chunked(*[b"no field"] * 100)
    assert fetched(there) == PNG
    there.answers[b"*"] = chunked(*[b"no field"] * 101)
    with pytest.raises(errors.BadRequest):
        fetched(there)


def test_an_interim_answer_is_passed_over(there: RawServer) -> None:
    there.answers[b"*"] = b"HTTP/1.1 100 Continue\r\nno field\r\n\r\n" + chunked(b"no field")
    assert fetched(there) == PNG


def test_the_declared_type_plays_no_role(there: RawServer) -> None:
    there.answers[b"*"] = ok(Content_Type=b"text/html; charset=\xff")
    assert fetched(there) == PNG
