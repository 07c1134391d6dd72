"""Ports of this machine."""

from __future__ import annotations

import socket

LOCAL = "127.0.0.1"


def free_port(host: str = LOCAL) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_cluster_port() -> int:
    """For a node of a Redis cluster, whose bus listens 10 000 above it."""
    return next(port for port in iter(free_port, 0) if port + 10_000 < 65_536 and not answers(port + 10_000))


def answers(port: int, host: str = LOCAL) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
