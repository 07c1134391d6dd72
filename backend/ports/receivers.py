"""The servers of others that are told of ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """``retry_after_s``: 0 where the receiver asks for no pause."""

    status: int
    retry_after_s: float = 0.0


class Receivers(Protocol):
    def check(self, url: str) -> str:
        """The address as it will be asked. Raises ``InvalidOption`` where it is none, or may not be asked."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send ``body``, follow no redirect, and keep nothing of the answer's body.

        Raises ``BadRequest`` where there is no answer; its variant says why: ``url_unreachable``, ``url_slow`` or ``url_answer``.
        """
