"""A steady load of ordinary clients, who notice whatever is not as it should be.

A client here is an ordinary one: it repeats a request whose connection broke, with an ``Idempotency-Key`` where that makes a job, and waits as
``Retry-After`` says. Some keep their connections, some do not. Watchers are Socket.IO's own client, and readers of Server-Sent Events.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import requests
import socketio

from tests.support.images import photograph, pillows_webp
from tests.support.running import ENDED, Gateway, wait_for
from tests.system.ops.figures import scraped
from tests.system.ops.processes import workers

TRIES = 8
PAUSE_S = 0.1
ENDS_WITHIN_S = 90.0
GIVEN_UP_S = 5.0
"""python-socketio never connects again where its connection breaks before its own reconnect has returned, as when a worker is killed then."""
IMAGES = [photograph(480, 360, seed) for seed in range(3)]
RESULTS = [pillows_webp(image) for image in IMAGES]
WORKERS = 3
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


class Sight:
    """What a watcher saw of one job: each change once, in order, none left out, however often the connection broke."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.seqs: list[int] = []
        self.progress: list[int] = []
        self.state = ""
        self.ended = threading.Event()
        self.subscribed_by: str | None = None
        self.faults: list[str] = []

    @property
    def after(self) -> int | None:
        return self.seqs[-1] if self.seqs else None

    def present(self, job: dict[str, Any]) -> None:
        """The state that a subscription is answered with: the first one, or what the events before it have told already."""
        if not self.seqs:
            self.change(job)
        elif job["seq"] > self.seqs[-1]:
            self.faults.append(f"{self.job_id}: told of {self.seqs}, then of {job['seq']}")

    def change(self, job: dict[str, Any]) -> None:
        if self.seqs and job["seq"] != self.seqs[-1] + 1:
            self.faults.append(f"{self.job_id}: after {self.seqs} came {job['seq']}")
        self.seqs.append(job["seq"])
        if job["state"] == "queued":
            self.progress.clear()  # an encoder was lost: it begins again
        elif self.progress and job["progress"] < self.progress[-1]:
            self.faults.append(f"{self.job_id}: progress fell from {self.progress[-1]} to {job['progress']}")
        self.progress.append(job["progress"])
        self.state = job["state"]
        if self.state in ENDED:
            self.ended.set()


