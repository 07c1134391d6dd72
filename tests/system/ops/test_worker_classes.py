"""``run:app`` under each of Gunicorn's own worker classes: REST everywhere, and what must stay open only where it can.

Under ``gthread`` no request was ever answered: its threads were greenlets that nobody gave a turn.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import requests
import websocket
from PIL import Image

from tests.support.images import photograph, pillows_webp
from tests.support.running import Gateway, free_port, wait_for
from tests.system.ops.test_gunicorn import GUNICORN, ROOT, by_itself

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
STOCK_WEBSOCKET = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"
MIB = 1 << 20
SOCKET_IO = "/socket.io/?EIO=4&transport=polling"


class Class(NamedTuple):
    """A worker class as on the command line, and the status of: an event stream, a Socket.IO session that polls, a plain WebSocket."""

    arguments: tuple[str, ...]
    stream: int
    session: int
    socket: int


CLASSES = (
    Class(("-k", "sync"), 501, 501, 501),
    Class(("-k", "sync", "--threads", "4"), 501, 501, 501),  # Gunicorn takes it for gthread
    Class(("-k", "gthread", "--threads", "8"), 501, 501, 501),
    Class(("-k", "gevent"), 200, 501, 501),
    Class(("-k", STOCK_WEBSOCKET), 200, 501, 101),
)


class Served:
    """A Gunicorn of one class, beside a whole gateway whose Redis, encoders and data folder it shares."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.url, self.port, self.process = f"http://127.0.0.1:{port}", port, process

    def workers(self) -> list[psutil.Process]:
        return [each for each in self.process.children() if "watch-redis" not in " ".join(each.cmdline())]


@contextmanager
def served(beside: Gateway, folder: Path, *arguments: str, workers: int = 2, **given: str) -> Iterator[Served]:
    port = free_port()
    environment = {**os.environ, "API_PORT": str(port), "GATEWAY_DATA_DIR": str(beside.data_dir), "GATEWAY_SHARE_RESULTS": "off", **given}
    environment |= {"REDIS_URL": f"unix://{beside.data_dir}/run/redis.sock", "GUNICORN_WORKERS": str(workers), "GATEWAY_LOG_FORMAT": "text"}
    with (folder / "log").open("wb") as log:
        process = psutil.Popen([*GUNICORN, *arguments, "run:app"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: _status(f"http://127.0.0.1:{port}/api/health") == 200, 30, "for an answer")
        yield Served(port, process)
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        psutil.wait_procs(family, timeout=10)
        assert "Traceback" not in (folder / "log").read_text()
    finally:
        if process.is_running():
            process.kill()
            process.wait()


def _status(url: str, **headers: str) -> int | None:
    try:
        with requests.get(url, headers=headers, timeout=10, stream=True) as response:
            return response.status_code
    except requests.RequestException:
        return None


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: "-".join(kind.arguments).rpartition(".")[2])
def test_each_worker_class_serves_rest_and_says_in_one_sentence_what_it_cannot(kind: Class, gateway: Gateway, tmp_path: Path) -> None:
    image = photograph(640, 480)
    with served(gateway, tmp_path, *kind.arguments) as here:
        for path in ("/", "/status", "/api/docs", "/api/openapi.json", "/api/capabilities", "/api/health/ready", "/static/js/main.js"):
            assert _status(here.url + path) == 200, path
        assert requests.post(f"{here.url}/api/convert", data=image, timeout=30).content == pillows_webp(image)
        assert requests.post(f"{here.url}/api/convert", data=iter([image[:9000], image[9000:]]), timeout=30).content == pillows_webp(image)
        job = requests.post(f"{here.url}/api/jobs", files={"file": ("a.jpg", image)}, headers={"Prefer": "wait=20"}, timeout=40).json()
        job_url = f"{here.url}/api/jobs/{job['id']}"
        wait_for(lambda: requests.get(job_url, timeout=10).json()["state"] == "succeeded", 30)
        _check_delivery(job_url, image)
        _check_long_poll(job_url, kind)
        _check_pieces(here.url, image)
        assert _after_a_body_that_breaks_off(here.port, len(image)) in (400, None)
        assert _status(f"{job_url}/events") == kind.stream
        assert _status(here.url + SOCKET_IO) == kind.session
        assert _handshake(f"{job_url}/ws") == kind.socket
        _check_refusals(here.url, job_url, kind)
        _check_counts(here)


def _check_delivery(job_url: str, image: bytes) -> None:
    whole = requests.get(f"{job_url}/result", timeout=10)
    assert whole.content == pillows_webp(image)
    part = requests.get(f"{job_url}/result", headers={"Range": "bytes=10-29"}, timeout=10)
    assert (part.status_code, part.content) == (206, whole.content[10:30])
    assert requests.get(f"{job_url}/result", headers={"If-None-Match": whole.headers["ETag"]}, timeout=10).status_code == 304
    assert requests.get(f"{job_url}/source", timeout=10).content == image


def _check_long_poll(job_url: str, kind: Class) -> None:
    """It is shorter where a client that waits takes a worker, or a thread, from the others; the answer says so."""
    known = requests.get(job_url, timeout=10).headers["ETag"]
    answer = requests.get(job_url, headers={"If-None-Match": known, "Prefer": "wait=20"}, timeout=40)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (304, "wait=20" if kind.stream == 200 else "wait=2")


