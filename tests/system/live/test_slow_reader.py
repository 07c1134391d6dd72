"""A watcher that stops reading, on a worker that others watch too. The test is the encoder."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import socketio
import websocket

from tests.support.running import ROOT, free_port, wait_for

sys.path.insert(0, str(ROOT / "bench"))
from live import LEASE_S, Servers, small_image

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
JOBS, CHANGES = 20, 2000
"""32 MB of events, many times what the kernel keeps for a reader that does not read."""


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("GUNICORN_WORKERS", "1")
    started = Servers(tmp_path / "data", free_port())
    yield started
    started.stop()


class Lazy:
    """Subscribes, and reads no more until it is told to."""

    def __init__(self, url: str, ids: list[str]) -> None:
        address = f"{url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(address, timeout=30, sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
        self._expect("0")
        self.socket.send("40")
        self._expect("40")
        for number, job_id in enumerate(ids):
            self.socket.send(f'42{number}["subscribe",{json.dumps({"job": job_id})}]')
            self._expect(f"43{number}")

    def read_until(self, last: dict[str, int]) -> None:
        seen: dict[str, int] = {}
        while seen != last:
            message = self._receive()
            if message.startswith("42"):
                job: dict[str, Any] = json.loads(message[2:])[1]
                assert job["seq"] > seen.get(job["id"], 0)
                seen[job["id"]] = job["seq"]

    def _expect(self, start: str) -> None:
        while not (message := self._receive()).startswith(start):
            assert message.startswith("42")

    def _receive(self) -> str:
        while True:
            message = str(self.socket.recv())
            if message != "2":
                return message
            self.socket.send("3")


def test_who_stops_reading_costs_no_memory_slows_nobody_and_ends_at_the_newest_state(servers: Servers) -> None:
    ids = [requests.post(f"{servers.url}/api/jobs", data=small_image(), timeout=20).json()["id"] for _ in range(JOBS)]
    worker = psutil.Process(servers.processes[1].pid).children()[0]
    heard: dict[str, list[int]] = {each: [] for each in ids}
    quick = socketio.Client()
    quick.on("job", lambda job: heard[job["id"]].append(job["seq"]))
    quick.connect(servers.url, wait_timeout=20)
    lazy = Lazy(servers.url, ids)
    try:
        for job_id in ids:
            assert quick.call("subscribe", {"job": job_id}, timeout=20)["ok"]
        taken = [one for number in range(JOBS) if (one := servers.live["queue"].take(f"test-{number}", LEASE_S))]
        before = worker.memory_info().rss
        last = {}
        for change in range(CHANGES):
            for each in taken:
                reported = servers.live["leases"].report(each.job.id, each.token, {"stage": "encode", "progress": change // 25}, LEASE_S)
                last[each.job.id] = reported.seq
        wait_for(lambda: {job_id: seqs[-1] if seqs else 0 for job_id, seqs in heard.items()} == last, 30, "for the quick reader's last events")
        assert worker.memory_info().rss - before < 20 << 20
        assert all(seqs == sorted(set(seqs)) for seqs in heard.values())
        reading = threading.Thread(target=lazy.read_until, args=(last,), daemon=True)
        reading.start()
        reading.join(30)
        assert not reading.is_alive()
    finally:
        lazy.socket.shutdown()
        quick.disconnect()
