"""The contract of ``JobQueue`` for jobs that are encoded beyond the encoders: Redis and memory."""

from __future__ import annotations

import pytest

from backend.core.job import Job
from tests.contract.live import LEASE_S, NO_TIME_S, Live, claim, found, queued
from tests.fakes.samples import source

LARGE = source(width=6000, height=4000)


def express(live: Live, made: Job) -> bool:
    """Whether this job comes next there, and is given out."""
    return live.queue.next_express(NO_TIME_S) == made.id and live.queue.take_express(made.id, "express", LEASE_S) is not None


@pytest.fixture
def busy(live: Live) -> Live:
    """Its only encoder is busy with a large picture, and as many wait."""
    live.presence.heartbeat("only", {}, 60)
    for _ in range(3):
        queued(live, "hog", source=LARGE)
    claim(live)
    return live


def test_while_all_encoders_are_busy_with_others_work_a_small_picture_goes_beyond_them(busy: Live) -> None:
    made = queued(busy, "guest", is_ephemeral=True)
    assert express(busy, made)
    assert (found(busy, made.id).status.state, busy.leases.count(), busy.queue.depth()) == ("running", 2, 2)
    assert claim(busy).job.manifest.client == "hog"


@pytest.mark.parametrize("given", [{"client": "hog b"}, {"source": LARGE}, {"batch": "b"}], ids=["its client has work there", "large", "of a batch"])
def test_others_wait_for_their_turn(busy: Live, given: dict[str, object]) -> None:
    assert not express(busy, queued(busy, **{"client": "guest", **given}))  # type: ignore[arg-type]


def test_a_client_has_one_job_there_and_not_two(busy: Live) -> None:
    first, second = queued(busy, "guest"), queued(busy, "guest")
    assert express(busy, first)
    assert not express(busy, second)
    assert busy.queue.depth() == 3


def test_while_an_encoder_is_idle_nothing_goes_beyond(live: Live) -> None:
    live.presence.heartbeat("only", {}, 60)
    made = queued(live, "guest")
    assert live.queue.next_express(NO_TIME_S) is None
    assert live.queue.take_express(made.id, "express", LEASE_S) is None


def test_what_waits_no_more_is_not_given_out(busy: Live) -> None:
    made = queued(busy, "guest")
    busy.jobs.forget(made.id)
    assert not express(busy, made)


def test_equal_work_that_is_being_encoded_is_followed(busy: Live) -> None:
    first, second = queued(busy, "guest", work_key="same"), queued(busy, "visitor", work_key="same")
    assert express(busy, first)
    assert not express(busy, second)
    assert [each.id for each in busy.jobs.followers(first.id)] == [second.id]
