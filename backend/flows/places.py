"""Places for what a process does at once on behalf of its clients. A free place goes to the client whose turn it is; none has more than a share."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Places:
    """``count`` places, of which one client has ``share`` at most, so that nobody keeps the others waiting for long."""

    count: int
    share: int
    _taken: Counter[str] = field(init=False, default_factory=Counter)
    _lines: dict[str, deque[threading.Event]] = field(init=False, default_factory=dict)
    """Who waits, by client. The next turn is the first client's."""
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    @contextmanager
    def take(self, client: str, pulse: Callable[[], None], pulse_s: float) -> Iterator[None]:
        """Wait for a place and have it. ``pulse`` is called every ``pulse_s`` while waiting; what it raises ends that."""
        admitted = threading.Event()
        with self._lock:
            self._lines.setdefault(client, deque()).append(admitted)
            self._admit()
        try:
            while not admitted.wait(pulse_s):
                pulse()
            yield
        finally:
            self._leave(client, admitted)

    def _leave(self, client: str, admitted: threading.Event) -> None:
        with self._lock:
            if admitted.is_set():
                self._taken[client] -= 1
                self._taken += Counter()  # forgets clients that have none
            else:
                self._lines[client].remove(admitted)
            self._admit()

    def _admit(self) -> None:
        while self._taken.total() < self.count and (client := self._next_client()) is not None:
            line = self._lines.pop(client)
            line.popleft().set()
            self._taken[client] += 1
            self._lines[client] = line  # behind the others

    def _next_client(self) -> str | None:
        self._lines = {client: line for client, line in self._lines.items() if line}
        return next((client for client in self._lines if self._taken[client] < self.share), None)
