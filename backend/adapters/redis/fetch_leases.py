"""The leases of gateways on the jobs whose source they fetch, in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from backend.adapters.redis.job_arguments import job_arguments, milliseconds
from backend.adapters.redis.leases import expired_in
from backend.adapters.redis.queue import bounds, raise_refusal
from backend.adapters.redis.scripts import Scripts
from backend.core import tally
from backend.core.job import Job, Status
from backend.core.records import as_json


class RedisFetchLeases:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def reserve(self, job: Job, token: str, lease_s: float, *, limit: int | None, share: int | None = None, begun: int = 0) -> Job:
        created, lease = as_json(tally.of_created(job)), (token, milliseconds(lease_s), begun)
        answer = self._scripts.run("reserve", *job_arguments(job), *bounds(limit, share), created, *lease)
        raise_refusal(answer, limit, share)
        return job.at(Status.from_json(answer))

    def begin(self, job_id: str, token: str, lease_s: float) -> bool | None:
        answer = int(self._scripts.run("begin_fetch", job_id, token, milliseconds(lease_s)))
        return None if answer < 0 else bool(answer)

    def renew(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        answer = int(self._scripts.run("renew_fetch_lease", job_id, token, milliseconds(lease_s), percent))
        return None if answer < 0 else bool(answer)

    def expired(self) -> list[str]:
        return expired_in(self._scripts, "fetching")

    def take_over(self, job_id: str, token: str, lease_s: float) -> int | None:
        begun = int(self._scripts.run("take_over_fetch", job_id, token, milliseconds(lease_s)))
        return None if begun < 0 else begun

    def hand_back(self, job_id: str, token: str, most: int) -> None:
        self._scripts.run("hand_back_fetch", job_id, token, most)

    def pause(self, job_id: str, token: str, pauses_s: Sequence[float]) -> None:
        self._scripts.run("pause_fetch", job_id, token, as_json([milliseconds(each) for each in pauses_s]))

    def attach_source(self, job: Job) -> Job:
        created = {**tally.of_created(job), tally.UPLOAD_BYTES: 0}
        attached = {tally.UPLOAD_BYTES: job.manifest.source.bytes}
        return job.at(Status.from_json(self._scripts.run("attach_source", *job_arguments(job), as_json(created), as_json(attached))))
