"""What must not grow while a gateway runs, and how much it grew."""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy
import psutil
import redis

from tests.support.running import Gateway
from tests.system.ops.processes import workers

MIB = 1 << 20
MAY_GROW = {"worker_mib": 24.0, "other_mib": 24.0, "descriptors": 40.0, "processes": 3.0, "keys": 150.0, "redis_mib": 4.0, "inodes": 150.0}
"""By the straight line through the samples of the second half, from its begin to its end. What is in flight varies from one sample to the next by
about so much; a leak of one in a hundred requests is far above it within ten minutes."""


@dataclass(frozen=True, slots=True)
class Figures:
    worker_mib: float
    other_mib: float
    descriptors: int
    processes: int
    keys: int
    redis_mib: float
    inodes: int


def figures_of(gateway: Gateway, server: redis.Redis) -> Figures:
    serving = {each.pid for each in workers(gateway)}
    memory = {True: 0.0, False: 0.0}
    descriptors = processes = 0
    for each in gateway.family():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            memory[each.pid in serving] += each.memory_full_info().pss / MIB
            descriptors += each.num_fds()
            processes += 1
    told: dict[str, Any] = server.info("memory")  # type: ignore[assignment]
    inodes = sum(1 for _ in gateway.data_dir.rglob("*"))
    return Figures(memory[True], memory[False], descriptors, processes, int(server.dbsize()), told["used_memory"] / MIB, inodes)  # type: ignore[arg-type]


class Samples:
    def __init__(self) -> None:
        self._taken: list[tuple[float, Figures]] = []

    def take(self, gateway: Gateway, server: redis.Redis) -> Figures:
        seen = figures_of(gateway, server)
        self._taken.append((time.monotonic(), seen))
        return seen

    def growth(self) -> dict[str, float]:
        """Of each figure within the second half."""
        half = self._taken[len(self._taken) // 2 :]
        times = numpy.array([when for when, _ in half])
        columns = {name: numpy.array([float(asdict(seen)[name]) for _, seen in half]) for name in MAY_GROW}
        return {name: round(float(numpy.polyfit(times, values, 1)[0] * (times[-1] - times[0])), 1) for name, values in columns.items()}
