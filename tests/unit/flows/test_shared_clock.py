"""The clock of a host that is wrong, and of one that is right."""

from __future__ import annotations

import pytest

from backend.flows.announce import Announcer
from backend.flows.shared_clock import TOLERANCE_S, SharedClock
from tests.fakes.clock import SettableClock
from tests.fakes.context import MemoryContext

NOW = 1_800_000_000.0


WRONG_S = [-86_400.0, -10.0, -1.0, 1.0, 10.0, 86_400.0]


@pytest.mark.parametrize("wrong_s", WRONG_S)
def test_a_host_whose_clock_is_wrong_tells_the_time_of_the_live_state(wrong_s: float) -> None:
    passing = SettableClock(7.0)
    clock = SharedClock(SettableClock(NOW + wrong_s), passing)
    clock.adjust(NOW, 0.0)
    assert clock() == pytest.approx(NOW)
    passing.advance(5)
    assert clock() == pytest.approx(NOW + 5)


@pytest.mark.parametrize("jump_s", WRONG_S)
def test_a_host_whose_clock_jumps_between_two_heartbeats_erases_nothing_that_has_not_expired(jump_s: float) -> None:
    own, passing = SettableClock(NOW), SettableClock(7.0)
    clock = SharedClock(own, passing)
    own.advance(jump_s)
    passing.advance(1)
    assert clock() == NOW + 1


def test_a_machine_that_slept_is_set_right_and_a_small_difference_is_left_alone() -> None:
    clock = SharedClock(SettableClock(NOW - 10), SettableClock(7.0))
    clock.adjust(NOW, 0.0)
    assert clock() == NOW
    for jitter_s in (-0.9, 0.9):
        clock.adjust(NOW + jitter_s * TOLERANCE_S, 0.0)
        assert clock() == NOW


def test_a_call_that_hung_says_nothing_of_the_time() -> None:
    clock = SharedClock(SettableClock(NOW), SettableClock(7.0))
    clock.adjust(NOW - 1.0, 2.0)
    clock.adjust(NOW - 40.0, 1.0)
    assert clock() == NOW


def test_each_heartbeat_sets_the_clock() -> None:
    here = MemoryContext()
    clock = SharedClock(SettableClock(here.clock() - 3600))
    Announcer(here.presence, "encoders", "a", dict, clock).beat()
    assert clock() == pytest.approx(here.clock(), abs=TOLERANCE_S)
