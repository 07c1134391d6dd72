"""The operator's watermarks in memory. A test changes ``known`` as an operator changes files."""

from __future__ import annotations

from backend import errors
from backend.core.watermark import Watermark


class MemoryWatermarks:
    def __init__(self, **known: Watermark) -> None:
        self.known = known
        self.is_lost = False
        """The folder cannot be read."""

    def names(self) -> tuple[str, ...]:
        self._check(not self.is_lost)
        return tuple(self.known)

    def digest(self, name: str) -> str:
        return self.read(name).digest

    def read(self, name: str) -> Watermark:
        self._check(not self.is_lost and name in self.known)
        return self.known[name]

    def _check(self, is_there: bool) -> None:
        if not is_there:
            raise errors.BackendUnavailable(part="watermarks", retry_after_s=10)
