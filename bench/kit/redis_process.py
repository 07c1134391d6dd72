"""A Redis of the benchmark's own, and what it has cost so far."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from backend.preflight import find_redis

START_S = 10.0


@dataclass(frozen=True, slots=True)
class Cost:
    """``cpu_s``: its processor time. ``commands``: name → calls and seconds of processor time, those that scripts call included."""

    cpu_s: float
    commands: dict[str, tuple[int, float]] = field(default_factory=dict)

    def __sub__(self, other: Cost) -> Cost:
        grown = {
            name: (calls - other.commands.get(name, (0, 0.0))[0], spent - other.commands.get(name, (0, 0.0))[1])
            for name, (calls, spent) in self.commands.items()
        }
        return Cost(self.cpu_s - other.cpu_s, {name: each for name, each in grown.items() if each[0]})


class RedisProcess:
    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/redis.sock"
        words = ["--port", "0", "--unixsocket", f"{folder}/redis.sock", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self.process = subprocess.Popen([find_redis(), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        deadline = time.monotonic() + START_S
        while not self._answers() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except (redis.RedisError, OSError):
            return False

    def cost(self) -> Cost:
        told = self.client.info("cpu")
        stats = self.client.info("commandstats")
        commands = {name.removeprefix("cmdstat_"): (int(each["calls"]), float(each["usec"]) / 1e6) for name, each in stats.items()}
        return Cost(float(told["used_cpu_user_main_thread"]) + float(told["used_cpu_sys_main_thread"]), commands)

    def memory_bytes(self) -> int:
        return int(self.client.info("memory")["used_memory"])

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait()


@contextmanager
def own_redis() -> Iterator[RedisProcess]:
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as folder:
        server = RedisProcess(Path(folder))
        try:
            yield server
        finally:
            server.stop()
