"""WebSockets that no greenlet reads, over a socket pair: the loop tells that bytes came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gateway_process import Wire, masked
from gevent import socket, ssl

from backend.errors import Overstayed
from backend.server.connection_limits import ConnectionLimits
from backend.server.websocket.frames import message_frame
from backend.server.websocket.websocket import SHORT_BYTES, WebSocket
from tests.support.redis_places import Certificates

LIMITS = ConnectionLimits(websocket_message_bytes=5000, websocket_write_timeout_s=0.2, websocket_control_frames=30)


class Kept:
    """Hears what the socket's handler is told. ``"3"`` is handled by the loop."""

    def __init__(self, pending: bytes = b"", limits: ConnectionLimits = LIMITS, pair: tuple[Any, Any] | None = None) -> None:
        ours, theirs = pair or socket.socketpair()
        theirs.settimeout(5)
        self.peer, self._ours = Wire(theirs), ours
        self.heard: list[tuple[str, object]] = []
        self.handling: Callable[[], object] = lambda: None
        self.socket = WebSocket(ours, pending=pending, limits=limits, on_end=self._end)
        self.socket.keep(self)

    def handle_now(self, message: str | bytes) -> bool:
        if message == "3":
            self.heard.append(("now", message))
        return message == "3"

    def handle(self, message: str | bytes) -> None:
        self.handling()
        self.heard.append(("message", message))

    def ended(self) -> None:
        self.heard.append(("ended", None))

    def _end(self, was_cut: bool) -> None:
        self.heard.append(("cut" if was_cut else "end", None))
        self._ours.close()

    def hears(self, count: int) -> list[tuple[str, object]]:
        with gevent.Timeout(5):
            while len(self.heard) < count:
                gevent.sleep(0.001)
        return self.heard

    def close(self) -> None:
        self.peer.sock.close()
        with gevent.Timeout(5):
            while self.heard[-1:] not in ([("end", None)], [("cut", None)]):
                gevent.sleep(0.001)
        gevent.sleep(0.001)


@pytest.fixture
def kept() -> Iterator[Kept]:
    made = Kept()
    yield made
    made.close()


ENDED = [("ended", None), ("end", None)]


def test_messages_are_handled_in_order_whether_the_loop_or_a_greenlet_does_it(kept: Kept) -> None:
    kept.handling = lambda: gevent.sleep(0.01)
    kept.peer.send(masked(1, b"3") + masked(1, b"one") + masked(1, b"3") + masked(2, b"two"))
    assert kept.hears(4) == [("now", "3"), ("message", "one"), ("now", "3"), ("message", b"two")]
    kept.peer.frame(1, b"three")
    assert kept.hears(5)[-1] == ("message", "three")


def test_a_message_that_comes_byte_by_byte_in_fragments_is_one(kept: Kept) -> None:
    for byte in masked(1, "世".encode()[:2], final=False) + masked(9, b"?") + masked(0, "世".encode()[2:]):
        kept.peer.send(bytes((byte,)))
        gevent.sleep(0)
    assert kept.hears(1) == [("message", "世")]
    assert kept.peer.read_frame() == (10, b"?")


def test_what_came_with_the_handshake_is_not_lost() -> None:
    kept = Kept(pending=masked(1, b"early") + masked(1, b"late")[:3])
    assert kept.hears(1) == [("message", "early")]
    kept.peer.send(masked(1, b"late")[3:])
    assert kept.hears(2)[-1] == ("message", "late")
    kept.close()


def test_more_than_is_short_is_handled_too(kept: Kept) -> None:
    kept.peer.send(masked(2, bytes(SHORT_BYTES * 2)) + masked(1, b"3") * SHORT_BYTES)
    assert kept.hears(1 + SHORT_BYTES) == [("message", bytes(SHORT_BYTES * 2))] + [("now", "3")] * SHORT_BYTES


@pytest.mark.parametrize(
    ("raw", "code"), [(masked(9, b"") * 31, 1008), (masked(2, bytes(5001)), 1009), (b"\x81\x02hi", 1002), (masked(8, b"\x03\xe8"), 1000)]
)
def test_a_breach_or_a_close_ends_it_once_with_its_code(kept: Kept, raw: bytes, code: int) -> None:
    kept.peer.send(raw)
    assert kept.peer.close_code() == code
    assert kept.hears(2) == ENDED and kept.socket.closed


def test_a_peer_that_is_gone_ends_it(kept: Kept) -> None:
    kept.peer.sock.close()
    assert kept.hears(2) == ENDED


def test_our_close_goes_out_behind_what_waits_and_a_silent_peer_is_not_waited_for(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.server.websocket.endpoint.CLOSE_WAIT_S", 0.05)
    kept.socket.send_soon(message_frame("last"))
    kept.socket.close(1001, "")
    assert [kept.peer.read_frame(), kept.peer.read_frame()] == [(1, b"last"), (8, b"\x03\xe9")]
    assert kept.hears(2) == ENDED


def test_a_peer_that_reads_late_gets_every_frame_whole_and_in_order() -> None:
    kept = Kept(limits=ConnectionLimits(websocket_write_timeout_s=5))
    frames = [bytes((number,)) * 50_000 for number in range(100)]
    for each in frames:
        kept.socket.send_soon(message_frame(each))
    assert kept.socket.waiting_frames > 50
    kept.peer.frame(1, b"still heard")
    assert kept.hears(1) == [("message", "still heard")]
    assert [kept.peer.read_frame() for _ in frames] == [(2, each) for each in frames]
    gevent.sleep(0.01)
    assert kept.socket.waiting_frames == 0 and not kept.socket.closed
    kept.close()


def test_a_peer_that_reads_nothing_is_cut_off_and_what_waits_is_freed(kept: Kept) -> None:
    for _ in range(100):
        kept.socket.send_soon(message_frame(bytes(50_000)))
    assert kept.hears(2) == ENDED
    assert kept.socket.waiting_frames == 0 and kept.socket.closed


def test_a_handler_that_the_watchdog_ends_is_no_good_end(kept: Kept) -> None:
    def spin() -> None:
        raise Overstayed

    kept.handling = spin
    kept.peer.frame(1, b"go")
    assert kept.hears(2) == [("ended", None), ("cut", None)]


def test_over_tls_what_openssl_has_taken_is_not_waited_for(tmp_path: Path) -> None:
    """The loop sees the socket alone, and the bytes of a record that was begun are no longer there."""
    certificate, key = Certificates(tmp_path).sign("here", "DNS:here")
    (context := ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)).load_cert_chain(certificate, key)
    ours, theirs = socket.socketpair()
    (trusting := ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    shaking = gevent.spawn(trusting.wrap_socket, theirs)
    encrypted = context.wrap_socket(ours, server_side=True)
    kept = Kept(pair=(encrypted, shaking.get(timeout=5)))
    kept.peer.send(b"".join(masked(1, b"x" * 120) for _ in range(100)))
    assert kept.hears(100) == [("message", "x" * 120)] * 100
    for number in range(60):
        kept.socket.send_soon(message_frame(bytes((number,)) * 50_000))
    assert kept.socket.waiting_frames > 20
    assert [kept.peer.read_frame()[1][:1] for _ in range(60)] == [bytes((number,)) for number in range(60)]
    kept.close()
