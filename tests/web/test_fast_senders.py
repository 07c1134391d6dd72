"""Who is sent the quick way past the loop: only a sender that has been a fast one since its body began."""

from __future__ import annotations

import pytest
from flask import Flask, request

from backend.web.request import bodies


class Body:
    """A body of full reads, whose sender brings each in so many seconds, and its stretches."""

    def __init__(self, read_s: float) -> None:
        self.now_s, self.read_s, self.left, self.stretches = 100.0, read_s, 8, 0

    def read1(self, size: int) -> bytes:
        self.now_s += self.read_s
        self.left -= 1
        return b"x" * bodies.CHUNK_BYTES if self.left >= 0 else b""

    def stretch(self, is_fast: bool) -> None:
        self.stretches += is_fast


@pytest.mark.parametrize(
    ("mib_per_s", "is_fast"), [(200, True), (17, True), (15, False), (1, False)], ids=["a machine", "just fast", "just not", "a phone"]
)
def test_a_sender_is_fast_by_its_rate_since_the_body_began(monkeypatch: pytest.MonkeyPatch, mib_per_s: float, is_fast: bool) -> None:
    """All fill their reads, as slow ones do while a busy loop has no time for them."""
    body = Body(bodies.CHUNK_BYTES / (mib_per_s * (1 << 20)))
    monkeypatch.setattr(bodies.time, "monotonic", lambda: body.now_s)
    assert drawn(body) == 8 * bodies.CHUNK_BYTES
    assert (body.stretches > 0) == is_fast


def test_one_full_read_makes_nobody_fast() -> None:
    body = Body(0.0)
    chunks = iter([b"x" * bodies.CHUNK_BYTES, b"x" * 10, b"x" * bodies.CHUNK_BYTES, b""])
    body.read1 = lambda size: next(chunks)  # type: ignore[method-assign]
    drawn(body)
    assert body.stretches == 0


def drawn(body: Body) -> int:
    with Flask("test").test_request_context():
        request.environ["wsgi.input_terminated"] = True
        request.__dict__["stream"] = body
        return sum(len(piece) for piece in bodies.pieces() if isinstance(piece, bytes))
