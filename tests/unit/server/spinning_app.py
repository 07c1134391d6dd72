"""``sample_app`` with routes that misbehave: the watchdog's tests run it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sample_app import app, client, socketio

__all__ = ["app", "socketio"]


def spin() -> None:
    """For ever, and deaf to ordinary errors."""
    count = 0
    while True:
        try:
            count += sum(range(1000))
        except Exception:
            count = 0


@app.get("/spin")
def spinning() -> str:
    spin()
    return ""


@app.get("/spin/after-a-part")
def spinning_after_a_part() -> Iterator[bytes]:
    yield b"a part"
    spin()


@app.get("/ws/spin", websocket=True)
def spinning_websocket() -> str:
    socket = client().websocket
    assert socket is not None
    socket.receive()
    spin()
    return ""


@app.get("/work/<int:milliseconds>")
def work(milliseconds: int) -> dict[str, int]:
    """Honest work of so long, which is less than what is ended."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass
    return {"worked": milliseconds}
