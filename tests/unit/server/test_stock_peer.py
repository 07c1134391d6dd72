"""The client of a request under one of Gunicorn's own worker classes: its body comes whole, or as an error that says why not."""

from __future__ import annotations

import io
from typing import Any

import gevent
import pytest
from gunicorn.http.errors import NoMoreData

from backend.errors import BadRequest
from backend.server.connection_limits import ConnectionLimits
from backend.server.stock_peer import FIRST_READ_BYTES, LEAST_READ_BYTES, SLOW_READ_S, StockPeer


class Trickle(io.RawIOBase):
    """Each read waits, as for a slow client."""

    def __init__(self, seconds: float) -> None:
        self.asked: list[int] = []
        self._seconds = seconds

    def read(self, size: int = -1) -> bytes:
        self.asked.append(size)
        gevent.sleep(self._seconds)
        return b"x"


class Broken(io.RawIOBase):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, size: int = -1) -> bytes:
        raise self._error


def peer(body: Any, length: int | None = None, **limits: Any) -> StockPeer:
    environ = {"wsgi.input": body, "SERVER_PORT": "5000"} | ({} if length is None else {"CONTENT_LENGTH": str(length)})
    return StockPeer(environ, frozenset({"streams"}), ConnectionLimits(**limits), lambda: False)


def test_a_body_comes_whole_in_growing_reads() -> None:
    body = bytes(range(256)) * 4096
    client = peer(io.BytesIO(body), len(body))
    chunks = list(iter(lambda: client.read(1 << 18), b""))
    assert b"".join(chunks) == body and client.received_bytes == len(body)
    assert [len(each) for each in chunks[:3]] == [FIRST_READ_BYTES, 2 * FIRST_READ_BYTES, 4 * FIRST_READ_BYTES]
    assert max(map(len, chunks)) <= 1 << 18


def test_a_body_that_ends_before_its_length_is_an_error() -> None:
    client = peer(io.BytesIO(b"abc"), 10)
    assert client.read(100) == b"abc"
    with pytest.raises(BadRequest) as raised:
        client.read(100)
    assert (raised.value.variant, raised.value.params) == ("incomplete_body", {"received_bytes": 3})


@pytest.mark.parametrize("error", [NoMoreData(), ConnectionResetError(), TimeoutError()])
def test_a_body_that_breaks_off_is_an_error(error: Exception) -> None:
    with pytest.raises(BadRequest) as raised:
        peer(Broken(error)).read(100)
    assert raised.value.variant == "incomplete_body"


def test_a_slow_client_is_asked_for_less_so_that_its_progress_shows() -> None:
    body = Trickle(SLOW_READ_S + 0.05)
    client = peer(body)
    client.read(1 << 18)
    client.read(1 << 18)
    assert body.asked[1] < body.asked[0] and min(body.asked) >= LEAST_READ_BYTES


def test_a_client_below_the_minimum_rate_is_given_up() -> None:
    client = peer(Trickle(30), body_idle_timeout_s=0.05, body_grace_s=0.05, body_min_bytes_per_s=1 << 20)
    with pytest.raises(BadRequest) as raised:
        client.read(1 << 18)
    assert raised.value.variant == "slow_body"
    assert not client.is_waiting


def test_it_knows_its_port_and_what_can_be_held() -> None:
    client = peer(io.BytesIO())
    assert client.listener_port == 5000
    assert client.can_hold("streams") and not client.can_hold("websockets")
