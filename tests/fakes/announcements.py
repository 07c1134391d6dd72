"""Announcements within the process; a test may lose some (``is_deaf``) and report the gap itself."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.job import Status
from backend.ports.announcements import Kind
from tests.fakes.server import MemoryServer


class MemoryAnnouncements:
    def __init__(
        self,
        server: MemoryServer,
        on_change: Callable[[str, str], None],
        on_message: Callable[[str, str, str], None] = lambda kind, name, text: None,
    ) -> None:
        self._server, self._on_change, self._on_message = server, on_change, on_message
        self.subscribed: set[tuple[Kind, str]] = set()
        self.is_deaf = False
        server.publish = self._receive
        server.listeners = lambda job_id: int(("changed", job_id) in self.subscribed)

    def start(self) -> None:
        """There is nothing to start."""

    def subscribe(self, name: str, kind: Kind = "changed") -> None:
        self._server.reach()
        self.subscribed.add((kind, name))

    def unsubscribe(self, name: str, kind: Kind = "changed") -> None:
        self.subscribed.discard((kind, name))

    def _receive(self, job_id: str, text: str) -> None:
        if self.is_deaf:
            return
        if ("changed", job_id) in self.subscribed:
            self._on_change(job_id, text)
        if ("ended", job_id) in self.subscribed and (not text or Status.from_json(text).has_ended):
            self._on_message("ended", job_id, text)
