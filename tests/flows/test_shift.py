"""What an encoder does upon one message: job after job, then a rest at the bell."""

from __future__ import annotations

from collections.abc import Callable

from backend.flows.shift import Rise, Shift
from tests.memory.bell import MemoryBell
from tests.memory.encoders import MemoryEncoders


class Encoder:
    """``jobs``: for each look at the queue, whether there was one."""

    def __init__(self, *jobs: bool) -> None:
        self.jobs, self.done, self.looks = list(jobs), 0, 0
        self.bell, self.encoders = MemoryBell(), MemoryEncoders()
        self.is_leaving = False
        self.on_wait: Callable[[], bool] = lambda: False

    def work(self, seconds: float = 60.0, rest_s: float = 60.0) -> Encoder:
        Shift("ada", self._encode_next, self._encode_at_bell, self.bell, self.encoders, lambda: self.is_leaving).work(seconds, rest_s)
        return self

    def _encode_next(self) -> bool:
        self.looks += 1
        found = self.jobs.pop(0) if self.jobs else False
        self.done += found
        self.bell.events.append("job" if found else "nothing")
        return found

    def _encode_at_bell(self, _seconds: float, _rise: Rise) -> bool:
        self.bell.note("wait")
        return self.on_wait()


def stop(encoder: Encoder, answer: bool = False) -> bool:
    encoder.is_leaving = True
    return answer


def test_a_message_that_finds_nothing_is_answered_at_once() -> None:
    assert Encoder().work().bell.events == ["nothing"]


def test_what_waits_is_done_upon_one_message() -> None:
    encoder = Encoder(True, True, True)
    encoder.on_wait = lambda: stop(encoder)
    assert encoder.work().done == 3


def test_it_says_that_it_rests_before_it_looks_for_the_last_time() -> None:
    encoder = Encoder(True, False, False)
    encoder.on_wait = lambda: stop(encoder)
    assert encoder.work().bell.events == ["job", "nothing", "rest", "nothing", "rest", "wait", "rise"]


def test_a_job_that_came_just_then_is_done_and_its_stroke_goes_to_another() -> None:
    encoder = Encoder(True, False, True)
    encoder.bell.unanswered = 1
    encoder.on_wait = lambda: stop(encoder)
    assert encoder.work().done == 2
    assert encoder.encoders.woken == 1


def test_one_that_is_rung_works_on() -> None:
    encoder = Encoder(True, False, False, True)
    strokes = [True, False]
    encoder.on_wait = lambda: strokes.pop(0) or stop(encoder)
    assert encoder.work().done == 2
    assert encoder.bell.events == ["job", "nothing", "rest", "nothing", "rest", "wait", "job", "nothing", "rest", "nothing", "rest", "wait", "rise"]
    assert encoder.encoders.woken == 0


def test_what_is_rung_for_no_more_goes_to_others_before_a_job_for_which_it_was_not_rung() -> None:
    encoder = Encoder(True)
    events = encoder.bell.events

    def encode_at_bell(_seconds: float, rise: Rise) -> bool:
        encoder.bell.unanswered = 1
        rise()
        events.append("job at the bell")
        encoder.is_leaving = True
        return True

    Shift("ada", encoder._encode_next, encode_at_bell, encoder.bell, encoder.encoders, lambda: encoder.is_leaving).work()
    assert events[-2:] == ["rise", "job at the bell"] and encoder.encoders.woken == 1


def test_a_rest_has_an_end() -> None:
    encoder = Encoder(True).work(rest_s=0)
    assert encoder.bell.events[-1] == "rise" and "wait" not in encoder.bell.events


def test_no_job_is_begun_after_the_end_of_the_shift() -> None:
    assert Encoder(True, True).work(seconds=0).done == 1


def test_one_that_is_to_leave_begins_no_more() -> None:
    encoder = Encoder(True, True)
    encoder.is_leaving = True
    assert encoder.work().done == 1


def test_a_bell_out_of_reach_ends_the_shift_and_nothing_else() -> None:
    encoder = Encoder(True)
    encoder.bell.is_down = True
    assert encoder.work().done == 1


def test_strokes_that_nobody_answered_as_the_rest_ended_go_to_others() -> None:
    encoder = Encoder(True)
    encoder.bell.unanswered = 2
    assert encoder.work(rest_s=0).encoders.woken == 2
