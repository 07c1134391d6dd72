"""Random faults in batches under load, and how long the cluster needs when each has passed."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import redis

from tests.system.hosts.cluster import Cluster
from tests.system.hosts.faults import Fault, begin_and_end, possible
from tests.system.hosts.judge import Verdict, erase, judge
from tests.system.hosts.ledger import Acknowledged, Ledger
from tests.system.hosts.load import Load

LASTS_S = (1.0, 6.0)
TWO_AT_ONCE = 0.25
GIVEN_UP_S = 120.0
"""A job that has not ended so long after the fault has passed counts as lost."""
SLOW_S = 8.0
BATCH = 20
ENCODERS = 4
COST_S = {160 * 120: 0.02, 320 * 240: 0.03, 640 * 480: 0.08, 800 * 600: 0.12, 1600 * 1200: 0.5, 2400 * 1800: 1.1}
"""What each image costs an encoder that has a core for itself, and its round trips."""


@dataclass
class Recovery:
    faults: list[str]
    seconds: float
    waited_for: int
    served_s: float
    slow: list[str] = field(default_factory=list)


@dataclass
class Run:
    cluster: Cluster
    load: Load
    seed: int
    log: Path
    verdict: Verdict = field(default_factory=Verdict)
    recoveries: list[Recovery] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    not_possible: list[str] = field(default_factory=list)
    """What the test itself could not do."""
    _judged: list[Acknowledged] = field(default_factory=list)

    @cached_property
    def kinds(self) -> tuple[Fault, ...]:
        return possible(self.cluster)

    @property
    def ledger(self) -> Ledger:
        return self.load.ledger

    def faults(self, total: int) -> None:
        """So many, in batches; each batch is judged before the next begins."""
        chance = random.Random(self.seed)
        while (left := total - sum(self.counts.values())) > 0:
            self.batch(min(BATCH, left), chance)

    def batch(self, total: int, chance: random.Random) -> None:
        while total > 0:
            now = _draw(self.kinds, self.counts, chance, 2 if total > 1 and chance.random() < TWO_AT_ONCE else 1)
            total -= len(now)
            self.one(now, chance)
        self.settle()

    def one(self, faults: list[Fault], chance: random.Random) -> None:
        names = [each.name for each in faults]
        self.counts.update(names)
        self.write({"begins": names})
        try:
            passed = begin_and_end(self.cluster, faults, chance, chance.uniform(*LASTS_S))
        except (OSError, AssertionError, redis.RedisError, subprocess.SubprocessError) as error:
            self.not_possible.append(f"{names}: {error!r}"[:300])
            self.write({"not possible": self.not_possible[-1]})
            return
        recovery = self.recover(names, passed)
        self.recoveries.append(recovery)
        self.write(vars(recovery))

    def recover(self, names: list[str], passed: float) -> Recovery:
        """Wait for what was acknowledged before the fault had passed, and for the next acknowledgement."""
        before = [each for each in self.ledger.unended() if each.at <= passed and not each.is_given_up]
        cost_s = sum(COST_S.get(each.sent.like[0] * each.sent.like[1], 0.0) for each in before) / ENCODERS
        limit = passed + GIVEN_UP_S
        while time.monotonic() < limit and (any(each.end is None for each in before) or self.ledger.last_acknowledged < passed):
            time.sleep(0.02)
        for each in before:
            each.is_given_up = each.end is None
        ended = max((each.ended_at or limit for each in before), default=passed)
        served_s = (self.ledger.acknowledged_after(passed) or limit) - passed
        slow = [f"{each.id} ({each.by}): {(each.ended_at or limit) - passed:.1f} s" for each in before if (each.ended_at or limit) > passed + SLOW_S]
        return Recovery(names, max(0.0, ended - passed - cost_s), len(before), served_s, slow)

    def settle(self) -> None:
        """Send nothing, wait until all has ended, and judge it."""
        self.load.pause()
        deadline = time.monotonic() + GIVEN_UP_S
        while not self.load.is_quiet() and time.monotonic() < deadline:
            time.sleep(0.05)
        jobs = [each for each in list(self.ledger.jobs.values()) if each not in self._judged]
        verdict = judge(self.cluster, self.ledger, jobs)
        self.verdict.add(verdict)
        self.write({"judged": vars(verdict), "refused": self.ledger.refused})
        erase(self.cluster, self._judged)
        self.ledger.forget(self._judged)
        for each in jobs:
            self.ledger.open.pop(each.id, None)
        self._judged = jobs
        self.load.go_on()

    def write(self, line: dict[str, object]) -> None:
        with self.log.open("a") as file:
            file.write(json.dumps({"at": time.strftime("%H:%M:%S"), **line}, ensure_ascii=False) + "\n")

    def recovery_s(self, percent: float) -> float:
        found = sorted(each.seconds for each in self.recoveries)
        return found[min(len(found) - 1, int(len(found) * percent / 100))] if found else 0.0

    def figures(self) -> dict[str, object]:
        verdict = self.verdict
        return {
            "seed": self.seed,
            "faults": sum(self.counts.values()),
            "kinds": len(self.counts),
            "acknowledged": verdict.acknowledged,
            "converted": len(self.ledger.convert_s),
            "lost": len(verdict.lost),
            "wrong": len(verdict.wrong),
            "twice": len(verdict.twice),
            "failed": len(verdict.failed),
            "recovery_s": {"p50": self.recovery_s(50), "p99": self.recovery_s(99), "max": self.recovery_s(100)},
            "not possible": self.not_possible,
            "faults by kind": dict(self.counts),
        }


@contextmanager
def running(folder: Path, seed: int, *, s3: str = "moto", gateways: int = 1, moves_clocks: bool = True, **settings: str) -> Iterator[Run]:
    """A cluster under load. Everything of it ends with the block."""
    cluster = Cluster(folder, s3=s3, gateways=gateways, moves_clocks=moves_clocks, **settings)
    try:
        cluster.start()
        with cluster.clients.network(), Load(cluster.urls, seed) as load:
            yield Run(cluster, load, seed, folder / "run.jsonl")
    finally:
        cluster.stop()


def _draw(kinds: tuple[Fault, ...], counts: Counter[str], chance: random.Random, number: int) -> list[Fault]:
    """Rather those that were seldom; no two of one part."""
    drawn: list[Fault] = []
    while len(drawn) < number:
        parts = {part for each in drawn for part in each.part.split()}
        free = [each for each in kinds if not parts & set(each.part.split())]
        least = min(counts[each.name] for each in free)
        drawn.append(chance.choice([each for each in free if counts[each.name] <= least]))
    return drawn
