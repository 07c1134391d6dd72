"""The contract of ``JobIndex``: Redis and memory."""

from __future__ import annotations

import time

from backend.core.index_line import index_line
from tests.contract.live import Live, queued
from tests.fakes.samples import manifest


def test_what_has_expired_is_told_oldest_first_and_no_more_than_asked_for(live: Live) -> None:
    now = time.time()
    second = queued(live, expires_at=now + 20)
    first = queued(live, expires_at=now + 10)
    queued(live, expires_at=now + 3000)
    live.index.add([index_line(manifest("stored-only", expires_at=now + 30))])
    live.index.add([])
    assert live.index.expired(now + 5, 10) == []
    assert live.index.expired(now + 100, 10) == [first.id, second.id, "stored-only"]
    assert live.index.expired(now + 100, 2) == [first.id, second.id]


def test_a_makers_jobs_are_listed_newest_first_from_any_place_on(live: Live) -> None:
    now = time.time()
    made = [queued(live, maker="me", created_at=now + each) for each in (1.25, 2.5, 2.5, 3.000001)]
    queued(live, maker="somebody else")
    queued(live, maker="")
    stored = manifest(maker="me", created_at=now - 5)
    live.index.add([index_line(stored), index_line(manifest(maker="me", is_ephemeral=True))])
    lines = live.index.entries("me", None, 10)
    assert [each.id for each in lines] == [made[3].id, made[2].id, made[1].id, made[0].id, stored.id]
    assert [each.job is None for each in lines] == [False] * 4 + [True]
    assert [each.created_at for each in lines] == [now + 3.000001, now + 2.5, now + 2.5, now + 1.25, now - 5]
    for number, line in enumerate(lines):
        assert live.index.entries("me", (line.created_at, line.id), 2) == lines[number + 1 : number + 3]
    assert live.index.entries("me", None, 1) == lines[:1]
    assert live.index.entries("", None, 10) == []


def test_a_forgotten_job_is_not_listed(live: Live) -> None:
    made, stored = queued(live, maker="me"), manifest(maker="me")
    live.index.add([index_line(stored)])
    for each in (made.id, stored.id):
        live.jobs.forget(each)
    assert live.index.entries("me", None, 10) == []
