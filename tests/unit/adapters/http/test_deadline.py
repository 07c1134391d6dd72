"""The deadline of an exchange, and the share of the loop's time that exchanges take which never have to wait."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from backend.adapters.http.deadline import PULSE_S, SLICE_S, TURN_S, Deadline
from backend.adapters.http.failures import Late


def test_a_loop_that_never_waits_ends_at_the_deadline_and_leaves_others_their_time() -> None:
    """It sleeps at least two thirds of the time, however busy the machine is."""
    deadline = Deadline.after(0.5)
    begun, begun_cpu = time.monotonic(), time.thread_time()
    with pytest.raises(Late):
        while True:
            deadline.check()
    passed, used = time.monotonic() - begun, time.thread_time() - begun_cpu
    assert 0.5 <= passed < 2.5
    assert used < passed * 0.5


def test_two_loops_that_never_wait_have_one_turn_at_a_time() -> None:
    """Each check that rests returns no sooner than a turn after the last one's did, whichever exchange it was."""
    exchanges = [Deadline.after(60), Deadline.after(60)]
    returned = []
    for number in range(20):
        exchange = exchanges[number % 2]
        time.sleep(SLICE_S)
        exchange.check()
        returned.append(time.monotonic())
    assert all(after - before > TURN_S * 0.9 for before, after in pairwise(returned))


def test_a_wait_ends_when_it_is_ready_or_too_long() -> None:
    calls: list[float] = []
    deadline = Deadline.after(60)
    deadline.wait(lambda seconds: calls.append(seconds) or len(calls) == 3)
    assert len(calls) == 3 and all(0 < each <= PULSE_S for each in calls)
    with pytest.raises(Late):
        deadline.wait(time.sleep, most_s=0.1)
    with pytest.raises(Late):
        Deadline.after(0.1).wait(time.sleep)
    with pytest.raises(Late):
        Deadline.after(-1).wait(lambda _: True)


def test_the_pulse_is_called_by_loops_and_waits_alike() -> None:
    calls: list[None] = []
    deadline = Deadline.after(0.2, lambda: calls.append(None))
    with pytest.raises(Late):
        while True:
            deadline.check()
    assert len(calls) > 3
    calls.clear()
    with pytest.raises(Late):
        Deadline.after(2.5 * PULSE_S, lambda: calls.append(None)).wait(time.sleep)
    assert len(calls) >= 2


def test_sleeping_ends_at_its_time_or_at_the_deadline() -> None:
    begun = time.monotonic()
    Deadline.after(60).sleep_until(begun + 0.05)
    assert time.monotonic() >= begun + 0.05
    Deadline.after(0.05).sleep_until(begun + 60)
    assert time.monotonic() < begun + 30
