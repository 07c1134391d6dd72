"""The contract of ``FetchLeases``: Redis and memory."""

from __future__ import annotations

from backend.core.job import Job, Status
from tests.contract.live import LEASE_S, NO_TIME_S, Live, found
from tests.fakes.samples import job
from tests.fakes.waiting import until


def reserve(live: Live, token: str = "mine", lease_s: float = LEASE_S, begun: int = 0) -> Job:
    return live.fetch_leases.reserve(job(), token, lease_s, limit=None, begun=begun)


def test_a_lease_that_runs_out_is_taken_over_once(live: Live) -> None:
    lost, kept = reserve(live, lease_s=NO_TIME_S), reserve(live)
    assert until(live.fetch_leases.expired) == [lost.id]
    assert live.fetch_leases.take_over(lost.id, "another's", LEASE_S) == 0
    assert live.fetch_leases.take_over(lost.id, "a third's", LEASE_S) is None
    assert live.fetch_leases.take_over(kept.id, "another's", LEASE_S) is None
    assert live.fetch_leases.renew(lost.id, "mine", 1, LEASE_S) is False
    assert live.fetch_leases.renew(lost.id, "another's", 1, LEASE_S) is True


def test_what_has_begun_is_counted_and_what_waits_is_not(live: Live) -> None:
    made = reserve(live, "one", NO_TIME_S)
    for begun, (before, token) in enumerate([("one", "two"), ("two", "three")], 1):
        assert live.fetch_leases.begin(made.id, before, NO_TIME_S) is True
        until(live.fetch_leases.expired)
        assert live.fetch_leases.take_over(made.id, token, NO_TIME_S) == begun
    until(live.fetch_leases.expired)
    assert live.fetch_leases.take_over(made.id, "four", LEASE_S) == 2


def test_what_had_begun_before_the_state_was_lost_is_counted(live: Live) -> None:
    made = reserve(live, "", 0.0, begun=1)
    assert live.fetch_leases.take_over(made.id, "mine", LEASE_S) == 1


def test_what_is_handed_back_is_free_at_once_and_counts_no_more(live: Live) -> None:
    made = reserve(live)
    live.fetch_leases.begin(made.id, "mine", LEASE_S)
    live.fetch_leases.hand_back(made.id, "another's", 1)
    assert live.fetch_leases.expired() == []
    live.fetch_leases.hand_back(made.id, "mine", 1)
    assert live.fetch_leases.renew(made.id, "mine", 1, LEASE_S) is False
    assert live.fetch_leases.take_over(made.id, "another's", LEASE_S) == 0


def test_what_is_handed_back_too_often_counts(live: Live) -> None:
    made = reserve(live)
    for counted in (0, 0, 1, 2):
        live.fetch_leases.begin(made.id, "mine", LEASE_S)
        live.fetch_leases.hand_back(made.id, "mine", 2)
        assert live.fetch_leases.take_over(made.id, "mine", LEASE_S) == counted


def test_nobody_begins_or_hands_back_what_is_not_theirs_has_ended_or_is_unknown(live: Live) -> None:
    made = reserve(live)
    assert live.fetch_leases.begin("no-such-job-0000000000", "mine", LEASE_S) is None
    assert live.fetch_leases.begin(made.id, "another's", LEASE_S) is False
    live.fetch_leases.hand_back("no-such-job-0000000000", "mine", 1)
    live.jobs.end(found(live, made.id).at(Status(seq=2, state="cancelled", finished_at=5.0)))
    assert live.fetch_leases.begin(made.id, "mine", LEASE_S) is False
    live.fetch_leases.hand_back(made.id, "mine", 1)
    assert live.fetch_leases.expired() == []


def test_a_fetch_that_is_put_off_is_free_when_its_pause_is_over_and_counts_no_more(live: Live) -> None:
    made = reserve(live)
    live.fetch_leases.begin(made.id, "mine", LEASE_S)
    live.fetch_leases.pause(made.id, "another's", (NO_TIME_S,))
    assert live.fetch_leases.renew(made.id, "mine", 0, LEASE_S) is True
    live.fetch_leases.pause(made.id, "mine", (NO_TIME_S,))
    assert live.fetch_leases.renew(made.id, "mine", 0, LEASE_S) is False
    assert until(live.fetch_leases.expired) == [made.id]
    assert live.fetch_leases.take_over(made.id, "next", LEASE_S) == 0
