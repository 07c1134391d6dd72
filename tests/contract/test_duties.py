"""The contract of ``Duties``: Redis and memory."""

from __future__ import annotations

from tests.contract.live import LEASE_S, NO_TIME_S, Live
from tests.fakes.waiting import until


def test_an_empty_state_has_no_epoch(live: Live) -> None:
    assert live.duties.epoch() is None
    live.duties.begin_epoch("worker-1")
    assert live.duties.epoch() == "worker-1"


def test_a_duty_is_held_by_one_until_it_lapses(live: Live) -> None:
    assert live.duties.acquire("janitor", "one", LEASE_S) is True
    assert live.duties.acquire("janitor", "one", LEASE_S) is True
    assert live.duties.acquire("janitor", "two", LEASE_S) is False
    assert live.duties.acquire("another duty", "two", LEASE_S) is True
    live.duties.acquire("janitor", "one", NO_TIME_S)
    assert until(lambda: live.duties.acquire("janitor", "two", LEASE_S))
    assert live.duties.acquire("janitor", "one", LEASE_S) is False
