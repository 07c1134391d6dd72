"""Places: how many there are, how many are one client's, and whose turn comes next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from backend.flows.places import Places


class Taker(threading.Thread):
    """Takes a place and has it until ``leave`` is set."""

    def __init__(self, places: Places, client: str, pulse: Callable[[], None] = lambda: None) -> None:
        super().__init__(daemon=True)
        self.places, self.client, self.pulse = places, client, pulse
        self.has, self.leave = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        try:
            with self.places.take(self.client, self.pulse, 0.01):
                self.has.set()
                self.leave.wait(10)
        except InterruptedError:
            return

    def end(self) -> None:
        self.leave.set()
        self.join(10)


def stand(places: Places, count: int, *clients: str) -> list[Taker]:
    """One after the other, once the one before has its place or waits for it."""
    takers = []
    for client in clients:
        waiting = sum(map(len, places._lines.values()))
        takers.append(Taker(places, client))
        while not takers[-1].has.is_set() and sum(map(len, places._lines.values())) == waiting:
            time.sleep(0.001)
    assert sum(each.has.wait(0.05) for each in takers) == count
    return takers


def test_one_client_has_a_share_and_the_others_the_rest() -> None:
    places = Places(4, 2)
    greedy = stand(places, 2, *"aaaa")
    other = stand(places, 2, *"bc")
    for each in (*greedy, *other):
        each.end()
    assert not places._taken and all(each.has.is_set() for each in greedy)


def test_a_free_place_goes_to_the_client_whose_turn_it_is() -> None:
    places = Places(1, 1)
    takers = stand(places, 1, *"aaabbc")
    turns = []
    for _ in takers:
        now = next(each for each in takers if each.is_alive() and each.has.wait(0.2))
        turns.append(now.client)
        now.end()
    assert turns in (["a", "a", "b", "c", "a", "b"], ["a", "b", "c", "a", "b", "a"])


def test_who_waits_is_asked_again_and_again_and_may_go() -> None:
    places, calls = Places(1, 1), [0]

    def pulse() -> None:
        calls[0] += 1
        if calls[0] == 3:
            raise InterruptedError

    (first,) = stand(places, 1, "a")
    waiting = Taker(places, "b", pulse)
    waiting.join(10)
    assert not waiting.is_alive() and calls == [3]
    first.end()
    (last,) = stand(places, 1, "b")
    last.end()


def test_a_pulse_that_ends_the_wait_leaves_no_place_taken() -> None:
    places = Places(1, 1)
    with pytest.raises(ZeroDivisionError), places.take("a", lambda: None, 1):
        raise ZeroDivisionError
    assert not places._taken
