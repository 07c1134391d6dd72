"""Announcements within the process; a test may lose some (``is_deaf``) and tell of the gap itself."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.job import Status
from backend.ports.announcements import Heard
from tests.memory.server import MemoryServer


class MemoryAnnouncements:
    def __init__(
        self, server: MemoryServer, on_change: Callable[[str, str], None], on_word: Callable[[str, str, str], None] = lambda what, name, text: None
    ) -> None:
        self._server, self._on_change, self._on_word = server, on_change, on_word
        self.listened: set[tuple[Heard, str]] = set()
        self.is_deaf = False
        server.publish = self._hear
        server.listeners = lambda job_id: int(("changed", job_id) in self.listened)

    def listen(self, name: str, what: Heard = "changed") -> None:
        self._server.reach()
        self.listened.add((what, name))

    def ignore(self, name: str, what: Heard = "changed") -> None:
        self.listened.discard((what, name))

    def _hear(self, job_id: str, text: str) -> None:
        if self.is_deaf:
            return
        if ("changed", job_id) in self.listened:
            self._on_change(job_id, text)
        if ("ended", job_id) in self.listened and (not text or Status.from_json(text).has_ended):
            self._on_word("ended", job_id, text)
