"""Gunicorn's life under steady load: reloads, more and fewer workers, recycling, killed workers and encoders. Nobody who retries notices.

A client here is an ordinary one: it repeats a request whose connection broke, with an ``Idempotency-Key`` where that makes a job, and waits as
``Retry-After`` says. A watcher is Socket.IO's own client.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import socketio

from tests.e2e.images import photograph, pillows_webp
from tests.e2e.running import ENDED, Gateway, running, wait_for
from tests.ops.figures import scraped
from tests.ops.processes import gunicorn_master, pool, workers

pytestmark = [
    pytest.mark.e2e,
    # python-engineio leaves the sockets of broken connections to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
TRIES = 8
PAUSE_S = 0.1
IMAGES = [photograph(480, 360, seed) for seed in range(3)]
RESULTS = [pillows_webp(image) for image in IMAGES]
WORKERS = 3


class Client:
    """Uploads, watches and downloads until it is told to stop; whatever is not as it should be is a fault."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.faults: list[str] = []
        self.jobs: list[str] = []
        self.retries: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(3)]
        self._threads += [threading.Thread(target=self._watch, args=(number,)) for number in range(2)]

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

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        for attempt in range(TRIES):
            try:
                response = requests.request(method, self.gateway.url + path, timeout=60, **given)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                self.retries[f"{method}: {type(error).__name__}"] += 1
            else:
                if response.status_code not in (429, 503):
                    return response
                self.retries[f"{method}: {response.status_code}"] += 1
            time.sleep(PAUSE_S * 2**attempt)
        raise AssertionError(f"{method} {path} failed {TRIES} times")

    def _upload(self, number: int) -> str:
        response = self.ask("POST", "/api/jobs", data=IMAGES[number], headers={"Idempotency-Key": secrets.token_hex(8)})
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

    def _work(self, seed: int) -> None:
        with_number = iter(range(seed, 10**9))

        def once() -> None:
            number = next(with_number) % len(IMAGES)
            job_id = self._upload(number)
            deadline = time.monotonic() + 60
            while (job := self.ask("GET", f"/api/jobs/{job_id}", headers={"Prefer": "wait=5"}).json())["state"] not in ENDED:
                assert time.monotonic() < deadline, job
            assert job["state"] == "succeeded", job
            assert self.ask("GET", f"/api/jobs/{job_id}/result").content == RESULTS[number]

        self._guard(once)

    def _watch(self, seed: int) -> None:
        """Every job that it watches: each change once, in order, up to the end, however often the connection breaks."""
        client = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.5)
        seen: dict[str, list[dict[str, Any]]] = {}
        ended: dict[str, threading.Event] = {}

        def note(job: dict[str, Any]) -> None:
            known = seen.setdefault(job["id"], [])
            if not known or job["seq"] > known[-1]["seq"]:
                known.append(job)
            if job["state"] in ENDED:
                ended.setdefault(job["id"], threading.Event()).set()

        def answered(said: dict[str, Any]) -> None:
            if said.get("ok"):
                note(said["job"])
            else:
                self.faults.append(f"not subscribed: {said}")

        def subscribe(job_id: str) -> None:
            after = {"after": seen[job_id][-1]["seq"]} if seen.get(job_id) else {}
            try:
                client.emit("subscribe", {"job": job_id, **after}, callback=answered)
            except socketio.exceptions.BadNamespaceError:
                pass  # not connected: the next connect subscribes to all that has not ended

        client.on("job", note)
        client.on("connect", lambda: [subscribe(job_id) for job_id, done in list(ended.items()) if not done.is_set()])
        wait_for(lambda: _connected(client, self.gateway.url), 60)

        def once() -> None:
            job_id = self._upload(seed)
            done = ended.setdefault(job_id, threading.Event())
            subscribe(job_id)
            assert done.wait(60), f"the watcher never saw the end of {job_id}: {[each['seq'] for each in seen.get(job_id, [])]}"
            progress = [each["progress"] for each in seen[job_id] if each["state"] != "queued"]
            assert progress == sorted(progress) or any(each["state"] == "queued" for each in seen[job_id][1:]), progress
            assert seen[job_id][-1]["state"] == "succeeded"

        try:
            self._guard(once)
        finally:
            client.disconnect()
            client.shutdown()


def _connected(client: socketio.Client, url: str) -> bool:
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


def reload(gateway: Gateway, client: Client) -> None:
    before = {each.pid for each in workers(gateway)}
    gunicorn_master(gateway).send_signal(signal.SIGHUP)
    settled(gateway, gone=before)
    busy(client, 1)


