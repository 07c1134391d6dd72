"""A good client beside an attack: asks an address again and again, from a process of its own, and prints what the answers took.

    python -m tests.support.health_probe http://127.0.0.1:5000/api/health 10

prints one line of JSON: count, failed, and the milliseconds at the median, the 99th percentile and the worst. Each question has a new connection.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

EVERY_S = 0.02
ROOT = Path(__file__).resolve().parents[2]


class Latencies(TypedDict):
    count: int
    failed: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


def ask(url: str) -> int:
    """The status. Raises ``OSError`` or ``HTTPException``."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def measure(url: str, seconds: float) -> Latencies:
    taken_ms, failed, end_s = [], 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        begun_s = time.monotonic()
        try:
            failed += ask(url) != 200
        except (OSError, http.client.HTTPException):
            failed += 1
        taken_ms.append((time.monotonic() - begun_s) * 1000)
        time.sleep(EVERY_S)
    return latencies(taken_ms, failed)


def latencies(taken_ms: list[float], failed: int) -> Latencies:
    ordered = sorted(taken_ms)
    at = [round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) for share in (0.5, 0.99, 1.0)]
    return Latencies(count=len(ordered), failed=failed, p50_ms=at[0], p99_ms=at[1], worst_ms=at[2])


class Probe:
    """The measurement in its own process: begin it before the attack, and ask for ``result`` at the end."""

    def __init__(self, url: str, seconds: float) -> None:
        command = [sys.executable, "-m", "tests.support.health_probe", url, str(seconds)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def result(self) -> Latencies:
        said, _ = self._process.communicate()
        found: Latencies = json.loads(said)
        return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], float(sys.argv[2]))))
