"""How slowly a client may read its answer: one rate, whatever the answer is made of."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from gateway_process import Gateway, Wire, wait_for

MIN_BYTES_PER_S = 60_000
IDLE_S = 1.2
"""At the minimum rate a block of 256 KiB takes four seconds. A client that reads at more than that rate is silent for much shorter."""
ANSWERS = ["/file", "/chunks", "/big"]


@pytest.fixture(scope="module")
def strict() -> Iterator[Gateway]:
    running = Gateway(workers=1, response_idle_timeout_s=IDLE_S, response_min_bytes_per_s=MIN_BYTES_PER_S)
    yield running
    running.stop()


def slow_wire(gateway: Gateway, path: str) -> Wire:
    """Its window is small, so that the server soon notices how slowly it reads."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", gateway.port))
    wire = Wire(sock)
    wire.send(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
    return wire


def read_at(wire: Wire, bytes_per_s: float, most_s: float) -> int:
    """How much came before the end. Raises ``ConnectionResetError`` where the server cut it off."""
    received, begun_s = 0, time.monotonic()
    while (passed_s := time.monotonic() - begun_s) < most_s:
        if received > bytes_per_s * passed_s:
            time.sleep(0.02)
        elif piece := wire.sock.recv(4096):
            received += len(piece)
        else:
            break
    return received


@pytest.mark.parametrize("path", ANSWERS)
def test_a_reader_above_the_minimum_rate_gets_everything(strict: Gateway, path: str) -> None:
    """A block of 256 KiB had one timeout, so readers below 8.7 kB/s were cut off, and 2.2 was the rate that was meant."""
    with slow_wire(strict, f"{path}/700000") as wire:
        assert read_at(wire, 2.5 * MIN_BYTES_PER_S, 15) > 700_000


@pytest.mark.parametrize("path", ANSWERS)
def test_a_reader_below_the_minimum_rate_is_cut_off(strict: Gateway, path: str) -> None:
    with slow_wire(strict, f"{path}/30000000") as wire, pytest.raises(ConnectionResetError):
        read_at(wire, MIN_BYTES_PER_S / 3, 15)


@pytest.mark.parametrize("path", ANSWERS)
def test_a_client_that_reads_nothing_is_cut_off(strict: Gateway, path: str) -> None:
    before = strict.log.count("was not read")
    with slow_wire(strict, f"{path}/30000000"):
        wait_for(lambda: strict.log.count("was not read") > before, "the cut", 10)
    assert "Traceback" not in strict.log
