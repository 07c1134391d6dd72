"""What the gateway has acknowledged, and what was seen of it since."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.running import ENDED
from tests.system.hosts.pictures import Sent

SAME_MOMENT_S = 0.002


@dataclass
class Acknowledged:
    id: str
    sent: Sent
    by: str
    at: float
    end: dict[str, Any] | None = None
    ended_at: float = 0.0
    unknown_since: float = 0.0
    is_given_up: bool = False
    """It was waited for once, in vain."""
    watched: list[list[str]] = field(default_factory=list)
    """For each watcher the ends that it was told."""


class Ledger:
    """Shared by all clients. Times are ``time.monotonic()``."""

    def __init__(self) -> None:
        self.jobs: dict[str, Acknowledged] = {}
        self.open: dict[str, Acknowledged] = {}
        self.convert_s: list[float] = []
        self.refused: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.last_acknowledged = 0.0
        self._lock = threading.Lock()

    def acknowledge(self, job_id: str, sent: Sent, by: str) -> Acknowledged:
        with self._lock:
            known = self.jobs.get(job_id)
            if known is not None:  # the answer to a request that was sent again
                return known
            self.last_acknowledged = time.monotonic()
            job = self.jobs[job_id] = self.open[job_id] = Acknowledged(job_id, sent, by, self.last_acknowledged)
            return job

    def see(self, job: dict[str, Any]) -> None:
        """What any client was shown of a job."""
        with self._lock:
            known = self.jobs.get(job["id"])
            if known is None:
                return
            known.unknown_since = 0.0
            if job["state"] not in ENDED:
                if known.end is not None and job["seq"] > known.end["seq"]:
                    self.wrong.append(f"{known.id} had ended as {known.end['state']}, and is {job['state']} again")
                return
            if known.end is None:
                known.end, known.ended_at = job, time.monotonic()
                self.open.pop(known.id, None)
            elif not is_same_end(known.end, job):
                self.wrong.append(f"{known.id} ended twice: {what_ended(known.end)}, then {what_ended(job)}")

    def note(self, wrong: str) -> None:
        with self._lock:
            self.wrong.append(wrong)

    def refuse(self, what: str) -> None:
        with self._lock:
            self.refused[what] += 1

    def acknowledged_after(self, moment: float) -> float | None:
        """When the first job after ``moment`` was acknowledged."""
        with self._lock:
            return min((each.at for each in self.jobs.values() if each.at > moment), default=None)

    def unended(self) -> list[Acknowledged]:
        with self._lock:
            return list(self.open.values())

    def forget(self, jobs: list[Acknowledged]) -> None:
        with self._lock:
            for each in jobs:
                self.jobs.pop(each.id, None)


def what_ended(job: dict[str, Any]) -> tuple[object, ...]:
    """What must never change of an end."""
    result, error = job.get("result") or {}, job.get("error") or {}
    return job["state"], result.get("sha256"), error.get("code")


def is_same_end(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Times are shown in milliseconds, and may be rounded twice."""
    moments = [datetime.fromisoformat(each["finished_at"]).timestamp() for each in (one, other)]
    return what_ended(one) == what_ended(other) and abs(moments[0] - moments[1]) < SAME_MOMENT_S
