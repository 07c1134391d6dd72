"""Workers, encoders, Redis and receivers are killed at random while webhooks are on their way: each end is told at least once, under one id.

``WEBHOOK_DELIVERIES`` says how many ends are promised (2000), ``WEBHOOK_KILLS`` how many processes are killed meanwhile (500), ``WEBHOOK_MINUTES``
for how long at most (40), ``WEBHOOK_SEED`` which. There are two receivers, in Python and in Node, each with its ``standardwebhooks`` library.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from backend.core import webhooks
from tests.conftest import missing
from tests.support.running import ROOT, Gateway, free_port, running, wait_for
from tests.system.faults.pictures import png
from tests.system.faults.test_kill_rounds import strike

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
DELIVERIES = int(os.environ.get("WEBHOOK_DELIVERIES", "2000"))
KILLS = int(os.environ.get("WEBHOOK_KILLS", "500"))
MINUTES = float(os.environ.get("WEBHOOK_MINUTES", "40"))
SEED = int(os.environ.get("WEBHOOK_SEED", "1"))
SECRET = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
LATEST_S = 420.0
"""Longer than the scan that finds ends without a record (``maintenance.RESCAN_EVERY_S``), and a lease."""
CLIENTS = 4
VICTIMS = ("gateway worker", "encoder", "redis", "redis emptied", "python", "node")
SETTINGS = {
    "GUNICORN_WORKERS": "3",
    "GATEWAY_ENCODERS": "2",
    "GATEWAY_WEBHOOK_SECRET": SECRET,
    "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "GATEWAY_WEBHOOK_TIMEOUT_S": "2",
    "GATEWAY_WEBHOOK_PAUSES_S": ",".join(["0", "1", "1", "2", "2", *["5"] * 40]),
}


@dataclass
class ReceiverProcess:
    """Killed and started again; what it wrote stays."""

    name: str
    file: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        script = str(ROOT / "tests" / "page" / "support" / "webhook-receiver.mjs")
        node = shutil.which("node") or missing("Node is not installed")
        program = [sys.executable, "-m", "tests.support.receiver_process"] if self.name == "python" else [node, script]
        self.process = subprocess.Popen([*program, str(self.port), str(self.file), SECRET], cwd=ROOT)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


@dataclass
class Promises:
    """What a ``2xx`` acknowledged: which subjects have a receiver, and what may be told of them."""

    subjects: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def made(self, subject: str, url: str, kind: str) -> None:
        with self.lock:
            self.subjects[subject] = url
            self.counts[kind] += 1


class Client(threading.Thread):
    """Sends images with a webhook, one in ``pace_s`` seconds on average, until ``most`` are promised; cancels and deletes some of them."""

    def __init__(self, gateway: Gateway, receivers: list[ReceiverProcess], promises: Promises, most: int, pace_s: float, seed: int) -> None:
        super().__init__()
        self.gateway, self.receivers, self.promises, self.dice = gateway, receivers, promises, random.Random(seed)
        self.most, self.pace_s = most, pace_s
        self.is_stopped = threading.Event()

    def run(self) -> None:
        while len(self.promises.subjects) < self.most and not self.is_stopped.is_set():
            self.is_stopped.wait(2 * self.pace_s * self.dice.random())
            try:
                self.send()
            except requests.RequestException:
                self.promises.counts["unanswered"] += 1
                self.is_stopped.wait(0.2)

    def send(self) -> None:
        url = self.dice.choice(self.receivers).url
        images = [png(20 + self.dice.randrange(60), 20 + self.dice.randrange(60)) for _ in range(self.dice.choice([1, 1, 1, 1, 3]))]
        if self.dice.random() < 0.05:
            images = [images[0][:60]]
        files = [("file", (f"{number}.png", data)) for number, data in enumerate(images)]
        response = requests.post(f"{self.gateway.url}/api/jobs", files=files, data={"webhook_url": url}, timeout=(3, 15))
        if response.status_code != 202:
            self.promises.counts[f"refused {response.status_code}"] += 1
            self.is_stopped.wait(0.2)
            return
        made = response.json()
        self.promises.made(made["id"], url, "batches" if "jobs" in made else "jobs")
        job = made["jobs"][0]["id"] if "jobs" in made else made["id"]
        if self.dice.random() < 0.1:
            method, path = self.dice.choice([("DELETE", ""), ("POST", "/cancel")])
            requests.request(method, f"{self.gateway.url}/api/jobs/{job}{path}", timeout=(3, 15))


@contextmanager
def receiving(folder: Path) -> Iterator[list[ReceiverProcess]]:
    receivers = [ReceiverProcess(name, folder / f"{name}.jsonl") for name in ("python", "node")]
    for each in receivers:
        each.start()
    try:
        yield receivers
    finally:
        for each in receivers:
            each.kill()


@contextmanager
def sending(gateway: Gateway, receivers: list[ReceiverProcess], promises: Promises, most: int, seconds: float) -> Iterator[list[Client]]:
    """Nearly as long as the kills go on, so that something is always on its way."""
    clients = [Client(gateway, receivers, promises, most, 0.6 * CLIENTS * seconds / most, SEED * 100 + number) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        for each in clients:
            each.is_stopped.set()
        for each in clients:
            each.join()


def kill(gateway: Gateway, receivers: list[ReceiverProcess], victim: str, dice: random.Random) -> None:
    for each in receivers:
        if each.name == victim:
            each.kill()
            time.sleep(dice.random())  # the time for which it is away
            each.start()
            return
    strike(gateway, victim, dice)


def told(receivers: list[ReceiverProcess]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in receivers:
        for line in each.lines():
            found.setdefault(line["subject"], []).append(line)
    return found


def check(promises: Promises, receivers: list[ReceiverProcess]) -> None:
    """Every promise was kept, and everything that came is genuine, of the right kind, and under the event's own id."""
    heard = told(receivers)
    assert set(promises.subjects) <= set(heard)
    for subject, lines in heard.items():
        assert all(each["is_genuine"] for each in lines)
        assert len({(each["id"], each["type"]) for each in lines}) == 1, f"{subject} ended twice: {lines}"
        assert lines[0]["id"] == webhooks.delivery_id(lines[0]["type"], subject)


