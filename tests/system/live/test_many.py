"""Any client with its default settings, any number of workers, no sticky proxy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
import websocket

from tests.support.images import photograph
from tests.support.running import ENDED, ROOT, Gateway, is_supervised, running, wait_for
from tests.system.live.proxy import Proxy

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # python-socketio leaves broken sockets
]
MANY = 200


def javascript_clients(gateway: Gateway | None, url: str, ids: list[str], count: int) -> dict[str, Any]:
    environment = {**os.environ, "GATEWAY_URL": url, "JOBS": ",".join(ids), "COUNT": str(count)}
    command = ["node", str(Path(__file__).with_name("many.mjs"))]
    said = subprocess.run(command, cwd=ROOT / "tests" / "page", env=environment, capture_output=True, text=True, timeout=120, check=True)
    return dict(json.loads(said.stdout))


def python_client(url: str, job_id: str) -> tuple[bool, bool]:
    """(whether it upgraded, whether it saw the end) of one default client."""
    ended = threading.Event()
    client = socketio.Client()
    client.on("job", lambda job: ended.set() if job["state"] in ENDED else None)
    client.connect(url, wait_timeout=20)
    try:
        answer = client.call("subscribe", {"job": job_id}, timeout=20)
        if answer["job"]["state"] in ENDED:
            ended.set()
        return client.transport() == "websocket", ended.wait(60)
    finally:
        client.disconnect()


def python_clients(url: str, ids: list[str], count: int) -> list[tuple[bool, bool]]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda number: python_client(url, ids[number % len(ids)]), range(count)))


@pytest.mark.slow
def test_two_hundred_default_clients_of_each_kind_all_connect_upgrade_and_see_the_end(tmp_path: Path) -> None:
    with running(tmp_path / "data", GUNICORN_WORKERS="5") as gateway:
        ids = [gateway.upload(photograph(4000, 3000), method=6)["id"] for _ in range(8)]
        found: dict[str, Any] = {}
        scripts = threading.Thread(target=lambda: found.update(javascript_clients(gateway, gateway.url, ids, MANY)))
        scripts.start()
        pythons = python_clients(gateway.url, ids, MANY)
        scripts.join()
        assert {name: found[name] for name in ("connected", "upgraded", "ended")} == {"connected": MANY, "upgraded": MANY, "ended": MANY}, found
        assert pythons == [(True, True)] * MANY


BLOWS = pytest.mark.parametrize("blow", ["hup", "ttin", "ttou", "worker", "redis"])


@pytest.mark.parametrize("blow", ["hup", pytest.param("redis", marks=pytest.mark.slow)])
def test_watchers_of_many_jobs_all_end_right_through_a(blow: str, tmp_path: Path) -> None:
    """Twenty watchers, each of ten jobs, while something is restarted under them."""
    watched_through(blow, tmp_path, jobs=30, watchers=20)


@pytest.mark.slow
@pytest.mark.timeout(600)
@BLOWS
def test_watchers_of_two_hundred_jobs_all_end_right_through_a(blow: str, tmp_path: Path) -> None:
    watched_through(blow, tmp_path, jobs=200, watchers=60)


def watched_through(blow: str, tmp_path: Path, jobs: int, watchers: int) -> None:
    with running(tmp_path / "data", GUNICORN_WORKERS="3", GATEWAY_ENCODERS="2") as gateway:
        image = photograph(1800, 1200)
        ids = [gateway.upload(image, quality=number % 100)["id"] for number in range(jobs)]
        clients = [Steadfast(gateway.url, ids[number % 3 :: 3]) for number in range(watchers)]
        try:
            wait_for(lambda: all(each.has_subscribed.is_set() for each in clients), 60)
            strike(gateway, blow)
            for client in clients:
                client.until_all_ended(90 + jobs)
            assert all(set(each.final().values()) == {"succeeded"} for each in clients)
            for client in clients:
                for job_id in client.ids:
                    seqs = client.seqs(job_id)
                    assert seqs == sorted(set(seqs)), f"{job_id}: {seqs}"
        finally:
            for client in clients:
                client.close()


def strike(gateway: Gateway, blow: str) -> None:
    master = next(each for each in gateway.find("gunicorn") if is_supervised(each))
    if blow == "worker":
        master.children()[0].send_signal(signal.SIGKILL)
    elif blow == "redis":
        gateway.find("redis.sock")[0].send_signal(signal.SIGKILL)
    else:
        master.send_signal({"hup": signal.SIGHUP, "ttin": signal.SIGTTIN, "ttou": signal.SIGTTOU}[blow])


class Steadfast:
    """A client that does what every client should: it subscribes again after each connect, with the last ``seq`` that it saw."""

    def __init__(self, url: str, ids: list[str]) -> None:
        self.ids = ids
        self.views: dict[str, list[dict[str, Any]]] = {each: [] for each in ids}
        self.has_subscribed = threading.Event()
        self.client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
        self.client.on("job", self._see)
        self.client.on("connect", lambda: self.client.start_background_task(self._subscribe))
        self.client.connect(url, wait_timeout=20)

    def until_all_ended(self, within_s: float) -> None:
        wait_for(lambda: all(self.views[each] and self.views[each][-1]["state"] in ENDED for each in self.ids), within_s)

    def final(self) -> dict[str, str]:
        return {each: self.views[each][-1]["state"] for each in self.ids}

    def seqs(self, job_id: str) -> list[int]:
        return [job["seq"] for job in self.views[job_id]]

    def close(self) -> None:
        self.client.disconnect()

    def _subscribe(self) -> None:
        for job_id in self.ids:
            view = self.views[job_id]
            message: dict[str, Any] = {"job": job_id}
            if view:
                message["after"] = view[-1]["seq"]
            try:
                answer = self.client.call("subscribe", message, timeout=10)
            except (socketio.exceptions.SocketIOError, ValueError):
                return
            if answer["ok"]:
                self._see(answer["job"])
        self.has_subscribed.set()

    def _see(self, job: dict[str, Any]) -> None:
        view = self.views[job["id"]]
        if not view or job["seq"] > view[-1]["seq"]:
            view.append(job)


def logged(gateway: Gateway, job_id: str) -> list[int]:
    """Every ``seq`` of a job's log, as a fresh subscription gives it."""
    client = socketio.Client()
    heard: list[int] = []
    client.on("job", lambda job: heard.append(job["seq"]))
    client.connect(gateway.url)
    try:
        last = client.call("subscribe", {"job": job_id, "after": 0})["job"]["seq"]
        wait_for(lambda: heard and heard[-1] == last, 10)
    finally:
        client.disconnect()
    return heard