def _check_pieces(url: str, image: bytes) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    made = requests.post(f"{url}/api/uploads", headers={**tus, "Upload-Length": str(len(image))}, timeout=10)
    assert made.status_code == 201
    address = requests.compat.urljoin(url, made.headers["Location"])
    offset = 0
    for end in (len(image) // 3, len(image) // 2, len(image)):
        headers = {**tus, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        answer = requests.patch(address, data=image[offset:end], headers=headers, timeout=20)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
        offset = end
    job_url = requests.compat.urljoin(url, answer.links["job"]["url"])
    wait_for(lambda: requests.get(job_url, timeout=10).json()["state"] == "succeeded", 30)


def _after_a_body_that_breaks_off(port: int, announced_bytes: int) -> int | None:
    """The status, if the answer still comes. That no job is made of it is what counts: ``_check_counts``' converts would be one more."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(f"POST /api/convert HTTP/1.1\r\nHost: localhost\r\nContent-Length: {announced_bytes}\r\n\r\n".encode() + b"\xff\xd8\xff\xe0")
        client.shutdown(socket.SHUT_WR)
        line = client.makefile("rb").readline()
    return int(line.split()[1]) if line else None


def _handshake(url: str) -> int:
    try:
        websocket.create_connection(url.replace("http", "ws", 1), timeout=10).close()
    except websocket.WebSocketBadStatusException as refused:
        return int(refused.status_code)
    return 101


def _check_refusals(url: str, job_url: str, kind: Class) -> None:
    asked = {f"{job_url}/events": kind.stream, url + SOCKET_IO: kind.session}
    for address in (each for each, status in asked.items() if status == 501):
        for language, cure in (("en", "start it with “./start.sh gateway”"), ("zh-CN", "用“./start.sh gateway”启动网关")):
            refused = requests.get(address, headers={"Accept-Language": language}, timeout=10)
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.json()["code"] == "no_realtime" and cure in refused.json()["detail"]


def _check_counts(here: Served) -> None:
    """Whichever worker answers, the figures are those of all."""

    def counted() -> int:
        lines = requests.get(f"{here.url}/metrics", timeout=10).text.splitlines()
        words = ("gateway_http_requests_total", 'route="/api/convert"', 'status="200"')
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if all(word in line for word in words))

    assert [counted() for _ in range(6)] == [2] * 6


@pytest.mark.parametrize("arguments", [("-k", "sync"), ("-k", "gthread", "--threads", "8")], ids=["sync", "gthread"])
def test_a_large_body_streams_and_a_slow_one_costs_no_worker_its_life(arguments: tuple[str, ...], gateway: Gateway, tmp_path: Path) -> None:
    """60 MB leave no trace in a worker's memory; an upload that lasts longer than GUNICORN_TIMEOUT is taken all the same."""
    large, image = io.BytesIO(), photograph(640, 480)
    Image.new("RGB", (5000, 4000), (90, 140, 60)).save(large, "BMP")
    bitmap = large.getvalue()
    assert len(bitmap) > 57 * MIB
    with served(gateway, tmp_path, *arguments, "--timeout", "2") as here:
        workers = here.workers()
        before = max(each.memory_info().rss for each in workers)
        assert requests.post(f"{here.url}/api/jobs?method=0", data=bitmap, timeout=60).status_code == 202
        assert max(each.memory_info().rss for each in workers) - before < 16 * MIB

        def slowly() -> Iterator[bytes]:
            for start in range(0, len(image), len(image) // 6):
                yield image[start : start + len(image) // 6]
                threading.Event().wait(0.8)

        answer = requests.post(f"{here.url}/api/convert", data=slowly(), timeout=60)
        assert answer.content == pillows_webp(image)
        assert here.workers() == workers


def test_threads_of_gthread_serve_at_the_same_time(gateway: Gateway, tmp_path: Path) -> None:
    """One worker: six clients are in the middle of their bodies, and a seventh is answered."""
    image = photograph(64, 64)
    with served(gateway, tmp_path, "-k", "gthread", "--threads", "8", workers=1) as here, ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection(("127.0.0.1", here.port), 20)) for _ in range(6)]
        for each in clients:
            each.sendall(f"POST /api/convert HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image[:100])
        assert requests.post(f"{here.url}/api/convert", data=image, timeout=20).content == pillows_webp(image)
        for each in clients:
            each.sendall(image[100:])
            assert b" 200 " in each.recv(100)


@pytest.mark.parametrize("arguments", [("-k", "sync"), ("-k", "gthread")], ids=["sync", "gthread"])
def test_what_has_expired_is_erased_where_there_is_no_other_worker_class(arguments: tuple[str, ...], data_dir: Path) -> None:
    """The Janitor and the rest of the background work have their turns there too."""
    with by_itself(data_dir, *arguments, GUNICORN_WORKERS="1", GATEWAY_ENCODERS="1", GATEWAY_RETENTION_S="3") as gateway:
        wait_for(lambda: gateway.health()["status"] == "ok", 40, "for Redis and an encoder")
        job_id = gateway.upload(photograph(64, 64))["id"]
        kept = next((data_dir / "store").rglob(f"*{job_id}*"))
        gateway.ended(job_id)
        wait_for(lambda: not kept.exists(), 30, "for the job to be erased")
        assert requests.get(f"{gateway.url}/api/jobs/{job_id}", timeout=10).status_code == 404
