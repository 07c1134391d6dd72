"""A greenlet that never gives a turn is named and ended; its worker lives, and the others are served."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from gateway_process import Gateway

from backend.server import watchdog
from backend.server.turns import Turns


@pytest.fixture(scope="module")
def spinning() -> Iterator[Gateway]:
    running = Gateway(workers=1, app="spinning_app")
    yield running
    running.stop()


def ask(gateway: Gateway, path: str) -> tuple[int, dict[str, Any]]:
    with gateway.wire() as wire:
        wire.sock.settimeout(60)
        wire.send(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        status, _, body = wire.response()
        return status, json.loads(body)


def reports(gateway: Gateway) -> list[str]:
    """After the next look."""
    assert ask(gateway, "/vitals")[0] == 200
    time.sleep(5 * watchdog.LOOK_EVERY_S)
    return [line for line in gateway.log.splitlines() if "without a turn" in line]


def test_a_request_that_spins_is_a_500_and_its_worker_lives(spinning: Gateway) -> None:
    (pid,) = spinning.living()
    status, problem = ask(spinning, "/spin")
    assert (status, problem["code"]) == (500, "internal")
    assert ask(spinning, "/vitals")[1]["pid"] == pid
    (line,) = reports(spinning)
    assert "was ended" in line and "spinning_app.py" in line and "in spin" in line


def test_a_request_that_waited_is_answered_once_the_spinning_one_is_ended(spinning: Gateway) -> None:
    with spinning.wire() as wire:
        wire.send("GET /spin HTTP/1.1\r\nHost: t\r\n\r\n")
        time.sleep(0.2)
        begun_s = time.monotonic()
        assert ask(spinning, "/vitals")[0] == 200
        assert time.monotonic() - begun_s < 60, "Gunicorn's timeout is twice that"


def test_an_answer_that_had_begun_is_cut_off_and_not_taken_for_a_whole_one(spinning: Gateway) -> None:
    with spinning.wire() as wire:
        wire.sock.settimeout(60)
        wire.send("GET /spin/after-a-part HTTP/1.1\r\nHost: t\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            wire.rest()


def test_a_websocket_that_spins_is_cut_off(spinning: Gateway) -> None:
    with spinning.wire() as wire:
        wire.sock.settimeout(60)
        wire.upgrade("/ws/spin")
        wire.until(b"\r\n\r\n")
        wire.frame(1, b"go")
        with pytest.raises(ConnectionResetError):
            wire.rest()
    assert ask(spinning, "/vitals")[0] == 200


def test_honest_work_is_named_and_not_ended(spinning: Gateway) -> None:
    before = len(reports(spinning))
    assert ask(spinning, "/work/1200") == (200, {"worked": 1200})
    (line,) = reports(spinning)[before:]
    assert "kept the others waiting" in line


def test_a_worker_that_was_stopped_trips_nothing(spinning: Gateway) -> None:
    before = len(reports(spinning))
    (pid,) = spinning.living()
    os.kill(pid, signal.SIGSTOP)
    time.sleep(watchdog.ENDED_AFTER_S + 0.5)
    os.kill(pid, signal.SIGCONT)
    assert len(reports(spinning)) == before


def test_rounds_of_the_loop_start_the_time_again(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, ended = Turns(), []
    dog = watchdog.Watchdog(turns)
    monkeypatch.setattr(dog, "_end", lambda: ended.append(True))
    monkeypatch.setattr(dog, "_report", lambda stay_s: None)
    for second in range(10):
        turns.count += 1
        dog.look(float(second))
    assert not ended
    dog.look(9 + watchdog.ENDED_AFTER_S)
    dog.look(9 + 1.5 * watchdog.ENDED_AFTER_S)
    dog.look(9 + 2 * watchdog.ENDED_AFTER_S)
    assert len(ended) == 2, "once more after the same time again"
