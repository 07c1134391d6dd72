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

from backend.core.api_keys import MAX_FILE_BYTES, ApiKey, KeyTable, from_json, to_json
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
    """While the file cannot be used, the earlier keys count. ``kept`` is where they are for a worker that begins meanwhile: as digests, for this user
    alone, renewed by every worker that reads the file."""

    def __init__(self, path: Path, parse: Parse, run: Run, kept: Path | None = None) -> None:
        """Raises ``SettingsError`` or ``OSError`` where there are no earlier keys either."""
        self._path, self._parse, self._run, self._kept = path, parse, run, kept
        self.begin()

    def begin(self) -> None:
        """Read the file in a process that begins, which may have been forked long after this was made. Raises as ``__init__``."""
        self._known = self._signature()  # Before it is read: what comes after counts as a change.
        try:
            self._known, keys = self._load()
            super().__init__(keys)
        except (OSError, SettingsError) as error:
            if self._kept is None or not self._kept.exists():
                raise
            super().__init__(from_json(self._kept.read_text("utf-8")))
            self._tell(error)
        self._seen: Signature | None = self._known

    def look(self) -> None:
        """Read the file again if it has changed. Meant to be called every ``LOOK_EVERY_S``."""
        self._seen, before = self._run(self._signature), self._seen
        if self._seen == self._known or self._seen != before:
            return
        self._known = self._seen
        try:
            self._known, keys = self._run(self._load)
        except (OSError, SettingsError) as error:
            self._tell(error)
            return
        self.replace(keys)
        self.are_stale = False
        log.info("GATEWAY_API_KEYS_FILE was read again: %d keys", len(keys))

    def _tell(self, error: Exception) -> None:
        self.are_stale = True
        log.error("GATEWAY_API_KEYS_FILE has changed and cannot be used; the earlier keys still count: %s", error)

    def _signature(self) -> Signature | None:
        """What changes with the file; None where there is none."""
        try:
            return _signature_of(os.stat(self._path))
        except OSError:
            return None

    def _load(self) -> tuple[Signature | None, Sequence[ApiKey]]:
        with open(self._path, "rb") as file:
            signature, keys = _signature_of(os.fstat(file.fileno())), self._parse(file.read(MAX_FILE_BYTES + 1))
        if self._kept is not None:
            _put(self._kept, to_json(keys))
        return signature, keys


def _put(path: Path, text: str) -> None:
    """In the place of what is there, for this user alone."""
    other = path.with_suffix(f".{os.getpid()}")
    with open(os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    other.replace(path)


def _signature_of(seen: os.stat_result) -> Signature:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
