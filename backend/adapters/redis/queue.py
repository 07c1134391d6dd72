"""The fair queue in Redis."""

from __future__ import annotations

from typing import Any

from backend import errors
from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import job_arguments, milliseconds
from backend.adapters.redis.scripts import Scripts
from backend.core import tally
from backend.core.job import Job, Manifest, Status
from backend.core.protocol import NEWEST
from backend.core.records import as_json
from backend.ports.queue import Claim, OnlyNewer

QUEUE_IS_FULL, HAS_DUPLICATES, SHARE_IS_USED = -1, -2, -3
"""What the scripts answer instead of a status."""
NEEDS_NEWER = 1
"""What ``take`` answers instead of a job."""
JOBS_RETRY_S = 5
"""When it pays to try again once a client has its share of jobs: a few of them have ended by then."""


class RedisJobQueue:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def enqueue(self, job: Job, *, limit: int | None, share: int | None = None) -> Job:
        return job.at(Status.from_json(self._enqueue(job, limit, share)))

    def submit(self, job: Job, *, limit: int | None, share: int | None = None) -> Job | None:
        answer = self._enqueue(job, limit, share, "unless duplicate")
        return None if answer == HAS_DUPLICATES else job.at(Status.from_json(answer))

    def _enqueue(self, job: Job, limit: int | None, share: int | None, *only_if: str) -> Any:
        answer = self._scripts.run("enqueue", *job_arguments(job), *bounds(limit, share), as_json(tally.of_created(job)), *only_if)
        raise_refusal(answer, limit, share)
        return answer

    def take(self, token: str, lease_s: float) -> Claim | None:
        found = self._scripts.run("take", token, milliseconds(lease_s), NEWEST)
        if found == NEEDS_NEWER:
            raise OnlyNewer()
        return _claim(found, token)

    def is_express_called(self, within_s: float) -> bool:
        with translate_errors():
            return self._scripts.client.brpop([self._scripts.key("express")], within_s) is not None

    def take_express(self, token: str, lease_s: float) -> Claim | None:
        return _claim(self._scripts.run("take_express", token, milliseconds(lease_s), NEWEST), token)

    def requeue(self, job_id: str, *, only_paused: bool = False) -> int:
        return int(self._scripts.run("requeue", job_id, *(["paused"] if only_paused else [])))

    def top_up_tickets(self) -> int:
        return int(self._scripts.run("top_up_tickets"))

    def depth(self) -> int:
        with translate_errors():
            return self._scripts.client.zcard(self._scripts.key("queue"))

    def publish_positions(self) -> int:
        return int(self._scripts.run("publish_positions"))


def _claim(found: Any, token: str) -> Claim | None:
    if not found:
        return None
    manifest, status, duplicates, listeners, waiting, encoders = found
    return Claim(Job(Manifest.from_json(manifest), Status.from_json(status)), token, tuple(duplicates), listeners, waiting, encoders)


def bounds(limit: int | None, share: int | None) -> tuple[int | str, int | str]:
    """As the scripts take them: '' for none."""
    return "" if limit is None else limit, "" if share is None else share


def raise_refusal(answer: Any, limit: int | None, share: int | None) -> None:
    """Raises ``QueueFull``, ``QuotaExceeded``."""
    if answer == QUEUE_IS_FULL:
        raise errors.QueueFull(limit=limit, retry_after_s=1)
    if answer == SHARE_IS_USED:
        raise errors.QuotaExceeded("jobs", limit=share, retry_after_s=JOBS_RETRY_S)
