"""Hints that a job has changed. Each may be lost, so nothing may depend on one."""

from __future__ import annotations

from typing import Literal, Protocol

Kind = Literal["changed", "ended", "stopped", "watched"]
"""Every change of a job; the end of a job; a job was taken from an encoder; an encoder's job is watched from now on. Also the beginnings of the
channels' names."""


class Announcements(Protocol):
    """What one process is subscribed to. ``name``: a job's id; for ``stopped`` and ``watched`` an encoder's name."""

    def start(self) -> None:
        """Begin to listen. ``subscribe`` does that too; it is quicker when this was done before."""

    def subscribe(self, name: str, kind: Kind = "changed") -> None:
        """Return once every later announcement is received. Raises ``BackendUnavailable``."""

    def unsubscribe(self, name: str, kind: Kind = "changed") -> None: ...


class Cancellations(Protocol):
    """Tells an encoder of its job, sooner than its next report would: that it was cancelled, erased, or given to another encoder; and that
    somebody watches it from now on."""

    def start(self) -> None:
        """Begin to listen, in the background."""

    def is_connected(self) -> bool:
        """Whether a cancellation would be heard now, as far as is known."""

    def new_token(self) -> str:
        """A token under which a job is taken so that its cancellation is heard."""

    def is_cancelled(self, token: str) -> bool:
        """Whether the job under ``token`` was taken away. True once."""

    def is_watched(self, token: str) -> bool:
        """Whether somebody began to watch the job under ``token``. True once for each."""
