"""The events of a job: the whole state at each change, and whatever else a row of the table says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.core import events
from backend.core.events import STATE, JobEvent, events_of
from backend.core.public_job import public
from tests.fakes.samples import READER, job


def test_every_change_is_a_job_event_with_the_whole_state() -> None:
    queued = job()
    for state in ("queued", "running", "succeeded"):
        changed = queued.at(replace(queued.status, state=state))
        assert events_of(changed)[0].name == "job"
        assert events_of(changed)[0].payload(changed, READER) == public(changed, READER)


def test_a_further_row_is_sent_after_it_where_it_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = JobEvent("ended", lambda each: each.status.has_ended, lambda each, _reader: {"id": each.id})
    monkeypatch.setattr(events, "JOB_EVENTS", (STATE, ended))
    queued = job()
    assert [each.name for each in events_of(queued)] == ["job"]
    assert [each.name for each in events_of(queued.at(replace(queued.status, state="failed")))] == ["job", "ended"]
