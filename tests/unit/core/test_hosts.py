"""The hosts of a deployment, as an operator sees them."""

from __future__ import annotations

from backend.core.hosts import hosts

SEAL = {"level": 3}
GATEWAY = {"host": "a", "pid": 1, "version": "1.1.0", "protocol": [1, 2]}
ENCODER = {"host": "b", "pid": 2, "version": "1.1.0", "protocol": [1, 2], "cores": 8, "jobs": 1, "seal": SEAL}
OF_PROTOCOL_1 = {"host": "c", "pid": 3, "seal": {"level": 2}, "resident_bytes": 5}


def test_each_host_is_one_entry_with_all_its_processes() -> None:
    shown = hosts([ENCODER, {**ENCODER, "jobs": 0, "seal": {"level": 1}}, OF_PROTOCOL_1], [GATEWAY, {**GATEWAY, "host": "b"}])
    assert shown == [
        {"host": "a", "cores": None, "encoders": 0, "jobs": 0, "gateways": 1, "seal": None, "versions": ["1.1.0"], "protocol": [1, 2]},
        {"host": "b", "cores": 8, "encoders": 2, "jobs": 1, "gateways": 1, "seal": 1, "versions": ["1.1.0"], "protocol": [1, 2]},
        {"host": "c", "cores": None, "encoders": 1, "jobs": 0, "gateways": 0, "seal": 2, "versions": [], "protocol": [1, 1]},
    ]


def test_a_host_with_two_releases_speaks_what_both_speak() -> None:
    (shown,) = hosts([ENCODER, {**ENCODER, "version": "1.2.0", "protocol": [2, 3]}], [])
    assert (shown["versions"], shown["protocol"]) == (["1.1.0", "1.2.0"], [2, 2])


def test_without_processes_there_are_no_hosts() -> None:
    assert hosts([], []) == []
