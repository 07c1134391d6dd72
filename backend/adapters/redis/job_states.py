"""The state and the log of each job, in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import conversion_ms, job_arguments
from backend.adapters.redis.scripts import Scripts
from backend.core import tally
from backend.core.job import Job, Manifest, Status
from backend.core.records import as_json

LEFT_ALONE = -2
"""What ``end`` answers instead of a status when a condition kept it from ending the job."""


class RedisJobStates:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def find(self, job_id: str) -> Job | None:
        with translate_errors():
            manifest, status = self._scripts.client.hmget(self._scripts.key(f"job:{job_id}"), "manifest", "status")
        if not manifest or not status:
            return None
        return Job(Manifest.from_json(manifest), Status.from_json(status))

    def unknown(self, ids: Sequence[str]) -> list[str]:
        return list(self._scripts.run("unknown", *ids)) if ids else []

    def changes_since(self, job_id: str, seq: int) -> list[Status] | None:
        with translate_errors():
            entries = cast(list[str], self._scripts.client.lrange(self._scripts.key(f"log:{job_id}"), 0, -1))
        statuses = [Status.from_json(each) for each in entries]
        if not statuses or statuses[0].seq > seq + 1:
            return None
        return [each for each in statuses if each.seq > seq]

    def end(self, job: Job) -> Job:
        return job.at(Status.from_json(self._end(job)))

    def end_alone(self, job: Job) -> Job | None:
        answer = self._end(job, "known" if job.manifest.is_ephemeral else "alone")
        return None if answer == LEFT_ALONE else job.at(Status.from_json(answer))

    def _end(self, job: Job, *only_if: str) -> Any:
        amounts = map(as_json, (tally.of_end(job), tally.of_created(job), tally.of_pace(job)))
        return self._scripts.run("end", *job_arguments(job), conversion_ms(job.status), *amounts, *only_if)

    def restore(self, job: Job, margin: int) -> Job:
        return job.at(Status.from_json(self._scripts.run("restore", *job_arguments(job), margin)))

    def forget(self, job_id: str) -> None:
        self._scripts.run("forget", job_id)

    def followers(self, job_id: str) -> list[Job]:
        with translate_errors():
            ids = cast(set[str], self._scripts.client.smembers(self._scripts.key(f"twins:{job_id}")))
        found = (self.find(each) for each in sorted(ids))
        return [job for job in found if job is not None and job.status.state == "running"]

    def completed_duplicates(self, work_key: str) -> list[str]:
        if not work_key:
            return []
        with translate_errors():
            return cast(list[str], self._scripts.client.zrevrange(self._scripts.key(f"same:{work_key}"), 0, 7))
