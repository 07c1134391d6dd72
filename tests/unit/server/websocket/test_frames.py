"""RFC 6455 frame by frame, over a socket pair. gevent's sockets are used on our side, plain bytes on the peer's."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from gateway_process import Wire, masked
from gevent import socket

from backend.server.connection_limits import ConnectionLimits
from backend.server.websocket.endpoint import WebSocketClosed
from backend.server.websocket.frames import encode_header, unmask
from backend.server.websocket.websocket import WebSocket

Pair = tuple[WebSocket, Wire]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    yield WebSocket(ours, limits=ConnectionLimits(websocket_message_bytes=1000, websocket_write_timeout_s=0.2)), Wire(theirs)
    ours.close()
    theirs.close()


def test_fragments_make_one_message_and_pings_between_them_are_answered(pair: Pair) -> None:
    socket_, peer = pair
    peer.frame(1, b"one ", final=False)
    peer.frame(9, b"?")
    peer.frame(0, b"", final=False)
    peer.frame(0, b"two")
    peer.frame(2, b"\0\1")
    assert [socket_.receive(), socket_.receive()] == ["one two", b"\0\1"]
    assert peer.read_frame() == (10, b"?")


def test_a_character_split_between_two_fragments_is_one_character(pair: Pair) -> None:
    socket_, peer = pair
    peer.frame(1, "世".encode()[:2], final=False)
    peer.frame(0, "世".encode()[2:])
    assert socket_.receive() == "世"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
        (masked(3, b""), 1002),
        (masked(11, b""), 1002),
        (masked(0, b"x"), 1002),
        (masked(1, b"a", final=False) + masked(1, b"b"), 1002),
        (masked(9, b"", final=False), 1002),
        (b"\x89\xfe\x00\x7e" + bytes(130), 1002),  # a ping of 126 bytes
        (b"\x81\xfe\x00\x05" + bytes(9), 1002),  # a length in more bytes than it needs
        (b"\x82\xff" + b"\xff" * 8 + bytes(4), 1002),
        (masked(1, b"\xff"), 1007),
        (masked(1, b"ok\xf4\x90", final=False), 1007),  # fails before the message ends
        (masked(1, b"\xed\xa0\x80"), 1007),
        (masked(1, b"\xe4\xb8"), 1007),  # ends in mid-character
        (b"\x82\xfe\x03\xe9" + bytes(4), 1009),  # refused by its header, before a byte of it came
        (masked(2, bytes(600), final=False) + masked(0, bytes(401)), 1009),
        (masked(8, b"\x03"), 1002),
        (masked(8, b"\x03\xed"), 1002),
        (masked(8, b"\x03\xe8\xff"), 1007),
        (masked(8, b"\x03\xe9bye"), 1001),
    ],
)
def test_what_breaks_the_protocol_is_closed_with_its_code(pair: Pair, raw: bytes, code: int) -> None:
    socket_, peer = pair
    peer.send(raw)
    assert socket_.receive() is None
    assert peer.close_code() == code
    assert socket_.closed and socket_.receive() is None


def test_an_empty_close_frame_is_answered_by_an_empty_one(pair: Pair) -> None:
    socket_, peer = pair
    peer.frame(8, b"")
    assert socket_.receive() is None
    assert peer.read_frame() == (8, b"")


def test_the_end_of_the_stream_is_the_end(pair: Pair) -> None:
    socket_, peer = pair
    peer.sock.close()
    assert socket_.receive() is None


def test_a_slow_reader_is_cut_off_and_the_sender_told(pair: Pair) -> None:
    socket_, _ = pair
    with pytest.raises(WebSocketClosed):
        for _ in range(100):
            socket_.send(bytes(100_000))
    assert socket_.closed and socket_.receive() is None
    with pytest.raises(ConnectionError):
        socket_.send("more")


def test_a_timeout_of_the_callers_own_in_mid_frame_ends_the_socket(pair: Pair) -> None:
    socket_, _ = pair
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        while True:
            socket_.send(bytes(100_000))
    assert socket_.closed


def test_frames_of_two_greenlets_do_not_mix(pair: Pair) -> None:
    socket_, peer = pair
    socket_._writer._timeout_s = 5
    senders = [gevent.spawn(socket_.send, bytes([number]) * 400_000) for number in range(4)]
    received = [peer.read_frame() for _ in senders]
    gevent.joinall(senders, raise_error=True)
    assert sorted(payload[:1] for _, payload in received) == [b"\0", b"\1", b"\2", b"\3"]
    assert all(payload == payload[:1] * 400_000 for _, payload in received)


def test_nothing_moves_before_the_handshake_is_accepted() -> None:
    ours, theirs = socket.socketpair()
    accepted: list[bool] = []
    socket_ = WebSocket(ours, "/x", accept=lambda: accepted.append(True), pending=masked(1, b"early"))
    socket_.close()
    assert (socket_.path, socket_.closed, accepted) == ("/x", False, [])
    assert socket_.receive() == "early"
    socket_.send("late")
    assert accepted == [True]
    ours.close()
    theirs.close()


def test_a_peer_that_does_not_answer_our_close_is_not_waited_for_long(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.server.websocket.endpoint.CLOSE_WAIT_S", 0.05)
    socket_, peer = pair
    socket_.ping()
    socket_.close(1001, "x" * 200)
    with gevent.Timeout(2):
        assert socket_.receive() is None
    assert peer.read_frame() == (9, b"")
    assert peer.read_frame() == (8, b"\x03\xe9" + b"x" * 123)


def test_unmasking_turns_the_mask_with_the_offset() -> None:
    mask, text = b"\x01\x02\x03\x04", bytes(range(256)) * 3
    expected = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
    assert unmask(text, mask) == expected
    assert b"".join(unmask(text[start : start + 7], mask, start) for start in range(0, len(text), 7)) == expected
    assert unmask(b"", mask) == b""


@pytest.mark.parametrize(
    ("length", "header"),
    [(0, b"\x82\0"), (125, b"\x82\x7d"), (126, b"\x82\x7e\0\x7e"), (65536, b"\x82\x7f" + b"\0" * 5 + b"\1\0\0")],
)
def test_a_length_takes_as_few_bytes_as_it_can(length: int, header: bytes) -> None:
    assert encode_header(2, length) == header
