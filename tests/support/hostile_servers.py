"""Servers that images are fetched from and that mean ill, each on a port of its own. ``python -m tests.support.hostile_servers`` prints their
addresses as JSON, and serves until its input ends. They run in a process of their own, since they feed as fast as they can."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable

Serve = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BMP = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 9000, 9000, 1, 24, 0, 0, 0, 0, 0, 0)
"""The beginning of a picture, so that what follows is not refused at once."""
DRIP_S = 0.2
BURST_S = 0.001


def flood(before: bytes, endless: bytes) -> Serve:
    """Sends ``endless`` again and again, as fast as it is taken."""
    block = endless * (1 + (1 << 18) // len(endless))

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(before)
        while True:
            connection.sendall(block)

    return serve


def bursts(before: bytes, endless: bytes) -> Serve:
    """Always something, and always a short wait for more."""
    block = endless * (1 + (1 << 12) // len(endless))

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(before)
        while True:
            connection.sendall(block)
            time.sleep(BURST_S)

    return serve


def drip(before: bytes, then: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(before)
        while True:
            for byte in then:
                connection.sendall(bytes([byte]))
                time.sleep(DRIP_S)

    return serve


def silence(before: bytes, *, after_request: bool = True) -> Serve:
    def serve(connection: socket.socket) -> None:
        if after_request:
            connection.recv(1 << 16)
        connection.sendall(before)
        threading.Event().wait()

    return serve


def bomb(connection: socket.socket) -> None:
    """Zeros within a gzip within a gzip, without end."""
    connection.recv(1 << 16)
    connection.sendall(OK + b"Content-Encoding: gzip, gzip\r\n\r\n")
    inner, outer = zlib.compressobj(wbits=31), zlib.compressobj(wbits=31)
    part = inner.compress(BMP)
    while True:
        part += inner.compress(bytes(1 << 20)) + inner.flush(zlib.Z_FULL_FLUSH)
        connection.sendall(outer.compress(part) + outer.flush(zlib.Z_FULL_FLUSH))
        part = b""


def empty_blocks(connection: socket.socket) -> None:
    """A gzip of which nothing comes out, in a gzip that makes it small."""
    connection.recv(1 << 16)
    connection.sendall(OK + b"Content-Encoding: gzip, gzip\r\n\r\n")
    inner, outer = zlib.compressobj(wbits=31), zlib.compressobj(wbits=31)
    head = inner.compress(b"") + inner.flush(zlib.Z_FULL_FLUSH)
    part = outer.compress(head) + outer.flush(zlib.Z_FULL_FLUSH)
    block = outer.compress(b"\x00\x00\x00\xff\xff" * (1 << 18)) + outer.flush(zlib.Z_FULL_FLUSH)
    while True:
        connection.sendall(part)
        part = block


def redirects(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")


def redirected(connection: socket.socket) -> None:
    """To what the query says."""
    target = connection.recv(1 << 16).split(b" ")[1].partition(b"?")[2]
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\n\r\n")


SERVERS: dict[str, Serve] = {
    "endless trailers": flood(CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n"),
    "endless trailers of no use": flood(CHUNKED + b"%x\r\n%s\r\n0\r\n" % (len(BMP), BMP), b"\x00\n"),
    "endless 100": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunks of a byte": flood(CHUNKED + b"%x\r\n%s\r\n" % (len(BMP), BMP), b"1\r\nx\r\n"),
    "small chunks": flood(CHUNKED + b"%x\r\n%s\r\n" % (len(BMP), BMP), b"40\r\n" + bytes(64) + b"\r\n"),
    "bursts of chunks": bursts(CHUNKED + b"%x\r\n%s\r\n" % (len(BMP), BMP), b"40\r\n" + bytes(64) + b"\r\n"),
    "endless headers": flood(OK, b"X-Header: value\r\n"),
    "endless header": flood(OK + b"X: ", b"value "),
    "endless lines": flood(OK, b"no field\r\n"),
    "endless body": flood(OK + b"\r\n" + BMP, bytes(1 << 16)),
    "dripped head": drip(b"HTTP/1.1 2", b"00 OK\r\nX: " + bytes(1000)),
    "dripped body": drip(OK + b"Content-Length: 100000\r\n\r\n", b"BM"),
    "gzip bomb": bomb,
    "gzip of nothing": empty_blocks,
    "redirects": redirects,
    "redirected": redirected,
    "silent from the start": silence(b"", after_request=False),
    "silent after the status": silence(OK),
    "silent in the body": silence(OK + b"Content-Length: 100000\r\n\r\n" + BMP),
}
TLS_SERVERS: dict[str, Serve] = {
    "silent handshake": silence(b"", after_request=False),
    "dripped handshake": drip(b"", b"\x16\x03\x03\x40\x00" + bytes(1000)),
}
TAKES_NOBODY = "silent before the connection"


def listen(serve: Serve) -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)

    def run() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve_one, args=(serve, connection), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return int(listener.getsockname()[1])


def serve_one(serve: Serve, connection: socket.socket) -> None:
    with contextlib.suppress(OSError), connection:
        serve(connection)


def listen_to_nobody(kept: list[socket.socket]) -> int:
    """Its backlog is full: the kernel leaves further connections without an answer."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    kept.append(listener)
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        kept.append(filler)
    return int(listener.getsockname()[1])


def main() -> None:
    kept: list[socket.socket] = []
    urls = {name: f"http://127.0.0.1:{listen(serve)}/cat.bmp" for name, serve in SERVERS.items()}
    urls |= {name: f"https://127.0.0.1:{listen(serve)}/cat.bmp" for name, serve in TLS_SERVERS.items()}
    urls[TAKES_NOBODY] = f"http://127.0.0.1:{listen_to_nobody(kept)}/cat.bmp"
    print(json.dumps(urls), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