def more_and_fewer(gateway: Gateway, client: Client) -> None:
    master = gunicorn_master(gateway)
    master.send_signal(signal.SIGTTIN)
    settled(gateway, WORKERS + 1)
    busy(client, 1)
    master.send_signal(signal.SIGTTOU)
    settled(gateway, WORKERS)
    busy(client, 1)


def kill_a_worker(gateway: Gateway, client: Client) -> None:
    victim = workers(gateway)[0]
    victim.kill()
    settled(gateway, gone={victim.pid})
    busy(client)


def kill_an_encoder(gateway: Gateway, client: Client) -> None:
    victim = pool(gateway)[0]
    victim.kill()
    wait_for(lambda: victim.pid not in {each.pid for each in pool(gateway)}, 60, "for the next encoder")
    busy(client)


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


def lived(data_dir: Path, *acts: Callable[[Gateway, Client], None], **given: str) -> None:
    with running(data_dir, GUNICORN_WORKERS=str(WORKERS), GATEWAY_ENCODERS="2", GUNICORN_GRACEFUL_TIMEOUT="10", **given) as gateway:
        with Client(gateway) as client:
            busy(client)
            for act in acts:
                act(gateway, client)
        print(f"{len(client.jobs)} jobs, retries: {dict(client.retries)}")
        judge(gateway, client)


def test_a_reload_more_and_fewer_workers_a_killed_worker_and_a_killed_encoder_lose_nothing(data_dir: Path) -> None:
    lived(data_dir, reload, more_and_fewer, kill_a_worker, kill_an_encoder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_reloads(data_dir: Path) -> None:
    lived(data_dir, *[reload] * 20)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_times_more_and_fewer_workers(data_dir: Path) -> None:
    lived(data_dir, *[more_and_fewer] * 10)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_recycled_workers_with_a_worker_and_an_encoder_killed_in_turn(data_dir: Path) -> None:
    def for_a_while(gateway: Gateway, client: Client) -> None:
        kill_a_worker(gateway, client)
        busy(client, 40)
        kill_an_encoder(gateway, client)
        busy(client, 40)

    def recycled(gateway: Gateway, client: Client) -> None:
        seen = {each.pid for each in workers(gateway)}

        def is_so() -> bool:
            seen.update(each.pid for each in workers(gateway))
            return len(seen) >= WORKERS + 6

        wait_for(is_so, 180, "for six recycled workers")

    lived(data_dir, recycled, for_a_while, recycled, GUNICORN_MAX_REQUESTS="50", GUNICORN_MAX_REQUESTS_JITTER="5")


@pytest.mark.slow
def test_a_worker_whose_loop_is_stuck_is_replaced_and_a_long_encode_is_not_taken_for_it(data_dir: Path) -> None:
    """SIGSTOP is as stuck as can be. The encode, meanwhile, takes far longer than the timeout, with its client waiting."""
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1", GUNICORN_TIMEOUT="3") as gateway:
        long = gateway.upload(photograph(4000, 3000), method=6, quality=100)["id"]
        stuck, well = workers(gateway)
        os.kill(stuck.pid, signal.SIGSTOP)
        wait_for(lambda: not psutil.pid_exists(stuck.pid) or stuck.status() == psutil.STATUS_ZOMBIE, 40, "for the stuck worker to be killed")
        wait_for(lambda: len(workers(gateway)) == 2, 40, "for the next one")
        assert well.is_running() and well.pid in {each.pid for each in workers(gateway)}
        assert gateway.ended(long, 90)["state"] == "succeeded"


def children(process: psutil.Process) -> int:
    try:
        return len(process.children())
    except psutil.NoSuchProcess:
        return 0


@pytest.mark.slow
def test_a_new_binary_takes_over_by_usr2_while_the_old_one_leaves(data_dir: Path) -> None:
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1") as gateway:
        before = [gateway.upload(image)["id"] for image in IMAGES]
        old = gunicorn_master(gateway)
        old.send_signal(signal.SIGUSR2)
        new = wait_for(lambda: next((each for each in old.children() if children(each) >= 2), None), 60, "for the second master")
        assert gateway.ended(gateway.upload(IMAGES[0])["id"])["state"] == "succeeded", "both serve"
        new.send_signal(signal.SIGTERM)
        wait_for(lambda: not new.is_running() or new.status() == psutil.STATUS_ZOMBIE, 40, "for the second master to go: a way back")
        after = gateway.upload(IMAGES[1])["id"]
        assert [gateway.ended(each)["state"] for each in [*before, after]] == ["succeeded"] * 4
