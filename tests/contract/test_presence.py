"""The contract of ``Presence``: Redis and memory."""

from __future__ import annotations

from tests.contract.live import LEASE_S, NO_TIME_S, Live
from tests.fakes.waiting import until


def test_encoders_are_there_until_they_fall_silent(live: Live) -> None:
    live.presence.heartbeat("a", {"pid": 1, "seal": {"level": 3}}, LEASE_S)
    live.presence.heartbeat("b", {"pid": 2}, NO_TIME_S)
    assert until(lambda: len(live.presence.encoders()) == 1)
    assert live.presence.encoders() == [{"pid": 1, "seal": {"level": 3}}]
    live.presence.heartbeat("a", {"pid": 9}, LEASE_S)
    assert live.presence.encoders() == [{"pid": 9}]
