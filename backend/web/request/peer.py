"""The client at the other end of the present request, as the server knows it."""

from __future__ import annotations

from flask import request
from werkzeug.wsgi import get_input_stream

from backend.ports.peer import KEY, Hold, Note, Peer

INPUT = "gateway.input"


class UnknownPeer:
    """Stands in where no server of ours is: in a test. It reads the body and knows nothing else."""

    is_draining = False
    listener_port = None
    websocket = None
    received_bytes = 0
    is_waiting = False

    def can_hold(self, kind: Hold) -> bool:
        return True

    def has_left(self) -> bool:
        return False

    def read(self, most_bytes: int) -> bytes:
        if INPUT not in request.environ:
            request.environ[INPUT] = get_input_stream(request.environ)
        chunk: bytes = request.environ[INPUT].read(most_bytes)
        return chunk

    def next_chunk(self, *, is_fast: bool) -> None:
        return None

    def stop_reading(self) -> None:
        pass

    def note(self, name: Note, value: str) -> None:
        pass


UNKNOWN: Peer = UnknownPeer()


def peer() -> Peer:
    """Take it while the request is handled; it may be asked later too, as by an event stream."""
    found: Peer = request.environ.get(KEY, UNKNOWN)
    return found
