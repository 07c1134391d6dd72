"""Socket.IO sessions of several workers behind one port."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from gateway_process import Gateway, Wire, masked, wait_for

from backend.server.socketio import handover_message
from backend.server.socketio.session_ids import new_session_id, owner_of

RunNode = Callable[..., "subprocess.Popen[str]"]


def open_session(gateway: Gateway) -> tuple[str, Wire]:
    wire = gateway.wire()
    wire.send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: t\r\n\r\n")
    _, _, body = wire.response()
    return json.loads(body[1:])["sid"], wire


def poll(wire: Wire, session_id: str) -> tuple[int, dict[str, str], bytes]:
    wire.send(f"GET /socket.io/?EIO=4&transport=polling&sid={session_id} HTTP/1.1\r\nHost: t\r\n\r\n")
    return wire.response()


def post(wire: Wire, session_id: str, packet: bytes) -> tuple[int, dict[str, str], bytes]:
    wire.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session_id} HTTP/1.1\r\nHost: t\r\nContent-Length: {len(packet)}\r\n\r\n")
    wire.send(packet)
    return wire.response()


@pytest.mark.parametrize(("mode", "upgraded"), [("default", 40), ("websocket", 40), ("polling", 0)])
def test_forty_official_clients_reach_their_session_among_five_workers(gateway: Gateway, run_node: RunNode, mode: str, upgraded: int) -> None:
    """Which worker accepts is chance, and a loaded machine's first to wake may take them all: then once more."""
    for _ in range(5):
        clients = run_node("many_clients.js", gateway.url, "40", mode)
        report = json.loads(clients.communicate(timeout=25)[0])
        assert (report["ok"], report["upgraded"], report["errors"]) == (40, upgraded, {})
        if report["workers"] > 1:
            break
    assert report["workers"] > 1


def test_one_connection_may_serve_the_sessions_of_several_workers(gateway: Gateway) -> None:
    """Which worker accepts is chance, and one may be quickest a dozen times."""
    opened: dict[str, list[str]] = {}
    with ExitStack() as openers:
        for _ in range(300):
            session_id, opener = open_session(gateway)
            openers.enter_context(opener)
            opened.setdefault(session_id.split(".")[0], []).append(session_id)
            if len(opened) > 1 and sum(map(len, opened.values())) >= 12:
                break
        assert len(opened) > 1
        with gateway.wire() as wire:
            for session_id in (each for sessions in opened.values() for each in sessions[:6]):
                assert post(wire, session_id, b"40")[0] == 200
                status, _, body = poll(wire, session_id)
                assert (status, body[:2]) == (200, b"40")


def test_a_post_whose_body_comes_later_than_its_head_is_handed_over_whole(gateway: Gateway) -> None:
    session_id, opener = open_session(gateway)
    for _ in range(6):
        with gateway.wire() as wire:
            wire.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session_id} HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n4")
            assert gateway.get("/")["pid"]
            wire.send("0")
            assert wire.response()[0] == 200
    opener.sock.close()


def test_the_client_address_survives_the_hand_over(gateway: Gateway) -> None:
    session_id, opener = open_session(gateway)
    post(opener, session_id, b"40")
    poll(opener, session_id)
    for number in range(6):
        with gateway.wire() as wire:
            assert post(wire, session_id, b'42%d["who"]' % number)[0] == 200
            answer = poll(wire, session_id)[2]
            assert json.loads(answer.partition(b"[")[1] + answer.partition(b"[")[2])[0]["client"] == "127.0.0.1"
    opener.sock.close()


@pytest.mark.parametrize("session_id", ["0123456789abcdef." + "A" * 24, "../../../etc/passwd", "x", "0123456789abcdef.%00"])
def test_a_session_id_without_a_living_owner_is_a_400(gateway: Gateway, session_id: str) -> None:
    with gateway.wire() as wire:
        assert poll(wire, session_id)[0] == 400


def test_a_post_to_a_closed_session_is_a_400_and_not_a_500(gateway: Gateway) -> None:
    session_id, wire = open_session(gateway)
    assert post(wire, session_id, b"1")[0] == 200
    assert post(wire, session_id, b"40")[0] == 400
    wire.sock.close()
    assert "KeyError" not in gateway.log


@pytest.mark.parametrize("garbage", [b"zzz", b"", b"4zzz", b"40,", b"42", b"42{}", b"4" + b"9" * 300])
def test_garbage_on_a_websocket_closes_it_without_a_traceback(gateway: Gateway, garbage: bytes) -> None:
    with gateway.wire() as wire:
        wire.upgrade("/socket.io/?EIO=4&transport=websocket")
        wire.until(b"\r\n\r\n")
        wire.read_frame()
        wire.frame(1, b"40")
        wire.read_frame()
        wire.frame(1, garbage)
        assert wire.close_code() in (1000, 1002)
        wire.frame(8, b"\x03\xe8")
        wire.rest()
    assert "Traceback" not in gateway.log, gateway.log[gateway.log.find("Traceback") - 200 :]