def run(folder: Path, deliveries: int, kills: int, seconds: float) -> None:
    dice, promises, killed = random.Random(SEED), Promises(), Counter[str]()
    with receiving(folder) as receivers, running(folder / "data", **SETTINGS) as gateway:
        ends_s = time.monotonic() + seconds
        with sending(gateway, receivers, promises, deliveries, seconds) as clients:
            while sum(killed.values()) < kills and time.monotonic() < ends_s:
                victim = dice.choice(VICTIMS)
                kill(gateway, receivers, victim, dice)
                killed[victim] += 1
                time.sleep(seconds / kills * dice.random())  # the load itself; the next kill is to come at any moment of it
            while any(each.is_alive() for each in clients) and time.monotonic() < ends_s:
                time.sleep(0.1)
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(report, promises, receivers, killed)
            wait_for(lambda: set(promises.subjects) <= set(told(receivers)), LATEST_S, "for the last to be told")
            print(f"\nthe last was told {time.monotonic() - begun:.0f} s after the last kill")
        check(promises, receivers)


def report(promises: Promises, receivers: list[ReceiverProcess], killed: Counter[str]) -> None:
    heard = told(receivers)
    missed, kinds = set(promises.subjects) - set(heard), Counter(lines[0]["type"] for lines in heard.values())
    by_language = {each.name: len(each.lines()) for each in receivers}
    print(f"\n{sum(killed.values())} kills {dict(killed)}; promised {len(promises.subjects)}: {dict(promises.counts)}")
    print(f"told {len(heard)} ends {dict(kinds)} in {sum(by_language.values())} messages {by_language}")
    print(f"told more than once: {sum(len(lines) > 1 for lines in heard.values())}; missed: {len(missed)} {sorted(missed)[:5]}")


def test_some_kills_cost_no_end(tmp_path: Path) -> None:
    """The same in short, for every day."""
    run(tmp_path, deliveries=40, kills=6, seconds=6)


@pytest.mark.slow
def test_whatever_is_killed_each_end_is_told(tmp_path: Path) -> None:
    run(tmp_path, DELIVERIES, KILLS, 60 * MINUTES)
