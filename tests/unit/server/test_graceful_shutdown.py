"""How workers leave: SIGTERM, HUP, kill, max_requests, with clients of every kind still connected."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from gateway_process import Gateway, Wire, wait_for

from backend.server.graceful_shutdown import SETTLING_S

Start = Callable[..., Gateway]
RunNode = Callable[..., "subprocess.Popen[str]"]


def stopped_within(gateway: Gateway, most_s: float) -> float:
    begun = time.monotonic()
    gateway.signal(signal.SIGTERM)
    gateway.process.wait(most_s + 5)
    took = time.monotonic() - begun
    assert took < most_s, gateway.log
    assert len(re.findall("Worker exiting", gateway.log)) == gateway.workers
    return took


def kept_alive(gateway: Gateway) -> Wire:
    wire = gateway.wire()
    wire.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    assert wire.response()[0] == 200
    return wire


def echoing(gateway: Gateway) -> Wire:
    wire = gateway.wire()
    wire.upgrade()
    wire.frame(1, b"hi")
    wire.until(b"\r\n\r\n")
    assert wire.read_frame() == (1, b"hi")
    return wire


def test_idle_connections_and_websockets_do_not_hold_a_stopping_worker(start_gateway: Start) -> None:
    gateway = start_gateway(workers=3)
    gateway.wire()
    idle, socket, mute = kept_alive(gateway), echoing(gateway), echoing(gateway)
    answered: list[int] = []

    def answer_close() -> None:
        answered.append(socket.close_code())
        socket.frame(8, b"\x03\xe9")
        socket.rest()

    answering = threading.Thread(target=answer_close)
    answering.start()
    took = stopped_within(gateway, 3)
    answering.join()
    assert answered == [1001]
    assert mute.close_code() == 1001
    assert idle.rest() == b""
    print(f"stopped in {took:.2f} s")


def test_a_client_that_has_just_connected_is_sent_away_only_when_it_has_settled(start_gateway: Start) -> None:
    """python-socketio never connects again where its connection breaks before its own reconnect has returned."""
    gateway = start_gateway(workers=1)
    old = echoing(gateway)
    opened_s = time.monotonic()
    wait_for(lambda: time.monotonic() - opened_s > SETTLING_S, "the first to have settled")
    begun_s = time.monotonic()
    fresh = echoing(gateway)
    os.kill(gateway.booted()[0], signal.SIGTERM)
    assert old.close_code() == 1001
    assert fresh.close_code() == 1001
    assert time.monotonic() - begun_s > SETTLING_S


def test_a_running_request_is_finished_and_told_that_it_is_the_last(start_gateway: Start) -> None:
    gateway = start_gateway(workers=2)
    with gateway.wire() as wire:
        wire.send("GET /slow/1.0 HTTP/1.1\r\nHost: t\r\n\r\n")
        with gateway.wire() as poll:
            poll.send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: t\r\n\r\n")
            session_id = json.loads(poll.response()[2][1:])["sid"]
            poll.send(f"GET /socket.io/?EIO=4&transport=polling&sid={session_id} HTTP/1.1\r\nHost: t\r\n\r\n")
            begun = time.monotonic()
            gateway.signal(signal.SIGTERM)
            answer = poll.response()  # not a CLOSE packet, after which python-socketio stays away
            assert (answer[0], answer[2]) == (400, b'"Session is disconnected"')
            assert time.monotonic() - begun < 0.9
        status, headers, _ = wire.response()
        assert (status, headers["connection"]) == (200, "close")
        assert wire.rest() == b""
    gateway.process.wait(5)


def test_a_stream_can_watch_for_the_end(start_gateway: Start) -> None:
    gateway = start_gateway(workers=1)
    with gateway.wire() as wire:
        wire.send("GET /stream HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        wire.until(b"begun\n\n\r\n")
        gateway.signal(signal.SIGTERM)
        assert b"ended" in wire.rest()
    gateway.process.wait(5)


def test_a_request_that_never_ends_is_cut_before_the_master_kills(start_gateway: Start) -> None:
    gateway = start_gateway("--graceful-timeout", "4", workers=1)
    with gateway.wire() as wire:
        wire.send("GET /slow/60.0 HTTP/1.1\r\nHost: t\r\n\r\n")
        kept_alive(gateway)
        gateway.signal(signal.SIGTERM)
        gateway.process.wait(6)
    assert "1 connections did not end" in gateway.log
    assert "Worker exiting" in gateway.log


def test_clients_reconnect_over_a_hup_and_no_request_fails(start_gateway: Start, run_node: RunNode) -> None:
    gateway = start_gateway(workers=3)
    before = set(gateway.booted())
    clients = run_node("lasting_clients.js", gateway.url, "20")
    state: dict[str, Any] = {}

    def until_connected_to(is_right: Callable[[set[int]], bool]) -> None:
        assert clients.stdout
        while state.get("connected") != 20 or not is_right(set(state["pids"])):
            state.update(json.loads(clients.stdout.readline()))

    try:
        until_connected_to(lambda pids: pids <= before)
        gateway.signal(signal.SIGHUP)
        answers = []
        while set(gateway.living()) & before:
            answers.append(gateway.get("/")["pid"])
            assert len(answers) < 5000
        until_connected_to(lambda pids: not pids & before)
    finally:
        clients.kill()
        clients.communicate()
    assert answers and "Traceback" not in gateway.log
    wait_for(lambda: len(gateway.doors()) == 3, "the old doors closed")


def test_a_killed_worker_is_replaced(start_gateway: Start) -> None:
    gateway = start_gateway(workers=2)
    os.kill(gateway.booted()[0], signal.SIGKILL)
    wait_for(lambda: len(gateway.booted()) == 3, "a new worker")
    wait_for(lambda: gateway.get("/")["pid"] == gateway.booted()[2], "its first answer")


def test_max_requests_recycles_workers_without_failing_a_request(start_gateway: Start) -> None:
    gateway = start_gateway("--max-requests", "10", workers=2)
    socket = echoing(gateway)
    first = set(gateway.living())
    wait_for(lambda: gateway.get("/")["pid"] and not first & set(gateway.living()), "both workers' successors")
    assert socket.close_code() == 1001


@pytest.mark.parametrize("worker_class", ["geventwebsocket.gunicorn.workers.GeventWebSocketWorker"])
def test_the_stock_worker_class_runs_the_same_application(start_gateway: Start, run_node: RunNode, worker_class: str) -> None:
    gateway = start_gateway("--graceful-timeout", "1", workers=1, worker_class=worker_class)
    clients = run_node("many_clients.js", gateway.url, "10", "default")
    report = json.loads(clients.communicate(timeout=25)[0])
    assert (report["ok"], report["upgraded"]) == (10, 10)


def test_workers_that_reach_max_requests_together_end_one_after_the_other(start_gateway: Start) -> None:
    """Clients that read nothing hold a worker until the graceful timeout. Both drained at once, and everybody waited for half a minute."""
    gateway = start_gateway("--max-requests", "30", workers=2)
    held = [gateway.wire() for _ in range(10)]
    for wire in held:
        wire.send("GET /big/50000000 HTTP/1.1\r\nHost: t\r\n\r\n")
    took_s = []
    for _ in range(120):
        begun_s = time.monotonic()
        assert gateway.get("/")["pid"]
        took_s.append(time.monotonic() - begun_s)
    assert "Autorestarting" in gateway.log
    assert max(took_s) < 10
    for wire in held:
        wire.sock.close()
