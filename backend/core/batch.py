"""A batch: several jobs that came in one request, seen as one. It has no state of its own; everything follows from its jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.core import records
from backend.core.job import Job
from backend.core.public_job import DELIVERIES, public
from backend.core.reader import Reader
from backend.core.times import rfc3339


@dataclass(frozen=True, slots=True)
class Batch:
    id: str
    jobs: tuple[str, ...]
    created_at: float
    expires_at: float
    owner: str = ""

    def to_json(self) -> str:
        return records.as_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Batch:
        record = json.loads(text)
        return records.read(cls, record, jobs=tuple(record["jobs"]))


def has_ended(jobs: Sequence[Job]) -> bool:
    return all(job.status.has_ended for job in jobs)


def seq(jobs: Sequence[Job]) -> int:
    """Grows with every change of any of the jobs."""
    return sum(job.status.seq for job in jobs)


def progress(jobs: Sequence[Job]) -> int:
    """Over the whole batch, each job counting by its pixels, so that the bar moves evenly; 100 only when all have ended."""
    if has_ended(jobs):
        return 100
    weights = [max(1, job.manifest.source.shape.pixels) for job in jobs]
    done = [100 if job.status.has_ended else job.status.progress for job in jobs]
    return min(99, sum(weight * percent for weight, percent in zip(weights, done, strict=True)) // sum(weights))


def public_batch(batch: Batch, jobs: Sequence[Job], reader: Reader, *, lists_jobs: bool = True) -> dict[str, Any]:
    """The contract's Batch. Jobs that were deleted are no longer listed, nor counted. Unless ``lists_jobs``, they are counted only."""
    states = [job.status.state for job in jobs]
    own = reader.path(f"/api/batches/{batch.id}")
    links = {"self": own, "events": f"{own}/events", "archive": f"{own}/archive.zip", "cancel": f"{own}/cancel"}
    if any(job.manifest.webhook_url for job in jobs):
        links["deliveries"] = reader.path(f"{DELIVERIES}?batch={batch.id}")
    return {
        "id": batch.id,
        "total": len(jobs),
        **{state: states.count(state) for state in ("succeeded", "failed", "cancelled")},
        "progress": progress(jobs),
        "seq": seq(jobs),
        "jobs": [public(job, reader) for job in jobs] if lists_jobs else [],
        "created_at": rfc3339(batch.created_at),
        "expires_at": rfc3339(batch.expires_at),
        "links": links,
    }
