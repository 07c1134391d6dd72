"""The layouts of docs/operate/layouts.md, as shipped: a realtime process of its own, and a Gunicorn on each port. Under supervisor, behind nginx."""

from __future__ import annotations

import io
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import requests
from PIL import Image

from tests.support.images import photograph, pillows_webp
from tests.support.running import ENDED, ROOT, free_port, wait_for
from tests.system.deploy.proxied import nginx_of_a_layout, status
from tests.system.deploy.supervised import supervised
from tests.system.live.test_many import javascript_clients, python_clients, script_views

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # python-socketio leaves broken sockets
]
Tool = Callable[[str], str]
METRICS_PORTS = 10_000
"""What a port's metrics port is above it."""


@dataclass
class Layout:
    """``control``: supervisorctl. ``ports``: those of the Gunicorns. ``url``: nginx in front of them."""

    control: Callable[..., str]
    name: str
    url: str
    ports: list[int]

    def upload(self, image: bytes, **options: Any) -> str:
        response = requests.post(f"{self.url}/api/jobs", data=image, params=options, timeout=60)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/api/jobs/{job_id}", timeout=20).json())

    def ended(self, job_id: str) -> dict[str, Any]:
        return dict(wait_for(lambda: found if (found := self.job(job_id))["state"] in ENDED else None, 90, "for the job to end"))

    def masters(self) -> dict[int, psutil.Process]:
        """By port: who listens, and is nobody's worker."""
        found = {}
        for each in psutil.process_iter():
            ports = {at.laddr.port for at in listening(each)} & set(self.ports)
            if ports and not listening(each.parent()):
                found[ports.pop()] = each
        return found

    def workers(self, port: int) -> list[psutil.Process]:
        master = self.masters().get(port)
        return master.children() if master is not None else []

    def held(self) -> Counter[int]:
        """By port: how many connections it holds."""
        here = [at.laddr.port for at in psutil.net_connections("tcp") if at.status == psutil.CONN_ESTABLISHED and at.laddr]
        return Counter(port for port in here if port in self.ports)


def listening(process: psutil.Process | None) -> list[Any]:
    try:
        return [at for at in process.net_connections("tcp") if at.status == psutil.CONN_LISTEN] if process is not None else []
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def free_run(count: int) -> int:
    """The first of so many free ports in a row, whose metrics ports are free too."""
    runs = (range(first, first + count) for first in range(5100, 6400, count))
    return next(ports[0] for ports in runs if all(is_free(port) and is_free(port + METRICS_PORTS) for port in ports))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module", params=["realtime", "ports"])
