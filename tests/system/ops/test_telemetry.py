"""Sentry and OpenTelemetry, where they are installed: the real packages in a process of their own, sending to a server of ours."""

from __future__ import annotations

import gzip
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from backend.errors import SettingsError
from backend.settings import Settings, problem_lines
from tests.support.running import ROOT

SENTRY = pytest.mark.skipif(importlib.util.find_spec("sentry_sdk") is None, reason="sentry-sdk is not installed (an optional extra)")
TRACES = pytest.mark.skipif(importlib.util.find_spec("opentelemetry") is None, reason="opentelemetry is not installed (an optional extra)")
Heard = list[tuple[str, bytes]]


@pytest.fixture
def collector() -> Iterator[tuple[str, Heard]]:
    """(its address, what was posted to it)."""
    heard: Heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", heard
    server.shutdown()
    server.server_close()
    thread.join()


def run(program: str, **given: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", **given}
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 0, ended.stderr


@SENTRY
def test_a_failure_is_reported_once_without_what_is_private(collector: tuple[str, Heard]) -> None:
    address, heard = collector
    run(
        """
import logging, sentry_sdk
from flask import Flask
from backend import telemetry
from backend.settings import Settings
app = Flask("x")
telemetry.start(Settings.from_environment(), "gateway", app)
@app.post("/api/jobs")
def fails():
    secret_local = "local-variable-value"
    try:
        raise RuntimeError("the cause")
    except RuntimeError as error:
        logging.getLogger("backend").error("unexpected %r", error, exc_info=error)
    return ""
address = "/api/jobs?sid=a-session&filename=payslip.png"
app.test_client().post(address, data=b"image-bytes", headers={"Authorization": "Bearer a-key", "Cookie": "c=cookie-value"})
sentry_sdk.flush(30)
""",
        GATEWAY_SENTRY_DSN=f"http://public@{address}/1",
    )
    events = [body for _, body in heard if b'"type":"event"' in body.replace(b'": "', b'":"')]
    assert len(events) == 1 and b"the cause" in events[0] and b"gateway" in events[0]
    for private in (b"a-session", b"payslip", b"image-bytes", b"a-key", b"cookie-value", b'local-variable-value"'):
        assert private not in events[0].replace(b'secret_local = \\"local-variable-value\\"', b""), private


@TRACES
def test_requests_are_traced_by_route(collector: tuple[str, Heard]) -> None:
    address, heard = collector
    run(
        """
from flask import Flask
from backend import telemetry
from backend.settings import Settings
app = Flask("x")
app.add_url_rule("/api/jobs/<job_id>", "job", lambda job_id: job_id)
telemetry.start(Settings.from_environment(), "gateway", app)
app.test_client().get("/api/jobs/42?filename=payslip.png")
with telemetry.span("encode"):
    pass
""",
        GATEWAY_TRACES_ENDPOINT=f"http://{address}",
    )
    assert {path for path, _ in heard} == {"/v1/traces"}
    said = b"".join(body for _, body in heard)
    assert b"/api/jobs/<job_id>" in said and b"webp-gateway" in said and b"encode" in said
    assert b"/api/jobs/42" in said and b"payslip" not in said


def test_off_they_cost_nothing_and_are_not_even_imported() -> None:
    run(
        """
import sys
from flask import Flask
from backend import telemetry
from backend.settings import Settings
telemetry.start(Settings.from_environment(), "gateway", Flask("x"))
with telemetry.span("encode"):
    pass
assert not {"sentry_sdk", "opentelemetry"} & set(sys.modules)
"""
    )


def test_a_package_that_is_missing_stops_the_start_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({"GATEWAY_SENTRY_DSN": "https://public@sentry.example/1"})
    (line,) = problem_lines(raised.value)
    assert "sentry-sdk" in line and "public" not in line
