"""The contract of ``JobQueue`` for jobs that are encoded beyond the encoders: Redis and memory."""

from __future__ import annotations

import pytest

from tests.contract.live import LEASE_S, NO_TIME_S, Live, claim, found, queued
from tests.fakes.samples import source

LARGE = source(width=6000, height=4000)


def express(live: Live) -> str | None:
    """The id of the job that is given out there."""
    claim = live.queue.take_express("express", LEASE_S)
    return claim.job.id if claim else None


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
    assert busy.queue.is_express_called(NO_TIME_S)
    assert express(busy) == made.id
    assert (found(busy, made.id).status.state, busy.leases.count(), busy.queue.depth()) == ("running", 2, 2)
    assert claim(busy).job.manifest.client == "hog"


@pytest.mark.parametrize("given", [{"client": "hog b"}, {"client": "hog"}, {"batch": "b"}], ids=["another line", "the same client", "of a batch"])
def test_a_thumbnail_does_not_wait_for_the_whole_encode_of_ones_own_large_picture(busy: Live, given: dict[str, object]) -> None:
    made = queued(busy, **{"client": "guest", **given})  # type: ignore[arg-type]
    assert busy.queue.is_express_called(NO_TIME_S)
    assert express(busy) == made.id


def test_another_client_of_whom_nothing_runs_goes_first_and_then_whoever_is_first_in_the_queue(busy: Live) -> None:
    live = busy
    live.presence.heartbeat("second", {}, 60)
    live.presence.heartbeat("third", {}, 60)
    claim(live)
    claim(live)
    own, others = [queued(live, "hog") for _ in range(2)], [queued(live, "guest") for _ in range(2)]
    assert [express(live) for _ in range(4)] == [others[0].id, own[0].id, own[1].id, None]


def test_no_more_small_ones_go_beyond_the_encoders_than_large_ones_are_at_work(busy: Live) -> None:
    made = [queued(busy, "hog") for _ in range(2)]
    assert [express(busy), express(busy)] == [made[0].id, None]
    assert busy.queue.depth() == 3


def test_a_client_has_one_job_there_and_not_two(busy: Live) -> None:
    first, second = queued(busy, "guest"), queued(busy, "guest")
    assert [express(busy), express(busy)] == [first.id, None]
    assert found(busy, second.id).status.state == "queued"


def test_large_ones_wait_for_their_turn(busy: Live) -> None:
    queued(busy, "guest", source=LARGE)
    assert not busy.queue.is_express_called(NO_TIME_S)
    assert express(busy) is None


def test_where_only_small_ones_run_nothing_of_their_client_goes_beyond(live: Live) -> None:
    live.presence.heartbeat("only", {}, 60)
    queued(live, "crowd")
    claim(live)
    queued(live, "crowd")
    assert express(live) is None


def test_while_an_encoder_is_idle_nothing_goes_beyond(live: Live) -> None:
    live.presence.heartbeat("only", {}, 60)
    queued(live, "guest")
    assert not live.queue.is_express_called(NO_TIME_S)
    assert express(live) is None


def test_where_many_encoders_are_at_work_one_is_free_soon_and_nothing_goes_beyond(busy: Live) -> None:
    for number in range(64):
        queued(busy, f"client-{number}", source=LARGE)
        claim(busy)
    queued(busy, "guest")
    assert not busy.queue.is_express_called(NO_TIME_S)
    assert express(busy) is None


def test_what_waits_no_more_is_not_given_out(busy: Live) -> None:
    made = queued(busy, "guest")
    busy.jobs.forget(made.id)
    assert express(busy) is None


def test_equal_work_that_is_being_encoded_is_followed(busy: Live) -> None:
    first, second = queued(busy, "guest", work_key="same"), queued(busy, "visitor", work_key="same")
    assert express(busy) == first.id
    assert express(busy) is None
    assert [each.id for each in busy.jobs.followers(first.id)] == [second.id]
