"""The leases of encoders on the jobs they encode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.ports.queue import Claim


@dataclass(frozen=True, slots=True)
class ReportAck:
    """``seq``: the job's, or 0 when the job is no longer this encoder's. ``listeners``: how many subscribers received the change."""

    seq: int
    listeners: int


class Leases(Protocol):
    """A lease that is not renewed in time means that its encoder is lost. Every method raises ``BackendUnavailable``."""

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        """Renew the lease and apply ``patch`` to the status, if it is not empty. None: the job is unknown here (the state was lost).

        For an ephemeral job the lease is renewed and nothing else is recorded: its client waits for the end only.
        """

    def announce_watcher(self, job_id: str) -> None:
        """Tell the encoder of a running job that somebody watches the job from now on (``Cancellations.is_watched``)."""

    def readopt(self, claim: Claim, lease_s: float) -> bool:
        """Make a running job known again after the state was lost. False if another encoder was quicker."""

    def pause(self, job_id: str, token: str, pauses_s: Sequence[float], *, died: int = 0) -> int | None:
        """Put off a job that this encoder cannot end now, so that any may try again: for the first of ``pauses_s`` the first time, then the next.

        ``died``: how often the codec's child has died over the image now. Returns how often it did so far; None when the job is not this encoder's.
        It shows as running meanwhile, and is among ``expired`` when the pause is over.
        """

    def acquit(self, job_id: str, token: str) -> None:
        """The encoder with ``token`` was taken for lost and works after all. So that counts no more (``JobQueue.requeue``)."""

    def expired(self) -> list[str]:
        """The jobs whose lease, or whose pause, has run out."""

    def count(self) -> int:
        """How many jobs run."""
