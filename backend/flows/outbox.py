"""What one watcher has not read yet: bounded, and when it overflows only the newest state is kept."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

from backend.core.job import Job

T = TypeVar("T")
MOST_CHANGES = 128
"""Twelve seconds of changes at the full rate. A watcher that is further behind is better served by the present state than by history."""


class Outbox:
    """``put`` never waits, so a slow reader slows nobody."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._filled = threading.Event()

    def put(self, job: Job) -> None:
        if len(self._waiting) >= MOST_CHANGES:
            self._waiting.clear()
        self._waiting.append(job)
        self._filled.set()

    def take(self, seconds: float) -> list[Job]:
        """All that waits, in order; empty when nothing came within so many seconds."""
        self._filled.wait(seconds)
        self._filled.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Latest(Generic[T]):
    """As ``Outbox``, for values of which only the newest counts."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._filled = threading.Event()

    def put(self, value: T) -> None:
        self._value = value
        self._filled.set()

    def take(self, seconds: float) -> T | None:
        """The newest value; None when none came within so many seconds."""
        self._filled.wait(seconds)
        self._filled.clear()
        value, self._value = self._value, None
        return value
