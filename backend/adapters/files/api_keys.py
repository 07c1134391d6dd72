"""The API keys of a file, which is read again when it changes.

A file that is written in place may be seen half written. So a change counts once two looks in a row have found the same file. A file that is put in
another's place (by rename, or by a symbolic link as Kubernetes does) is another inode and is noticed like any change.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from backend.core.api_keys import MAX_FILE_BYTES, ApiKey, KeyTable
from backend.errors import SettingsError

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
"""A new file counts within two looks."""
T = TypeVar("T")
Signature = tuple[int, int, int, int, int]
Parse = Callable[[bytes], Sequence[ApiKey]]


class Run(Protocol):
    """Calls what may block, such as in a thread, and returns or raises what it does."""

    def __call__(self, call: Callable[[], T]) -> T: ...


class ApiKeysFile(KeyTable):
    """Raises ``SettingsError`` or ``OSError`` where the file cannot be used at first. Later, the earlier keys count until it can be used again."""

    def __init__(self, path: Path, parse: Parse, run: Run) -> None:
        self._path, self._parse, self._run = path, parse, run
        self._known, keys = self._load()
        self._seen: Signature | None = self._known
        super().__init__(keys)

    def look(self) -> None:
        """Read the file again if it has changed. Meant to be called every ``LOOK_EVERY_S``."""
        self._seen, before = self._run(self._signature), self._seen
        if self._seen == self._known or self._seen != before:
            return
        self._known = self._seen
        try:
            self._known, keys = self._run(self._load)
        except (OSError, SettingsError) as error:
            self.are_stale = True
            log.error("GATEWAY_API_KEYS_FILE has changed and cannot be used; the earlier keys still count: %s", error)
            return
        self.replace(keys)
        self.are_stale = False
        log.info("GATEWAY_API_KEYS_FILE was read again: %d keys", len(keys))

    def _signature(self) -> Signature | None:
        """What changes with the file; None where there is none."""
        try:
            return _signature_of(os.stat(self._path))
        except OSError:
            return None

    def _load(self) -> tuple[Signature | None, Sequence[ApiKey]]:
        with open(self._path, "rb") as file:
            return _signature_of(os.fstat(file.fileno())), self._parse(file.read(MAX_FILE_BYTES + 1))


def _signature_of(seen: os.stat_result) -> Signature:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
