"""A process says that it is there until it leaves."""

from __future__ import annotations

import threading

import pytest

from backend.core.protocol import SPOKEN
from backend.flows.announce import Announcer, address, identity
from backend.flows.shared_clock import SharedClock
from tests.fakes.context import MemoryContext


def test_a_process_that_leaves_is_gone_at_once_and_beats_no_more() -> None:
    here = MemoryContext()
    announcer = Announcer(here.presence, "gateways", "a", lambda: identity("a", "host", 7, "1.0.0"), SharedClock())
    announcer.beat()
    assert here.presence.gateways() == [{"name": "a", "host": "host", "pid": 7, "version": "1.0.0", "protocol": list(SPOKEN)}]
    announcer.leave()
    announcer.beat()
    assert here.presence.gateways() == []


def test_a_heartbeat_that_is_under_way_comes_before_the_leave() -> None:
    here = MemoryContext()
    has_begun, may_go_on = threading.Event(), threading.Event()

    def facts() -> dict[str, object]:
        has_begun.set()
        may_go_on.wait(5)
        return {}

    announcer = Announcer(here.presence, "encoders", "a", facts, SharedClock())
    beat = threading.Thread(target=announcer.beat)
    beat.start()
    has_begun.wait(5)
    leave = threading.Thread(target=announcer.leave)
    leave.start()
    may_go_on.set()
    beat.join()
    leave.join()
    assert here.presence.encoders() == []


@pytest.mark.parametrize(
    ("listens_on", "own", "expected"),
    [
        ("0.0.0.0", "10.1.2.3", "10.1.2.3:8000"),
        ("::", "fd00::7", "[fd00::7]:8000"),
        ("0.0.0.0", None, None),
        ("127.0.0.1", "10.1.2.3", None),
        ("::1", "10.1.2.3", None),
        ("localhost", "10.1.2.3", None),
        ("10.9.9.9", "10.1.2.3", "10.9.9.9:8000"),
        ("gateway-1.internal", None, "gateway-1.internal:8000"),
    ],
)
def test_where_other_hosts_reach_a_gateway(listens_on: str, own: str | None, expected: str | None) -> None:
    assert address(listens_on, 8000, own) == expected
