"""What a running gateway says: one stream, one form, every line; what went wrong once, and no secret."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio

from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for
from tests.system.ops.processes import gunicorn_master

pytestmark = pytest.mark.e2e
KEY = "a-key-that-nobody-should-read"


def lines(path: Path) -> list[dict[str, Any]]:
    """Every line, each of which must be JSON; but for what start.sh says to whoever started it."""
    said = path.read_text("utf-8").splitlines()
    return [json.loads(line) for line in said if not line.startswith(("WebP Gateway ", "Ready after", "Stopping", "The "))]


def talk(gateway: Gateway) -> str:
    """Something of everything; the id of a job that was damaged."""
    headers = {"X-API-Key": KEY}
    with socketio.SimpleClient() as client:
        client.connect(gateway.url, transports=["polling"], auth={"key": KEY})
    damaged = bytearray(photograph(640, 480))
    damaged[2000:] = bytes(200)
    job = requests.post(f"{gateway.url}/api/jobs", data=bytes(damaged), headers={**headers, "X-Request-Id": "request-of-mine"}, timeout=20).json()
    wait_for(lambda: requests.get(f"{gateway.url}/api/jobs/{job['id']}", headers=headers, timeout=20).json()["finished_at"], 30)
    requests.get(f"{gateway.url}/api/capabilities?key={KEY}", timeout=20)
    requests.post(f"{gateway.url}/api/convert?filename=payslip.png", data=b"no image", headers=headers, timeout=20)
    requests.get(f"{gateway.url}/nowhere?expires=1&signature=s&url=http://127.0.0.1/payslip", headers=headers, timeout=20)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as raw:
        raw.sendall(b"NONSENSE\r\n\r\n")
        raw.recv(1000)
    return str(job["id"])


def check(said: list[dict[str, Any]], job_id: str) -> None:
    loggers = {line["logger"] for line in said}
    assert {"gunicorn.error", "gunicorn.access", "backend.flows.encode"} <= loggers
    assert all({"time", "level", "logger", "pid", "message"} <= line.keys() for line in said)
    about = [line for line in said if line.get("job") == job_id]
    assert {"gunicorn.access", "backend.flows.encode"} <= {line["logger"] for line in about}
    posted = next(line for line in said if line.get("request") == "request-of-mine" and line["logger"] == "gunicorn.access")
    assert (posted["method"], posted["path"], posted["status"], posted["address"]) == ("POST", "/api/jobs", 202, "127.0.0.1")
    failures = [line for line in said if "failed" in line["message"]]
    assert [line["request"] for line in failures] == ["request-of-mine"], "one line for one failure, with the request that brought the job"
    assert [line["level"] for line in said if "no request from" in line["message"]] == ["warning"]
    assert {"/socket.io/", "/api/convert"} <= {line["path"] for line in said if "path" in line}
    assert not [line for line in said if "?" in line.get("path", "") or "sid=" in line["message"] or "payslip" in line["message"]]
    assert KEY not in json.dumps(said) and not [line for line in said if "traceback" in line]


def test_everything_is_one_stream_of_json_with_request_and_job_and_without_secrets(data_dir: Path) -> None:
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1", GATEWAY_LOG_FORMAT="json", GATEWAY_API_KEYS=KEY) as gateway:
        job_id = talk(gateway)
        gateway.stop()
    check(lines(gateway.log), job_id)


@pytest.mark.slow
def test_with_a_folder_there_are_two_files_that_are_put_aside_and_reopened(data_dir: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    given = {"GATEWAY_LOG_DIR": str(logs), "GATEWAY_LOG_FORMAT": "json", "GATEWAY_LOG_MAX_BYTES": "4K", "GATEWAY_LOG_FILES": "50"}
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1", GATEWAY_API_KEYS=KEY, **given) as gateway:
        job_id = talk(gateway)
        for _ in range(30):
            requests.get(f"{gateway.url}/api/capabilities", timeout=20)
        assert (logs / "access.log.1").exists()
        (logs / "error.log").rename(logs / "error.log.moved")
        gunicorn_master(gateway).send_signal(signal.SIGUSR1)
        wait_for((logs / "error.log").exists, 20, "for the file to be opened anew")
        gateway.stop()
    said = [line for path in logs.iterdir() if path.suffix != ".lock" for line in lines(path)]
    check(said, job_id)
    assert sum(line.get("path") == "/api/capabilities" for line in said) == 30
    assert all(path.stat().st_size < 4096 + 1024 for path in logs.glob("*.log*"))
    assert lines(gateway.log) == [], "nothing is said twice"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(120)) + b"\r\n", 431),
        (b"POST /api/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n", 417),
    ],
    ids=lambda each: str(each)[:40] if isinstance(each, bytes) else str(each),
)
def test_what_is_no_request_is_answered_with_a_problem_like_any_other_error(gateway: Gateway, request_bytes: bytes, status: int) -> None:
    head, _, body = _exchange(gateway.port, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (status, "bad_request")
    assert b"gunicorn" not in body and b"/backend/" not in body and b"<html" not in body


def _exchange(port: int, data: bytes) -> bytes:
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(data)
        while piece := raw.recv(65536):
            said += piece
    return said
