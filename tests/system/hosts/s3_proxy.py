"""Stands before an S3 server and does what a bad one does, as the file ``mode`` says at each request.

    python -m tests.system.hosts.s3_proxy ADDRESS PORT UPSTREAM_PORT MODE_FILE
"""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HANG_S = 60.0
SLOW_BYTES, SLOW_PAUSE_S = 2048, 0.1
UPSTREAM_S = 60.0
READS = ("GET", "HEAD")
PROBLEMS = {"AccessDenied": 403, "InternalError": 500, "SlowDown": 503, "ServiceUnavailable": 503}
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "expect")


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream_port = 0
    mode_file = Path()
    upstream: http.client.HTTPConnection | None = None

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ACTS[self.mode()](self, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    def mode(self) -> str:
        try:
            return self.mode_file.read_text().strip() or "pass"
        except OSError:
            return "pass"

    def ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=UPSTREAM_S)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        self.upstream.request(self.command, self.path, body or None, headers)
        answer = self.upstream.getresponse()
        return answer, answer.read()

    def serve(self, body: bytes) -> None:
        self.give(body, self.wfile.write)

    def give(self, body: bytes, write: Callable[[bytes], object]) -> None:
        try:
            answer, content = self.ask(body)
        except (OSError, http.client.HTTPException):
            self.close()
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in (*HOP_BY_HOP, "content-length"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        if length is not None and answer.status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        write(content)

    def close(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
            self.upstream = None
        self.close_connection = True

    def refuse(self, code: str) -> None:
        content = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>on purpose</Message></Error>".encode()
        self.send_response_only(PROBLEMS[code])
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def hang(self) -> None:
        """Until the fault has passed; then the connection is of no use."""
        begun, mode = time.monotonic(), self.mode()
        while self.mode() == mode and time.monotonic() - begun < HANG_S:
            time.sleep(0.05)
        self.close()

    def write_slowly(self, content: bytes) -> None:
        """As long as the fault lasts."""
        mode, at = self.mode(), 0
        time.sleep(SLOW_PAUSE_S)
        while at < len(content) and self.mode() == mode:
            self.wfile.write(content[at : at + SLOW_BYTES])
            at += SLOW_BYTES
            time.sleep(SLOW_PAUSE_S)
        self.wfile.write(content[at:])

    def write_half(self, content: bytes) -> None:
        self.wfile.write(content[: len(content) // 2])
        if content:
            self.close()

    def log_message(self, *_: object) -> None:
        pass


def refusing(code: str, methods: tuple[str, ...] = ()) -> Callable[[Proxy, bytes], None]:
    return lambda proxy, body: proxy.refuse(code) if not methods or proxy.command in methods else proxy.serve(body)


ACTS: dict[str, Callable[[Proxy, bytes], None]] = {
    "pass": Proxy.serve,
    "writes-denied": refusing("AccessDenied", ("PUT", "POST")),
    "writes-busy": refusing("SlowDown", ("PUT", "POST")),
    "reads-denied": refusing("AccessDenied", READS),
    "reads-broken": refusing("InternalError", READS),
    "500": refusing("InternalError"),
    "503": refusing("ServiceUnavailable"),
    "slow-down": refusing("SlowDown"),
    "hang": lambda proxy, _: proxy.hang(),
    "cut-answers": lambda proxy, body: proxy.give(body, proxy.write_half),
    "close": lambda proxy, _: proxy.close(),
    "no-answer-to-writes": lambda proxy, body: (proxy.ask(body), proxy.close())[0] and None if proxy.command == "PUT" else proxy.serve(body),
    "slow": lambda proxy, body: proxy.give(body, proxy.write_slowly),
}
"""``no-answer-to-writes`` does what it is asked and closes the connection without a word."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    address, port, upstream, mode_file = sys.argv[1:]
    Proxy.upstream_port, Proxy.mode_file = int(upstream), Path(mode_file)
    Server((address, int(port)), Proxy).serve_forever()
