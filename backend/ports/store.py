"""The store: sources, results, and how each job ended. It is the truth; Redis can be rebuilt from it at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from backend.ports.housekeeping import Housekeeping
from backend.ports.job_records import JobRecords
from backend.ports.result_files import ResultFiles
from backend.ports.source_files import SourceFiles


class SocketChunk(Protocol):
    """The next bytes of a body, which are to be had from its socket."""

    def receive_into(self, take: Callable[[int, int], int], most_bytes: int) -> int:
        """How many ``take(source_fd, most_bytes)`` took; it is called once at most. 0: what there is comes by another way."""


class Store(SourceFiles, ResultFiles, JobRecords, Housekeeping, Protocol):
    """One adapter has all four capabilities: they share folders or a bucket. A caller that needs one of them may ask for that alone."""
