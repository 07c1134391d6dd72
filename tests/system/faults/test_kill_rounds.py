"""Random processes of a gateway under load are killed, round after round.

``FAULT_ROUNDS`` says how often (300), ``FAULT_MINUTES`` for how long at most (40), ``FAULT_SEED`` which ones.

What is held after each round: whatever was acknowledged is there, byte for byte, and ends; an end never changes, and nobody hears of two; what
was deleted stays away; a new image is converted soon. At the end the times to that are printed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import requests
from PIL import Image

from tests.support.running import ENDED, Gateway, wait_for, zygote_family, zygotes
from tests.system.faults.pictures import png

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(3600)]
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "300"))
MINUTES = float(os.environ.get("FAULT_MINUTES", "40"))
"""No round begins after so long."""
SEED = int(os.environ.get("FAULT_SEED", "1"))
RECOVERED_WITHIN_S = 30.0
"""A bound for the test's own patience; how long it took is printed."""
TUS = {"Tus-Resumable": "1.0.0"}
SETTINGS = {"GUNICORN_WORKERS": "3", "GATEWAY_ENCODERS": "2", "GATEWAY_MAX_QUEUED_JOBS": "400", "GUNICORN_GRACEFUL_TIMEOUT": "5"}


def children_of(gateway: Gateway, words: str) -> list[psutil.Process]:
    masters = [each for each in gateway.find(words) if each.ppid() == gateway.process.pid]  # type: ignore[union-attr]
    return [child for each in masters for child in each.children()]


VICTIMS: dict[str, Callable[[Gateway], list[psutil.Process]]] = {
    "gateway worker": lambda gateway: children_of(gateway, "gunicorn"),
    "gunicorn master": lambda gateway: [each for each in gateway.find("gunicorn") if each.ppid() == gateway.process.pid],  # type: ignore[union-attr]
    "encoder": lambda gateway: [each for each in children_of(gateway, "celery") if "zygote" not in " ".join(each.cmdline())],
    "celery master": lambda gateway: [each for each in gateway.find("celery") if each.ppid() == gateway.process.pid],  # type: ignore[union-attr]
    "zygote family": zygote_family,
    "zygote": zygotes,
    "sealed child": lambda gateway: [child for each in zygotes(gateway) for child in each.children()],
    "redis": lambda gateway: gateway.find("redis.sock"),
    "supervisor": lambda gateway: [psutil.Process(gateway.process.pid)],  # type: ignore[union-attr]
    "everything": lambda gateway: gateway.family(),
    "redis emptied": lambda gateway: gateway.find("redis.sock"),
}


