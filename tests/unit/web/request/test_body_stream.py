"""Which sender's bytes may go around the loop: only those of one that has been fast since its body began."""

from __future__ import annotations

import pytest
from flask import Flask, request

from backend.ports.peer import KEY, Peer
from backend.web.request import body_stream
from tests.fakes.peer import MemoryPeer

CHUNK = b"x" * body_stream.CHUNK_BYTES


class SteadySender:
    """Brings eight full chunks, each in ``read_s`` of its own clock."""

    def __init__(self, read_s: float) -> None:
        self.now_s, self._read_s, self._left = 100.0, read_s, 8

    def __call__(self) -> bytes:
        self.now_s += self._read_s
        self._left -= 1
        return CHUNK if self._left >= 0 else b""


@pytest.mark.parametrize(
    ("mib_per_s", "is_fast"), [(200, True), (17, True), (15, False), (1, False)], ids=["a machine", "just fast", "just not", "a phone"]
)
def test_a_sender_is_fast_by_its_rate_since_the_body_began(monkeypatch: pytest.MonkeyPatch, mib_per_s: float, is_fast: bool) -> None:
    """All fill their reads, as slow ones do while a busy loop has no time for them."""
    sender = SteadySender(body_stream.CHUNK_BYTES / (mib_per_s * (1 << 20)))
    monkeypatch.setattr(body_stream.time, "monotonic", lambda: sender.now_s)
    peer = MemoryPeer(sender)
    assert read_all(peer) == 8 * body_stream.CHUNK_BYTES
    assert any(peer.chunks_asked) == is_fast


def test_one_full_read_makes_nobody_fast() -> None:
    chunks = iter([CHUNK, b"x" * 10, CHUNK, b""])
    peer = MemoryPeer(lambda: next(chunks))
    read_all(peer)
    assert not any(peer.chunks_asked)


def read_all(peer: Peer) -> int:
    with Flask("test").test_request_context():
        request.environ[KEY] = peer
        return sum(len(piece) for piece in body_stream.pieces() if isinstance(piece, bytes))
