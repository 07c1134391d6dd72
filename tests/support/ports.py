"""Ports of this machine."""

from __future__ import annotations

import socket

LOCAL = "127.0.0.1"


def free_port(host: str = LOCAL) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def answers(port: int, host: str = LOCAL) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
