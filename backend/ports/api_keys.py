"""The API keys that the operator gave out."""

from __future__ import annotations

from typing import Protocol

from backend.core.api_keys import ApiKey


class ApiKeys(Protocol):
    @property
    def are_set(self) -> bool:
        """Whether there are keys at all. Without any, the gateway is open to everybody. Never changes while a process lives."""

    @property
    def are_stale(self) -> bool:
        """Whether the operator's newest keys cannot be used, so that the earlier ones still count."""

    def find(self, digest: str) -> ApiKey | None:
        """The key with this SHA-256, also one that has expired."""
