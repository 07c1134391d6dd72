"""Expiry and lists of jobs, in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.scripts import Scripts
from backend.core.index_line import IndexLine
from backend.core.job import Job, Manifest, State, Status
from backend.ports.index import ListEntry


class RedisJobIndex:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def add(self, lines: Sequence[IndexLine]) -> None:
        if not lines:
            return
        key = self._scripts.key
        with translate_errors(), self._scripts.client.pipeline(transaction=False) as pipe:
            pipe.zadd(key("expiry"), {each.id: each.expires_at for each in lines})
            for each in lines:
                if each.lister:
                    pipe.hset(key("listers"), each.id, each.lister)
                    pipe.zadd(key(f"listed:{each.lister}"), {each.id: each.created_at})
            pipe.execute()

    def missing(self, ids: Sequence[str]) -> set[str]:
        return set(self._scripts.run("unindexed", *ids)) if ids else set()

    def expired(self, now: float, limit: int) -> list[str]:
        with translate_errors():
            return cast(list[str], self._scripts.client.zrangebyscore(self._scripts.key("expiry"), "-inf", now, start=0, num=limit))

    def entries(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        found = self._scripts.run("entries", maker, *((repr(before[0]), before[1]) if before else ("+inf", "")), limit)
        return [_entry(*each) for each in found]


def _entry(job_id: str, created_at: str, manifest: str, status: str, state: State | Literal[""]) -> ListEntry:
    job = Job(Manifest.from_json(manifest), Status.from_json(status)) if manifest and status else None
    return ListEntry(job_id, float(created_at), job, state or None)