@dataclass
class Ledger:
    """What clients were told."""

    sources: dict[str, bytes] = field(default_factory=dict)
    ends: dict[str, tuple[str, int]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    told: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accepted(self, job_id: str, data: bytes) -> None:
        with self.lock:
            self.sources[job_id] = data

    def heard(self, job: dict[str, Any]) -> None:
        """An end never changes, whoever tells of it."""
        if job["state"] in ENDED:
            with self.lock:
                known = self.ends.setdefault(job["id"], (job["state"], 0))
            assert known[0] == job["state"], f"job {job['id']} had ended as {known[0]} and is now {job['state']}"
        else:
            assert job["id"] not in self.ends or job["id"] in self.deleted, f"job {job['id']} had ended and is {job['state']} again"


class Clients(threading.Thread):
    """Uploads of every kind, cancels, deletes and watchers, until it is told to stop. What fails is simply not acknowledged."""

    def __init__(self, gateway: Gateway, ledger: Ledger, seed: int) -> None:
        super().__init__()
        self.gateway, self.ledger, self.dice = gateway, ledger, random.Random(seed)
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self.mine: list[str] = []

    def run(self) -> None:
        actions = [self.raw, self.raw, self.parts, self.resumable, self.cancel, self.delete, self.watch, self.look, self.look]
        while not self.stopping.wait(0.05 + 0.1 * self.dice.random()):
            try:
                self.dice.choice(actions)()
            except (requests.RequestException, Refused):
                self.ledger.counts["unanswered"] += 1
            except BaseException as error:
                self.failure = error
                return

    def image(self) -> bytes:
        return png(200 + self.dice.randrange(200), 100 + self.dice.randrange(200))

    def raw(self) -> None:
        data = self.image()
        self._taken([self._json("POST", "/api/jobs", {202}, data=data)], [data])

    def parts(self) -> None:
        images = [self.image() for _ in range(2)]
        files = [("file", (f"{number}.png", data)) for number, data in enumerate(images)]
        self._taken(self._json("POST", "/api/jobs", {202}, files=files)["jobs"], images)

    def resumable(self) -> None:
        data = self.image()
        name = {"Upload-Metadata": "filename " + base64.b64encode(b"a.png").decode()}
        made = self._ask("POST", "/api/uploads", {201}, headers={**TUS, "Upload-Length": str(len(data)), **name})
        path, acknowledged = made.headers["Location"], 0
        for _ in range(8):
            with contextlib.suppress(requests.RequestException, Refused):
                offset = int(self._ask("HEAD", path, {200}, headers=TUS).headers["Upload-Offset"])
                assert offset >= acknowledged, f"{offset} bytes are there, {acknowledged} were acknowledged"
                end = len(data) if offset else self.dice.randrange(1, len(data))
                if offset < len(data):
                    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
                    self._ask("PATCH", path, {204}, headers=headers, data=data[offset:end])
                    acknowledged = end
                if end == len(data):
                    link = self._ask("HEAD", path, {200}, headers=TUS).headers["Link"]
                    self._taken([{"id": link.split("/")[3].split(">")[0], "state": "queued"}], [data])
                    return
            self.stopping.wait(0.3)

    def cancel(self) -> None:
        if job_id := self._one():
            response = self._ask("POST", f"/api/jobs/{job_id}/cancel", {200, 404, 409})
            if response.status_code == 200:
                self.ledger.heard(response.json())
                self.ledger.counts["cancelled"] += 1

    def delete(self) -> None:
        if self.dice.random() < 0.5 and (job_id := self._one()):
            self.ledger.doubtful.add(job_id)
            self._ask("DELETE", f"/api/jobs/{job_id}", {204, 404})
            self.ledger.deleted.add(job_id)
            self.ledger.counts["deleted"] += 1

    def look(self) -> None:
        job_id = self._one()
        if job_id and job_id not in self.ledger.doubtful:
            self.ledger.heard(self._json("GET", f"/api/jobs/{job_id}", {200}))

    def watch(self) -> None:
        """Server-Sent Events for a while: ``seq`` rises, and after an end comes nothing."""
        if not (job_id := self._one()) or job_id in self.ledger.doubtful:
            return
        seq, has_ended = 0, False
        with requests.get(f"{self.gateway.url}/api/jobs/{job_id}/events", stream=True, timeout=(3, 3)) as response:
            for line in response.iter_lines():
                if line.startswith(b"data:"):
                    job = json.loads(line[5:])
                    assert not has_ended, "something came after the end"
                    assert job["seq"] > seq, f"seq {job['seq']} came after {seq}"
                    seq, has_ended = job["seq"], job["state"] in ENDED
                    self.ledger.heard(job)
                if self.stopping.is_set():
                    return
        self.ledger.counts["watched"] += 1

    def _one(self) -> str | None:
        return self.dice.choice(self.mine[-12:]) if self.mine else None

    def _taken(self, jobs: list[dict[str, Any]], images: list[bytes]) -> None:
        for job, data in zip(jobs, images, strict=True):
            self.ledger.accepted(job["id"], data)
            self.mine.append(job["id"])
            self.ledger.counts["uploaded"] += 1

    def _json(self, method: str, path: str, expected: set[int], **more: Any) -> dict[str, Any]:
        return dict(self._ask(method, path, expected, **more).json())

    def _ask(self, method: str, path: str, expected: set[int], **more: Any) -> requests.Response:
        response = requests.request(method, self.gateway.url + path, timeout=(3, 10), **more)
        if response.status_code in (423, 429, 502, 503):
            raise Refused(response.text)
        assert response.status_code in expected, f"{method} {path}: {response.status_code} {response.text[:300]}"
        return response


class Refused(Exception):
    """Not now: the client comes again."""


def victims(gateway: Gateway, victim: str) -> list[psutil.Process]:
    """Empty while there is none, or while one ends by itself just as it is looked at."""
    try:
        return VICTIMS[victim](gateway)
    except psutil.NoSuchProcess:
        return []


def strike(gateway: Gateway, victim: str, dice: random.Random) -> None:
    if victim == "redis emptied":
        wait_for(lambda: gateway.find("redis.sock"), 20)
        words = " ".join(gateway.find("redis.sock")[0].cmdline())
        client = redis.Redis(unix_socket_path=re.findall(r"/\S+redis\.sock", words)[0])
        client.flushall()
        client.close()
        return
    found = wait_for(lambda: victims(gateway, victim), 20, f"for a {victim}")
    hit = found if victim == "everything" else [dice.choice(found)]
    for each in hit:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGKILL)
    if victim in ("supervisor", "everything"):
        assert gateway.process is not None
        gateway.process.wait(10)
        gateway.start()


