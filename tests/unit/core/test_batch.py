"""A batch follows from its jobs: its progress, its counts, its record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend import errors
from backend.core import job as jobs
from backend.core.batch import Batch, has_ended, progress, public_batch, seq
from backend.core.job import Job, Result, Status
from tests.fakes import samples

BATCH = Batch("batch-1", ("a", "b"), 1_800_000_000.0, 1_800_086_400.0, "owner")
RESULT = Result("result-t.webp", 10, "ab" * 32, 16, 12, 1)
ENDS = {
    "succeeded": lambda status: jobs.succeeded(status, RESULT, 1.0),
    "failed": lambda status: jobs.failed(status, errors.DamagedImage(), 1.0),
    "cancelled": lambda status: jobs.cancelled(status, 1.0),
}


def member(state: str = "running", percent: int = 0, width: int = 10, height: int = 10, **given: Any) -> Job:
    job = samples.job(source=samples.source(width=width, height=height), **given)
    status = replace(Status(), state=state, progress=percent) if state in ("queued", "running") else ENDS[state](Status(progress=percent))
    return job.at(status)


def test_its_record_comes_back_as_it_was() -> None:
    assert Batch.from_json(BATCH.to_json()) == BATCH
    assert Batch.from_json(BATCH.to_json().encode()) == BATCH


def test_each_job_counts_by_its_pixels() -> None:
    assert progress([member(percent=100 - 1, width=30), member(percent=0, width=10)]) == 99 * 3 // 4


def test_a_job_that_ended_counts_as_done_however_it_ended() -> None:
    assert progress([member("failed", 20), member("running", 0)]) == 50
    assert progress([member(each, 20) for each in ENDS]) == 100


def test_nearly_done_is_not_done() -> None:
    assert progress([member("succeeded", width=5000, height=5000), member("running", 99, 1, 1)]) == 99


def test_an_empty_batch_has_ended() -> None:
    assert has_ended([]) and progress([]) == 100 and seq([]) == 0


@given(st.lists(st.tuples(st.sampled_from(["queued", "running", *ENDS]), st.integers(0, 100), st.integers(1, 9000)), min_size=1, max_size=8))
def test_progress_is_whole_within_bounds_and_100_only_at_the_end(members: list[tuple[str, int, int]]) -> None:
    every = [member(state, percent, width) for state, percent, width in members]
    assert 0 <= progress(every) <= 100
    assert (progress(every) == 100) == has_ended(every)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6), st.integers(0, 5))
def test_progress_never_falls_when_a_job_goes_on(percents: list[int], which: int) -> None:
    every = [member(percent=each, width=1 + number) for number, each in enumerate(percents)]
    index = which % len(every)
    later = [*every]
    later[index] = every[index].at(replace(every[index].status, progress=min(99, every[index].status.progress + 1)))
    assert progress(later) >= progress(every)


def test_seq_grows_with_every_change_of_any_job() -> None:
    every = [member(), member()]
    later = [every[0], every[1].at(jobs.cancelled(every[1].status, 1.0))]
    assert seq(later) == seq(every) + 1


def test_the_contracts_batch() -> None:
    every = [member("succeeded"), member("failed"), member("running", 40), member("cancelled")]
    shown = public_batch(BATCH, every, samples.READER)
    counts = {name: shown[name] for name in ("id", "total", "succeeded", "failed", "cancelled", "progress")}
    assert counts == {"id": "batch-1", "total": 4, "succeeded": 1, "failed": 1, "cancelled": 1, "progress": 85}
    assert [each["id"] for each in shown["jobs"]] == [each.id for each in every]
    assert shown["links"]["archive"] == "/api/batches/batch-1/archive.zip"
    assert shown["created_at"].startswith("2027-01-15T08:00:00") and "owner" not in shown