HOSTILE = (b'451-["who",{"_placeholder":true,"num":0}]', b"46999999999-[1]", b"42" + b"[" * 60_000, b'42["who",' + b"9" * 50_000 + b"]")


@pytest.mark.parametrize("hostile", HOSTILE, ids=["attachment", "attachments", "nesting", "number"])
def test_binary_packets_and_bottomless_json_end_the_session_alone(gateway: Gateway, hostile: bytes) -> None:
    with gateway.wire() as wire:
        join(wire)
        wire.frame(1, hostile)
        assert wire.close_code() in (1000, 1002)
    assert gateway.get("/")["pid"]
    assert "Traceback" not in gateway.log, gateway.log[gateway.log.find("Traceback") - 200 :]


def test_a_binary_message_ends_the_session(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        join(wire)
        wire.frame(2, bytes(1000))
        assert wire.close_code() in (1000, 1002)


def test_a_flood_of_messages_ends_the_session_whatever_they_say(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway(workers=1, session_messages=50)
    with gateway.wire() as wire:
        join(wire)
        wire.send(masked(1, b'42["unheard-of",{}]') * 60)
        assert wire.close_code() in (1000, 1002)
    with gateway.wire() as wire:
        join(wire)
        for number in range(40):
            wire.frame(1, f'42{number}["who"]'.encode())
            assert wire.read_frame()[1].startswith(f"43{number}".encode())


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_session_that_joins_no_namespace_is_reaped_though_it_answers(start_gateway: Callable[..., Gateway], transport: str) -> None:
    gateway = start_gateway(workers=1, session_connect_timeout_s=1.0)
    if transport == "polling":
        session_id, wire = open_session(gateway)
        status, _, body = poll(wire, session_id)
        assert status == 400 or body == b"1"
    else:
        with gateway.wire() as wire:
            wire.upgrade("/socket.io/?EIO=4&transport=websocket")
            wire.until(b"\r\n\r\n")
            assert wire.close_code() in (1000, 1002)
    with gateway.wire() as wire:
        join(wire)
        wire.frame(1, b'421["who"]')
        assert wire.read_frame()[1].startswith(b"431")


def join(wire: Wire) -> None:
    """A WebSocket-only Socket.IO client, connected to the default namespace."""
    wire.upgrade("/socket.io/?EIO=4&transport=websocket")
    wire.until(b"\r\n\r\n")
    wire.read_frame()
    wire.frame(1, b"40")
    assert wire.read_frame()[1].startswith(b"40")


def test_the_run_directory_is_private_and_holds_one_door_per_worker(gateway: Gateway) -> None:
    directory = Path(gateway.run_dir.name) / "run"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert len(gateway.doors()) == gateway.workers


def test_only_ids_of_our_own_making_name_an_owner() -> None:
    session_id = new_session_id()
    assert owner_of(f"EIO=4&sid={session_id}&t=1") == session_id.split(".")[0]
    for query in ("", "sid=", "sid=abc", f"xsid={session_id}", f"sid={session_id}A", f"sid=/{session_id}", f"sid={session_id.upper()}"):
        assert owner_of(query) is None


def test_a_parcel_that_breaks_off_leaves_no_descriptor_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for parcel, rest in ((b"", b""), (b"\0\0\0\x09", b"short")):
        ours, theirs = socket.socketpair()
        with ours, theirs, open("/dev/null") as file:
            if parcel:
                socket.send_fds(theirs, [parcel], [file.fileno()])
            theirs.sendall(rest)
            theirs.shutdown(socket.SHUT_WR)
            with pytest.raises((EOFError, ValueError)):
                handover_message.receive(ours)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_parcel_arrives_as_it_was_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open("/dev/null") as file:
        handover_message.send(theirs, file.fileno(), b"x" * 100_000)
        descriptor, parcel = handover_message.receive(ours)
        os.close(descriptor)
    assert parcel == b"x" * 100_000


def test_clients_of_a_killed_worker_reconnect_and_its_door_is_swept(start_gateway: Callable[..., Gateway], run_node: RunNode) -> None:
    gateway = start_gateway(workers=3)
    clients = run_node("lasting_clients.js", gateway.url, "12")
    state: dict[str, Any] = {}

    def next_state() -> dict[str, Any]:
        assert clients.stdout
        return json.loads(clients.stdout.readline())  # type: ignore[no-any-return]

    try:
        while state.get("connected") != 12:
            state = next_state()
        victim = state["pids"][0]
        os.kill(victim, 9)
        wait_for(lambda: len(gateway.booted()) == 4, "a new worker")
        while state["connected"] != 12 or victim in state["pids"]:
            state = next_state()
        wait_for(lambda: len(gateway.doors()) == 3, "the dead worker's door swept")
    finally:
        clients.kill()
        clients.communicate()
