"""The leases of encoders, in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import job_arguments, milliseconds
from backend.adapters.redis.scripts import Scripts
from backend.core import tally
from backend.core.records import as_json
from backend.ports.leases import ReportAck
from backend.ports.queue import Claim


class RedisLeases:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        seq, listeners = self._scripts.run("report", job_id, token, milliseconds(lease_s), as_json(patch) if patch else "")
        return None if seq < 0 else ReportAck(seq, listeners)

    def announce_watcher(self, job_id: str) -> None:
        self._scripts.run("announce_watcher", job_id)

    def readopt(self, claim: Claim, lease_s: float) -> bool:
        created = as_json(tally.of_created(claim.job))
        return bool(self._scripts.run("readopt", *job_arguments(claim.job), claim.token, milliseconds(lease_s), created))

    def pause(self, job_id: str, token: str, pauses_s: Sequence[float], *, died: int = 0) -> int | None:
        deaths = int(self._scripts.run("pause", job_id, token, as_json([milliseconds(each) for each in pauses_s]), died))
        return None if deaths < 0 else deaths

    def acquit(self, job_id: str, token: str) -> None:
        self._scripts.run("acquit", job_id, token)

    def expired(self) -> list[str]:
        return expired_in(self._scripts, "running")

    def count(self) -> int:
        with translate_errors():
            return self._scripts.client.zcard(self._scripts.key("running"))


def expired_in(scripts: Scripts, name: str) -> list[str]:
    """The ids in a set of leases that have run out, by the server's clock."""
    with translate_errors():
        seconds, micros = scripts.client.time()
        return cast(list[str], scripts.client.zrangebyscore(scripts.key(name), "-inf", seconds * 1000 + micros // 1000))
