"""Hints that a job has changed. Nothing depends on one arriving."""

from __future__ import annotations

from typing import Literal, Protocol

Heard = Literal["changed", "ended", "stopped"]
"""Every change of a job; that it is over; that a job was taken out of an encoder's hands."""


class Announcements(Protocol):
    """Hints that a job has changed, or ended; each may be lost, none is depended upon."""

    def listen(self, name: str, what: Heard = "changed") -> None:
        """Returns once every later one is announced."""

    def ignore(self, name: str, what: Heard = "changed") -> None: ...


class Cancellations(Protocol):
    """Says that a running job was taken out of this encoder's hands, sooner than its next report would. Hints, as ``Announcements``."""

    def are_heard(self) -> bool:
        """Now, as far as is known."""

    def new_token(self) -> str:
        """For the next job: one that stops can be told of."""

    def is_cancelled(self, token: str) -> bool:
        """Whether one came; it is told once."""
