"""What each client uses of its share: jobs under way, bytes of a day, unfinished resumable uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ClientUse:
    """``jobs`` wait, run or are fetched. ``bytes_of_day`` were received since the client's window of a day began, which ends in ``day_left_s``.

    ``waiting``: how many jobs of all clients wait, asked for at the same moment.
    """

    jobs: int = 0
    bytes_of_day: int = 0
    day_left_s: int = 0
    waiting: int = 0


class ClientUses(Protocol):
    """``client`` is a client alone, as ``core.turns.client_of`` has it. Every method raises ``BackendUnavailable``."""

    def look(self, client: str) -> ClientUse: ...

    def add_bytes(self, amounts: Mapping[str, int]) -> None:
        """Count what each client sent. The window of a client begins with its first bytes, and ends a day later."""

    def add_uploads(self, client: str, uploads: Sequence[tuple[str, float]], limit: int | None = None) -> bool:
        """Count unfinished uploads (id, and when it expires). False, and nothing changes, when there are ``limit`` others already."""

    def remove_upload(self, client: str, upload_id: str) -> None:
        """The upload is finished or erased."""
