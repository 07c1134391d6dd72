"""How long a request waits that no encoder can answer."""

from __future__ import annotations

import pytest

from backend.core.protocol import NEWEST
from backend.flows.await_encoder import PATIENCE_S, EncoderWatch
from tests.fakes.context import MemoryContext


def hopeless_after_s(here: MemoryContext, needs: int = 1) -> float | None:
    """None: not within twice the patience."""
    watch, begun = EncoderWatch(here.context, needs), here.clock()
    while here.clock() - begun < 2 * PATIENCE_S:
        if watch.is_hopeless():
            return here.clock() - begun
        here.clock.advance(0.5)
    return None


def test_a_request_is_given_up_when_no_encoder_was_there_for_a_while() -> None:
    assert hopeless_after_s(MemoryContext()) == PATIENCE_S


def test_an_encoder_that_is_there_is_waited_for() -> None:
    here = MemoryContext()
    here.presence.heartbeat("a", {}, 3600)
    assert hopeless_after_s(here) is None


@pytest.mark.parametrize(("protocol", "is_able"), [(None, False), ([1, NEWEST], False), ([1, NEWEST + 1], True), ([NEWEST + 1, NEWEST + 2], True)])
def test_an_encoder_that_speaks_no_protocol_as_new_as_the_job_is_none(protocol: list[int] | None, is_able: bool) -> None:
    here = MemoryContext()
    here.presence.heartbeat("a", {"protocol": protocol} if protocol else {}, 3600)
    assert (hopeless_after_s(here, NEWEST + 1) is None) is is_able


def test_encoders_that_start_again_are_waited_for() -> None:
    here = MemoryContext()
    watch = EncoderWatch(here.context, 1)
    for _ in range(10):
        here.clock.advance(PATIENCE_S - 2)
        assert not watch.is_hopeless()
        here.presence.heartbeat("a", {}, 1.5)
        here.clock.advance(1)
        assert not watch.is_hopeless()


def test_nothing_is_concluded_while_redis_is_away() -> None:
    here = MemoryContext()
    here.server.is_down = True
    assert hopeless_after_s(here) is None
    error = EncoderWatch(here.context, 1).error()
    assert (error.status, error.retry_after_s) == (503, 5)