class Plain:
    """One job over a plain WebSocket, opened again with ``after`` whenever it breaks."""

    def __init__(self, url: str, job_id: str) -> None:
        self.view: list[dict[str, Any]] = []
        self._url = f"{url.replace('http', 'ws')}/api/jobs/{job_id}/ws"
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def seqs(self) -> list[int]:
        self._thread.join(90)
        assert not self._thread.is_alive()
        return [job["seq"] for job in self.view]

    def _follow(self) -> None:
        while not (self.view and self.view[-1]["state"] in ENDED):
            after = f"?after={self.view[-1]['seq']}" if self.view else ""
            try:
                self._read(websocket.create_connection(self._url + after, timeout=10))
            except (OSError, websocket.WebSocketException):
                time.sleep(0.05)

    def _read(self, socket: websocket.WebSocket) -> None:
        try:
            while message := socket.recv():
                self.view.append(json.loads(message))
        finally:
            socket.shutdown()


def script_views(url: str, ids: list[str], count: int) -> list[dict[str, list[int]]]:
    """What ``count`` official JavaScript clients saw of each job."""
    environment = {**os.environ, "GATEWAY_URL": url, "JOBS": ",".join(ids), "COUNT": str(count)}
    command = ["node", str(Path(__file__).with_name("steadfast.mjs"))]
    said = subprocess.run(command, cwd=ROOT / "tests" / "page", env=environment, capture_output=True, text=True, timeout=200, check=True)
    views = json.loads(said.stdout)
    assert views is not None, "a client never saw the end"
    return [{job_id: [each["seq"] for each in view] for job_id, view in client.items()} for client in views]


def have_ended(gateway: Gateway, ids: list[str]) -> bool:
    try:
        return all(gateway.job(each)["state"] in ENDED for each in ids)
    except requests.RequestException:
        return False


def cut_clients(gateway: Gateway, cuts: int, clients: int, seed: int) -> None:
    """Clients behind a proxy that cuts them ``cuts`` times; their views, put together, must be the log."""
    proxy = Proxy(gateway.port, seed)
    url = f"http://127.0.0.1:{proxy.port}"
    try:
        while proxy.cuts < cuts:
            ids = [gateway.upload(photograph(4000, 3000), method=6)["id"] for _ in range(4)]
            plain = [(job_id, Plain(url, job_id)) for job_id in ids for _ in range(clients // 2)]
            with ThreadPoolExecutor(1) as pool:
                scripts = pool.submit(script_views, url, ids, clients)
                while proxy.cuts < cuts and not have_ended(gateway, ids):
                    proxy.cut_one()
                    time.sleep(0.05)
                views = scripts.result()
            logs = {job_id: logged(gateway, job_id) for job_id in ids}
            for log in logs.values():
                assert log == list(range(1, len(log) + 1)), "the log has no gap"
            seen = [(job_id, watcher.seqs()) for job_id, watcher in plain]
            seen += [each for view in views for each in view.items()]
            for job_id, seqs in seen:
                assert seqs == list(range(seqs[0], logs[job_id][-1] + 1)), "no gap, no repeat, right order"
    finally:
        proxy.close()


def test_connections_cut_at_random_miss_nothing_and_see_nothing_twice(gateway: Gateway) -> None:
    cut_clients(gateway, cuts=60, clients=6, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_cuts_miss_nothing_and_see_nothing_twice(gateway: Gateway) -> None:
    cut_clients(gateway, cuts=1000, clients=20, seed=2)