class Client:
    """Uploads, watches and downloads until it is told to stop; whatever is not as it should be is a fault."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.faults: list[str] = []
        self.jobs: list[str] = []
        self.retries: Counter[str] = Counter()
        self._stop = threading.Event()
        kinds = (self._work, self._work, self._work, self._watch, self._watch, self._read_events)
        self._threads = [threading.Thread(target=kind, args=(number,)) for number, kind in enumerate(kinds)]

    def __enter__(self) -> Client:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._threads:
            each.join()

    def progress(self) -> int:
        return len(self.jobs)

    def ask(self, method: str, path: str, session: Any = requests, **given: Any) -> requests.Response:
        for attempt in range(TRIES):
            try:
                response: requests.Response = session.request(method, self.gateway.url + path, timeout=60, **given)
            except BROKEN as error:
                self.retries[f"{method}: {type(error).__name__}"] += 1
            else:
                if response.status_code not in (429, 503):
                    return response
                self.retries[f"{method}: {response.status_code}"] += 1
            time.sleep(PAUSE_S * 2**attempt)
        raise AssertionError(f"{method} {path} failed {TRIES} times")

    def _upload(self, number: int, session: Any = requests) -> str:
        response = self.ask("POST", "/api/jobs", session, data=IMAGES[number % len(IMAGES)], headers={"Idempotency-Key": secrets.token_hex(8)})
        assert response.status_code == 202, response.text
        job_id = str(response.json()["id"])
        self.jobs.append(job_id)
        return job_id

    def _guard(self, call: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                call()
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    def _seen(self, sight: Sight) -> None:
        self.faults += sight.faults
        assert sight.state == "succeeded", (sight.job_id, sight.state, sight.seqs)

    def _work(self, seed: int) -> None:
        """Every other one over kept connections."""
        numbers = iter(range(seed, 10**9))
        with requests.Session() as kept:
            session: Any = kept if seed % 2 else requests

            def once() -> None:
                number = next(numbers)
                job_id = self._upload(number, session)
                deadline = time.monotonic() + ENDS_WITHIN_S
                while (job := self.ask("GET", f"/api/jobs/{job_id}", session, headers={"Prefer": "wait=5"}).json())["state"] not in ENDED:
                    assert time.monotonic() < deadline, job
                assert job["state"] == "succeeded", job
                assert self.ask("GET", f"/api/jobs/{job_id}/result", session).content == RESULTS[number % len(IMAGES)]

            self._guard(once)

    def _watch(self, seed: int) -> None:
        watcher = Watcher(self)

        def once() -> None:
            sight = Sight(self._upload(seed))
            watcher.watch(sight)
            deadline = time.monotonic() + ENDS_WITHIN_S
            while not sight.ended.wait(GIVEN_UP_S):
                assert time.monotonic() < deadline, f"the watcher never saw the end of {sight.job_id}: {sight.seqs}, {watcher.story[-9:]}"
                watcher.look_after_itself()
            self._seen(sight)

        try:
            self._guard(once)
        finally:
            watcher.close()

    def _read_events(self, seed: int) -> None:
        def once() -> None:
            sight = Sight(self._upload(seed))
            deadline = time.monotonic() + ENDS_WITHIN_S
            while not sight.ended.is_set():
                assert time.monotonic() < deadline, f"the reader never saw the end of {sight.job_id}: {sight.seqs}"
                headers = {} if sight.after is None else {"Last-Event-ID": str(sight.after)}
                try:
                    for job in self._events(sight.job_id, headers):
                        sight.change(job)
                except BROKEN as error:
                    self.retries[f"events: {type(error).__name__}"] += 1
                    time.sleep(PAUSE_S)
            self._seen(sight)

        self._guard(once)

    def _events(self, job_id: str, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
        with self.ask("GET", f"/api/jobs/{job_id}/events", stream=True, headers=headers) as stream:
            assert stream.status_code == 200, (stream.status_code, stream.text)
            for line in stream.iter_lines(chunk_size=1):
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])


class Watcher:
    """Socket.IO's own client with its default way of connecting again, which subscribes once a connection to what has not ended."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sights: dict[str, Sight] = {}
        self._lock = threading.RLock()
        self.story: list[tuple[float, str]] = []
        self._ending: list[threading.Thread] = []
        self._socket = self._open()

    def watch(self, sight: Sight) -> None:
        self._sights[sight.job_id] = sight
        self._subscribe(self._socket, sight)

    def look_after_itself(self) -> None:
        """A program that finds its client without a connection for so long makes itself another one."""
        if self._socket.get_sid() is None and time.time() - self.story[-1][0] > GIVEN_UP_S:
            self._client.retries["client gave up"] += 1
            self._ending.append(threading.Thread(target=_end, args=(self._socket,)))
            self._ending[-1].start()
            self._socket = self._open()

    def close(self) -> None:
        _end(self._socket)
        for each in self._ending:
            each.join()

    def _open(self) -> socketio.Client:
        socket = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.5)
        self._socket = socket

        def changed(job: dict[str, Any]) -> None:
            if self._socket is socket:
                self._sights[job["id"]].change(job)

        def connected() -> None:
            self.story.append((time.time(), f"connected as {socket.get_sid()}"))
            for each in list(self._sights.values()):
                if not each.ended.is_set():
                    self._subscribe(socket, each)

        socket.on("job", changed)
        socket.on("connect", connected)
        socket.on("disconnect", lambda reason: self.story.append((time.time(), f"disconnected: {reason}")))
        wait_for(lambda: _is_connected(socket, self._client.gateway.url), 60)
        return socket

    def _subscribe(self, socket: socketio.Client, sight: Sight) -> None:
        with self._lock:
            session = socket.get_sid()
            if session is None or sight.subscribed_by == session or self._socket is not socket:
                return
            after = {} if sight.after is None else {"after": sight.after}
            try:
                socket.emit("subscribe", {"job": sight.job_id, **after}, callback=lambda said: self._answered(socket, sight, said))
                sight.subscribed_by = session
            except socketio.exceptions.BadNamespaceError:
                self._client.retries["not connected"] += 1

    def _answered(self, socket: socketio.Client, sight: Sight, said: dict[str, Any]) -> None:
        if self._socket is not socket:
            return
        if said.get("ok"):
            sight.present(said["job"])
        elif said["error"]["code"] == "backend_unavailable":
            self._client.retries["subscribe"] += 1
            sight.subscribed_by = None
            self._subscribe(socket, sight)
        else:
            self._client.faults.append(f"not subscribed: {said}")


def _end(client: socketio.Client) -> None:
    """``shutdown`` alone leaves a connection that its reconnect makes just then."""
    client.shutdown()
    client.disconnect()


def _is_connected(client: socketio.Client, url: str) -> bool:
    try:
        client.connect(url)
    except socketio.exceptions.ConnectionError:
        return False
    return True


def settled(gateway: Gateway, count: int = WORKERS, gone: set[int] | None = None) -> None:
    """So many workers, none of them of ``gone``, and the gateway answers."""

    def is_so() -> bool:
        now = {each.pid for each in workers(gateway)}
        return len(now) == count and not now & (gone or set())

    wait_for(is_so, 90, f"for {count} workers")


def busy(client: Client, more: int = 3) -> None:
    """The load goes on: so many more jobs."""
    goal = client.progress() + more
    wait_for(lambda: client.progress() >= goal or client.faults, 90, "for the load to go on")


def judge(gateway: Gateway, client: Client) -> None:
    assert not client.faults, f"{len(client.faults)} faults among {len(client.jobs)} jobs: {client.faults[:5]}"
    assert len(set(client.jobs)) == len(client.jobs), "a job was given twice"
    for job_id in client.jobs:
        assert gateway.ended(job_id)["state"] == "succeeded"
    seen = scraped(gateway)
    assert seen["gateway_jobs_created_total"] == len(client.jobs), "none doubled, none lost"
    assert seen["gateway_jobs{state=succeeded}"] == len(client.jobs)
    folders = [each for each in (gateway.data_dir / "store/jobs").glob("*/*") if each.is_dir()]
    assert len(folders) == len(client.jobs)
