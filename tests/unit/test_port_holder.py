"""Who listens on a port: found on Linux, read from lsof on macOS, where AirPlay has the port that is the gateway's by default."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from backend import port_holder


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_holder_of_a_port_is_found(host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as holder:
        holder.bind((host, 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert port_holder.holder_of(port) == (Path("/proc/self/comm").read_text().strip(), str(os.getpid()))
        assert port_holder.free_port_after(host, port - 1) != port
    assert port_holder.holder_of(port) is None


def test_lsofs_answer_is_read() -> None:
    assert port_holder.of_lsof("p512\ncControlCe\nf9\nf10\n") == ("ControlCe", "512")
    assert port_holder.of_lsof("") is None


@pytest.mark.parametrize(
    ("port", "name", "platform", "is_so"),
    [
        (5000, "ControlCe", "darwin", True),
        (5000, None, "darwin", True),
        (7000, None, "darwin", True),
        (5000, "python3.1", "darwin", False),
        (5001, None, "darwin", False),
        (5000, None, "linux", False),
    ],
)
def test_airplay_is_known_by_its_program_else_by_its_port(port: int, name: str | None, platform: str, is_so: bool) -> None:
    assert port_holder.is_airplay(port, name, platform) == is_so