def layout(request: pytest.FixtureRequest, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    name, folder = str(request.param), tmp_path_factory.mktemp("lay")
    if name == "realtime":
        moved = {port: free_port() for port in ("5000", "5001", "9464", "9465")}
        ports = [moved["5000"], moved["5001"]]
    else:
        first = free_run(4)
        ports = list(range(first, first + 4))
        moved = {str(5001 + number): port for number, port in enumerate(ports)}
    with ExitStack() as held:
        workers = {"GUNICORN_WORKERS": "2"} if name == "realtime" else {}
        control = held.enter_context(supervised(folder, tool, ports, moved, ROOT / "deploy" / name / "supervisor.conf", **workers))
        url = held.enter_context(nginx_of_a_layout(tool("nginx"), ROOT / "deploy" / name / "nginx.sed", moved, folder))
        yield Layout(control, name, url, ports)


def test_it_converts_takes_sixty_megabytes_and_says_that_it_is_well(layout: Layout) -> None:
    image, large = photograph(640, 480), io.BytesIO()
    Image.new("RGB", (5000, 4000), (90, 140, 60)).save(large, "BMP")
    assert requests.post(f"{layout.url}/api/convert", data=image, timeout=60).content == pillows_webp(image)
    job_id = layout.upload(large.getvalue(), method=0)
    assert layout.ended(job_id)["state"] == "succeeded"
    assert requests.get(f"{layout.url}/api/jobs/{job_id}/result", timeout=20).status_code == 200
    health = requests.get(f"{layout.url}/api/health", timeout=10).json()
    assert health["status"] == "ok"
    assert [status(f"http://127.0.0.1:{port}/api/health/ready") for port in layout.ports] == [200] * len(layout.ports)


def test_what_waits_for_news_goes_to_who_can_hold_it(layout: Layout) -> None:
    job = requests.post(f"{layout.url}/api/jobs", data=photograph(64, 64), headers={"Prefer": "wait=30"}, timeout=60)
    assert job.headers["Preference-Applied"] == "wait=30"
    address = f"{layout.url}/api/jobs/{job.json()['id']}"
    layout.ended(job.json()["id"])
    assert requests.get(address, headers={"Prefer": "respond-async, wait=20"}, timeout=60).headers["Preference-Applied"] == "wait=20"
    with requests.get(f"{address}/events", timeout=20, stream=True) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
    if layout.name == "realtime":
        assert status(f"http://127.0.0.1:{layout.ports[0]}/socket.io/?EIO=4&transport=polling") == 501, "nobody takes sessions twice"


def test_official_clients_with_their_default_settings_follow_jobs(layout: Layout) -> None:
    ids = [layout.upload(photograph(3000, 2000), method=6) for _ in range(2)]
    found = javascript_clients(None, layout.url, ids, 20)
    assert {name: found[name] for name in ("connected", "upgraded", "ended")} == {"connected": 20, "upgraded": 20, "ended": 20}, found
    assert python_clients(layout.url, ids, 20) == [(True, True)] * 20


def watch_while_parts_are_killed(layout: Layout, watchers: int) -> None:
    """All see each job's end, in order. New work is taken meanwhile. Nothing is encoded before all watch."""
    layout.control("stop", "webp:webp-encoder")
    ids = [layout.upload(photograph(3000, 2000), method=6) for _ in range(4)]
    with ThreadPoolExecutor(1) as pool:
        views = pool.submit(script_views, layout.url, ids, watchers)
        theirs = wait_for(lambda: most_of(layout.held(), watchers), 60, "for the watchers")
        layout.control("start", "webp:webp-encoder")
        for port in (theirs, next(each for each in layout.ports if each != theirs)):
            before = layout.masters()[port]
            before.send_signal(signal.SIGKILL)
            if layout.name == "ports" or port == layout.ports[1]:
                assert status(f"{layout.url}/api/health/live") == 200, "the others serve"
            wait_for(lambda: layout.masters().get(port, before).pid != before.pid, 60, "for its successor")  # noqa: B023
        worker = wait_for(lambda: layout.workers(layout.ports[-1]), 60, "for a worker")[0]
        worker.kill()
        wait_for(lambda: status(f"{layout.url}/api/health") == 200, 60, "for all to be well")
        assert layout.ended(wait_for(lambda: uploaded(layout), 60, "for an upload to be taken"))["state"] == "succeeded"
        last = {each: layout.ended(each)["seq"] for each in ids}
        for view in views.result():
            assert all(seqs == sorted(set(seqs)) and seqs[-1] == last[job_id] for job_id, seqs in view.items()), view


def most_of(held: Counter[int], watchers: int) -> int | None:
    """The port that holds the most, once all are held. nginx gives a watcher to another port where one did not answer in time."""
    return held.most_common(1)[0][0] if held.total() >= watchers else None


def uploaded(layout: Layout) -> str | None:
    """As a client does that is told to try again: a process that lost its master may still take a connection, and dies over it."""
    answer = requests.post(f"{layout.url}/api/jobs", data=photograph(64, 64), timeout=60)
    assert answer.status_code == 202 or (answer.status_code == 503 and answer.json()["code"] == "backend_unavailable"), answer.text
    return str(answer.json()["id"]) if answer.status_code == 202 else None


def test_watchers_miss_nothing_while_parts_are_killed(layout: Layout) -> None:
    watch_while_parts_are_killed(layout, 20)


@pytest.mark.slow
def test_two_hundred_watchers_miss_nothing_while_parts_are_killed(layout: Layout) -> None:
    watch_while_parts_are_killed(layout, 200)
