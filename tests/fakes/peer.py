"""A client whose body comes as a test says, and whose connection is as a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backend.ports.peer import Note


@dataclass
class MemoryPeer:
    """``read_next`` gives the body piece by piece. ``chunks_asked`` has an entry for each ``next_chunk``: whether the sender was called fast."""

    read_next: Callable[[], bytes] = lambda: b""
    listener_port: int | None = None
    is_draining: bool = False
    is_waiting: bool = False
    websocket: None = None
    received_bytes: int = 0
    chunks_asked: list[bool] = field(default_factory=list)
    notes: dict[Note, str] = field(default_factory=dict)

    def has_left(self) -> bool:
        return False

    def read(self, most_bytes: int) -> bytes:
        piece = self.read_next()
        self.received_bytes += len(piece)
        return piece

    def next_chunk(self, *, is_fast: bool) -> None:
        self.chunks_asked.append(is_fast)

    def stop_reading(self) -> None:
        self.read_next = lambda: b""

    def note(self, name: Note, value: str) -> None:
        self.notes[name] = value
