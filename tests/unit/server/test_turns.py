"""Who has work without end gives the others a turn, and how often something may happen in a window of time."""

from __future__ import annotations

import gevent
import pytest

from backend.server import window_rate
from backend.server.turns import SLICE_S, Turns
from backend.server.window_rate import WindowRate


def test_greenlets_with_work_without_end_share_one_slice_of_a_round() -> None:
    turns, steps, stop = Turns(), [0] * 10, False
    turns.start()

    def work(number: int) -> None:
        while not stop:
            steps[number] += 1
            turns.give_turn()

    workers = [gevent.spawn(work, number) for number in range(len(steps))]
    before = turns.count
    for _ in range(5):
        gevent.sleep(2 * SLICE_S)
    stop = True
    gevent.joinall(workers)
    assert all(steps), "each had its turn"
    assert turns.count - before >= 5, "and the loop looked at its timers between them"


def test_a_window_of_time_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(window_rate.time, "monotonic", lambda: now[0])
    rate = WindowRate(2, 10.0)
    assert [rate.is_exceeded_by_one_more() for _ in range(3)] == [False, False, True]
    now[0] += 10.0
    assert not rate.is_exceeded_by_one_more()
