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


def test_gateways_are_no_encoders(live: Live) -> None:
    live.presence.heartbeat("a", {"pid": 1}, LEASE_S)
    live.presence.announce("b", {"pid": 2, "address": "10.0.0.1:8000"}, LEASE_S)
    assert (live.presence.encoders(), live.presence.gateways()) == ([{"pid": 1}], [{"pid": 2, "address": "10.0.0.1:8000"}])


def test_whoever_leaves_is_gone_at_once(live: Live) -> None:
    live.presence.heartbeat("a", {"pid": 1}, LEASE_S)
    live.presence.announce("b", {"pid": 2}, LEASE_S)
    live.presence.leave("encoders", "b")
    live.presence.leave("encoders", "a")
    assert (live.presence.encoders(), live.presence.gateways()) == ([], [{"pid": 2}])
    live.presence.leave("gateways", "b")
    assert live.presence.gateways() == []


def test_the_last_encoder_of_a_host_takes_along_what_was_counted_of_the_host(live: Live) -> None:
    live.counters.add({"encoder_cpu_s:one": 1, "encoder_cpu_s:two": 2, "created": 3})
    for name, host in (("a", "one"), ("b", "one"), ("c", "two")):
        live.presence.heartbeat(name, {"host": host}, LEASE_S)
    live.presence.leave("encoders", "a")
    assert live.counters.overview().totals == {"encoder_cpu_s:one": 1, "encoder_cpu_s:two": 2, "created": 3}
    live.presence.leave("encoders", "b")
    assert live.counters.overview().totals == {"encoder_cpu_s:two": 2, "created": 3}
