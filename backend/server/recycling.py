"""Lets one worker at a time end itself after ``max_requests``.

Gunicorn starts a worker's successor when the worker is gone, and a worker that drains accepts nothing. Requests are spread evenly, so all workers
reach the limit together. A few clients that read slowly would then hold up everybody until the graceful timeout.
"""

from __future__ import annotations

import fcntl
import os
import time

from backend.server.run_dir import SOCKET_SUFFIX, lasting_dir, run_dir

LOCK = "recycling.lock"
AGAIN_REQUESTS = 20
"""After so many more requests a worker that may not end yet asks again."""
MISSING_S = 60.0
"""So long it waits for siblings that are not there. There may be fewer for good (SIGTTOU)."""


class Recycling:
    """Of one worker. ``workers`` is how many there shall be."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._asked_s: float | None = None
        self._lock = -1

    def postponed_by(self) -> int:
        """Requests to serve before the end is due again; 0: now."""
        return 0 if self._workers == 1 or lasting_dir() is None or self._may_end() else AGAIN_REQUESTS

    def _may_end(self) -> bool:
        """Whether no other drains and all accept. The lock is kept until this process is gone; a worker that drains has removed its socket."""
        self._asked_s = self._asked_s or time.monotonic()
        return self._has_lock() and (self._are_all_there() or time.monotonic() - self._asked_s > MISSING_S)

    def _are_all_there(self) -> bool:
        return len(list(run_dir().glob(f"*{SOCKET_SUFFIX}"))) >= self._workers

    def _has_lock(self) -> bool:
        if self._lock >= 0:
            return True
        descriptor = os.open(run_dir() / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True