def seconds_until_converted(gateway: Gateway, since_s: float) -> float:
    data = png(64, 48)

    def upload() -> str | None:
        with contextlib.suppress(requests.RequestException):
            response = requests.post(f"{gateway.url}/api/jobs", data=data, timeout=(1, 5), headers={"X-Probe": "1"})
            if response.status_code == 202:
                return str(response.json()["id"])
        return None

    gateway.ended(wait_for(upload, RECOVERED_WITHIN_S, "for an upload to be taken"), RECOVERED_WITHIN_S)
    return time.monotonic() - since_s


@contextlib.contextmanager
def under_load(gateway: Gateway, ledger: Ledger, count: int = 4) -> Iterator[None]:
    clients = [Clients(gateway, ledger, SEED * 100 + number) for number in range(count)]
    for each in clients:
        each.start()
    try:
        yield
    finally:
        for each in clients:
            each.stopping.set()
        for each in clients:
            each.join()
    for each in clients:
        if each.failure is not None:
            raise each.failure


def check_everything(gateway: Gateway, ledger: Ledger) -> None:
    expected: dict[bytes, bytes] = {}
    for job_id, data in ledger.sources.items():
        if job_id in ledger.deleted:
            assert requests.get(f"{gateway.url}/api/jobs/{job_id}", timeout=10).status_code == 404, f"{job_id} was deleted and is there"
            continue
        if job_id in ledger.doubtful:
            continue
        job = gateway.ended(job_id, 120)
        ledger.heard(job)
        assert job["state"] in ("succeeded", "cancelled"), f"job {job_id} ended as {job['state']}: {job['error']}"
        source = requests.get(f"{gateway.url}/api/jobs/{job_id}/source", timeout=10)
        assert hashlib.sha256(source.content).digest() == hashlib.sha256(data).digest()
        if job["state"] == "succeeded":
            result = gateway.result(job_id)
            assert hashlib.sha256(result).hexdigest() == job["result"]["sha256"]
            if data not in expected:
                expected[data] = result
                with Image.open(io.BytesIO(result)) as image:
                    image.load()
            assert result == expected[data]


def test_whatever_is_killed_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    dice, ledger, times = random.Random(SEED), Ledger(), dict[str, list[float]]()
    gateway = Gateway(tmp_path / "data", **SETTINGS)
    gateway.start()
    try:
        ends_s = time.monotonic() + 60 * MINUTES
        for number in range(ROUNDS):
            if time.monotonic() > ends_s:
                break
            victim = dice.choice(list(VICTIMS))
            with under_load(gateway, ledger):
                time.sleep(0.2 + dice.random())  # the load itself; the kill is to come at any moment of it
                begun = time.monotonic()
                strike(gateway, victim, dice)
                times.setdefault(victim, []).append(seconds_until_converted(gateway, begun))
            print(f"round {number}: {victim}, {times[victim][-1]:.2f} s, {len(ledger.sources)} jobs", flush=True)
            if number % 10 == 9:
                check_everything(gateway, ledger)
        check_everything(gateway, ledger)
        wait_for(lambda: gateway.health()["status"] == "ok", 20)
        wait_for(lambda: gateway.health()["queue"] == {"queued": 0, "running": 0}, 20)
    finally:
        if gateway.process is not None:
            gateway.stop()
        report(times, ledger)


def report(times: dict[str, list[float]], ledger: Ledger) -> None:
    every = sorted(each for one in times.values() for each in one)
    if not every:
        return
    print(f"\n{len(every)} kills, {len(ledger.sources)} jobs acknowledged, {dict(ledger.counts)}; seconds until a new image was converted:")
    for name, found in [*sorted(times.items()), ("all", every)]:
        ordered = sorted(found)
        print(f"{name:18} n={len(ordered):3} p50 {_share(ordered, 0.5):.2f} p99 {_share(ordered, 0.99):.2f} max {ordered[-1]:.2f}")


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
