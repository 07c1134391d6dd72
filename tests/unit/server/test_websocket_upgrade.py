"""The WebSocket handshake, its refusals and its ends, through a real worker."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

import pytest
import websocket
from gateway_process import Gateway, Wire, masked, wait_for


def test_an_echo_goes_both_ways_and_ends_cleanly(gateway: Gateway) -> None:
    client = websocket.create_connection(f"ws://127.0.0.1:{gateway.port}/ws/echo", timeout=5)
    try:
        exchange(client)
    finally:
        client.shutdown()
    wait_for(lambda: re.search(r'"GET /ws/echo HTTP/1.1" 101', gateway.log), "the access log's line")


def exchange(client: websocket.WebSocket) -> None:
    for message in ("", "héllo 世界", "x" * 65_536):
        client.send(message)
        assert client.recv() == message
    client.send_binary(b"\0" * 65_536)
    assert client.recv() == b"\0" * 65_536
    client.ping(b"are you there")
    assert client.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"are you there")
    client.send_close(1000)
    assert client.recv_data() == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xe8")
    assert client.sock.recv(1) == b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": ""}, 400),
        ({"Sec_WebSocket_Key": ""}, 400),
        ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400),
        ({"Sec_WebSocket_Key": "not base64 at all!!!!!!!"}, 400),
        ({"Connection": "keep-alive"}, 400),
        ({"Host": ""}, 400),
        ({"Content_Length": "5"}, 400),
    ],
)
def test_a_handshake_that_is_none_is_refused_by_name(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    with gateway.wire() as wire:
        wire.upgrade(**headers)
        answered, fields, body = wire.response()
    assert answered == status
    assert json.loads(body)["status"] == status
    if status == 426:
        assert fields["sec-websocket-version"] == "13"


def test_the_application_may_still_refuse_like_any_other_request(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.upgrade("/ws/refused")
        status, _, body = wire.response()
    assert (status, body) == (404, b"no such job")


def test_a_foreign_origin_is_refused_before_the_101(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.upgrade("/socket.io/?EIO=4&transport=websocket", Origin="http://evil.example")
        assert wire.response()[0] == 400


def test_a_handler_that_fails_ends_the_socket_without_an_http_response(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.upgrade("/ws/broken")
        wire.frame(1, b"go")
        wire.until(b"\r\n\r\n")
        assert wire.close_code() == 1000  # Flask turned the exception into a response, which has nowhere to go
        assert wire.rest() == b""


def test_frames_sent_along_with_the_handshake_are_not_lost(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.upgrade()
        wire.frame(1, b"early")
        wire.until(b"\r\n\r\n")
        assert wire.read_frame() == (1, b"early")


def test_nothing_is_written_after_the_close_frame(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.upgrade()
        wire.until(b"\r\n\r\n")
        wire.frame(8, b"\x0f\xa0bye")
        assert wire.read_frame() == (8, b"\x0f\xa0bye")
        assert wire.rest() == b""


def test_a_client_that_vanishes_leaves_no_traceback(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.upgrade()
        wire.until(b"\r\n\r\n")
        wire.send(masked(1, b"x" * 1000)[:500])
    wait_for(lambda: gateway.get("/"), "an answer")
    assert "WebSocketClosed" not in gateway.log


@pytest.mark.parametrize("answers", [True, False])
def test_a_socket_that_another_greenlet_reads_ends_without_a_traceback(gateway: Gateway, answers: bool) -> None:
    """Found by the soak: the connection's end read beside the application's reader, which gevent refuses."""
    with gateway.wire() as wire:
        wire.upgrade("/ws/news")
        wire.until(b"\r\n\r\n")
        assert wire.read_frame() == (1, b"news")
        assert wire.close_code() == 1000
        if answers:
            wire.frame(8, b"\x03\xe8")
        assert wire.rest() == b""
    assert "ConcurrentObjectUseError" not in gateway.log


def test_the_unfinished_message_attack_costs_no_memory_and_no_time(start_gateway: Any) -> None:
    gateway = start_gateway(workers=1)
    before = gateway.get("/vitals")
    with gateway.wire() as wire:
        wire.upgrade("/socket.io/?EIO=4&transport=websocket")
        wire.until(b"\r\n\r\n")
        attack(wire, total_bytes=200 * 2**20)
        assert wire.close_code() == 1009
    after = gateway.get("/vitals")
    assert after["resident_bytes"] - before["resident_bytes"] < 5 * 2**20
    assert after["lag_ms"] < 50


def attack(wire: Wire, total_bytes: int) -> None:
    """Send fragments of a message without end, until the server has had enough."""
    piece = 2**20
    first, following = (masked(opcode, bytes(piece), final=False) for opcode in (1, 0))
    try:
        wire.send(first)
        for _ in range(total_bytes // piece - 1):
            wire.send(following)
    except OSError:
        pass


@pytest.mark.parametrize(
    "flood",
    [masked(9, b""), masked(10, b"x" * 125), masked(1, b"", final=False) + masked(0, b""), masked(1, b"x")],
    ids=["pings", "pongs", "empty fragments", "tiny messages"],
)
def test_a_flood_of_frames_costs_the_flooder_its_connection(gateway: Gateway, flood: bytes) -> None:
    with gateway.wire() as wire:
        wire.upgrade()
        wire.until(b"\r\n\r\n")
        sending = threading.Thread(target=send_all, args=(wire, flood * 5000))
        sending.start()
        assert wire.close_code() == 1008
        sending.join()


def send_all(wire: Wire, data: bytes) -> None:
    try:
        wire.send(data)
    except OSError:
        pass


def test_a_flood_of_empty_frames_lets_the_others_run(start_gateway: Any) -> None:
    gateway = start_gateway(workers=1, websocket_frames=1 << 40, websocket_control_frames=1 << 40)
    with gateway.wire() as wire:
        wire.upgrade()
        wire.until(b"\r\n\r\n")
        flood = masked(10, b"") * 20_000
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                wire.send(flood)

        flooding = threading.Thread(target=run)
        flooding.start()
        try:
            begun = time.monotonic()
            answers = [gateway.get("/vitals") for _ in range(20)]
        finally:
            stop.set()
            flooding.join()
    assert time.monotonic() - begun < 5
    assert answers[-1]["lag_ms"] < 150


def test_more_websockets_than_allowed_are_a_503_and_plain_requests_still_run(start_gateway: Any) -> None:
    gateway = start_gateway(workers=1, websockets_per_worker=2)
    held = [gateway.wire() for _ in range(2)]
    for wire in held:
        wire.upgrade()
        wire.frame(1, b"in")
        wire.until(b"\r\n\r\n")
        assert wire.read_frame() == (1, b"in")
    with gateway.wire() as wire:
        wire.upgrade()
        status, headers, _ = wire.response()
        assert (status, headers["retry-after"]) == (503, "5")
    assert gateway.get("/")["pid"]
    held[0].sock.close()
    held[1].sock.close()

    def has_room() -> bool:
        with gateway.wire() as wire:
            wire.upgrade()
            wire.frame(1, b"in")
            return b" 101 " in wire.until(b"\r\n\r\n")

    wait_for(has_room, "room for another")
