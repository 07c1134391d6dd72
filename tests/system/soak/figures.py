"""What must not grow while a gateway runs, and how much it grew."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import redis

from tests.support.running import Gateway
from tests.system.ops.processes import workers

MIB = 1 << 20
MAY_GROW = {"worker_mib": 32.0, "other_mib": 32.0, "descriptors": 12.0, "processes": 1.0, "keys": 40.0, "redis_mib": 3.0, "inodes": 40.0}
"""From the first pause, when all is warm, to the last. At a pause nobody sends, and what was sent has expired. What differs then: pools of
connections and of codec children, the hours that Redis counts by, and memory that Python keeps."""


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
    inodes = sum(1 for each in gateway.data_dir.rglob("*") if each.is_file())
    return Figures(memory[True], memory[False], descriptors, processes, int(server.dbsize()), told["used_memory"] / MIB, inodes)  # type: ignore[arg-type]


def growth(first: Figures, last: Figures) -> dict[str, float]:
    """Of each figure."""
    before, after = asdict(first), asdict(last)
    return {name: round(after[name] - before[name], 1) for name in MAY_GROW}
