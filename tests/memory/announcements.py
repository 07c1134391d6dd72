"""Announcements within the process; a test may lose some (``is_deaf``) and tell of the gap itself."""

from __future__ import annotations

from collections.abc import Callable

from tests.memory.jobs import MemoryJobs


class MemoryAnnouncements:
    def __init__(self, jobs: MemoryJobs, on_change: Callable[[str, str], None]) -> None:
        self._jobs, self._on_change = jobs, on_change
        self.listened: set[str] = set()
        self.is_deaf = False
        jobs.publish = self._hear

    def listen(self, job_id: str) -> None:
        self._jobs.ping()
        self.listened.add(job_id)

    def ignore(self, job_id: str) -> None:
        self.listened.discard(job_id)

    def _hear(self, job_id: str, text: str) -> None:
        if job_id in self.listened and not self.is_deaf:
            self._on_change(job_id, text)
