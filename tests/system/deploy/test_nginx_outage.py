"""What the shipped nginx answers to a client whose gateway dies while it still sends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.system.deploy.proxied import nginx

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]
MIB = 1 << 20


class Dying(BaseHTTPRequestHandler):
    """Lives for whoever asks, and dies under whoever sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PATCH(self) -> None:
        self.rfile.read(100_000)
        self.close_connection = True

    do_POST = do_PATCH

    def log_message(self, *_: object) -> None:
        """Not here."""


@pytest.fixture
def dying() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Dying)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/uploads/4k6Zr0m1x8uQyB5w2TnHcA"), ("POST", "/api/uploads"), ("POST", "/api/jobs"), ("POST", "/api/convert")]
)
def test_a_gateway_that_dies_under_a_large_body_is_a_passing_fault(
    dying: int, tool: Callable[[str], str], tmp_path: Path, method: str, path: str
) -> None:
    """It was answered with 413, so the official tus client gave its upload up."""
    with nginx(tool("nginx"), [dying], tmp_path) as url:
        answer = requests.request(method, url + path, data=bytes(20 * MIB), timeout=30)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (503, "5", "backend_unavailable")
