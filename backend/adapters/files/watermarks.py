"""The operator's folder of watermarks. It is looked at whenever one is asked for, so a file that is exchanged counts at once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.core.watermark import Watermark
from backend.core.watermark_file import MAX_PNG_BYTES, MAX_TOML_BYTES, MAX_WATERMARKS, SETTING, name_of, parse
from backend.errors import BackendUnavailable, SettingsError, WrongSetting

log = logging.getLogger(__name__)
RETRY_S = 10
Signature = tuple[int, ...]
Run = Callable[..., Any]
"""Calls a function with arguments, perhaps in another thread: a disk may hang."""


def _at_once(function: Callable[..., Any], *given: Any) -> Any:
    return function(*given)


@dataclass(frozen=True, slots=True)
class _Files:
    """``table`` may not be there."""

    png: Path
    table: Path

    def signature(self) -> tuple[Signature, Signature | None]:
        """What changes with the files. Raises ``OSError``."""
        return _signature(self.png), _signature(self.table) if self.table.exists() else None

    def read(self) -> tuple[bytes, bytes | None]:
        """Raises ``OSError``. A byte more than is allowed is enough to see that it is too much."""
        return _read(self.png, MAX_PNG_BYTES + 1), _read(self.table, MAX_TOML_BYTES + 1) if self.table.exists() else None


class FolderWatermarks:
    """Keeps digests, and no picture. ``run`` is for a process whose loop must not wait for a disk."""

    def __init__(self, folder: Path, run: Run = _at_once) -> None:
        self._folder, self._run = folder, run
        self._digests: dict[str, tuple[object, str]] = {}

    def names(self) -> tuple[str, ...]:
        return tuple(self._run(self._found))

    def digest(self, name: str) -> str:
        return str(self._run(self._digest, name))

    def read(self, name: str) -> Watermark:
        found: Watermark = self._run(self._read, name)
        return found

    def problems(self) -> Iterator[WrongSetting]:
        """Of the folder and all of its files, each of which it names."""
        if not os.access(self._folder, os.R_OK | os.X_OK) or not self._folder.is_dir():
            yield WrongSetting(SETTING, repr(str(self._folder)), "readable_folder")
            return
        found = self._found()
        if len(found) > MAX_WATERMARKS:
            yield WrongSetting(SETTING, repr(str(self._folder)), "too_many_watermarks", most=MAX_WATERMARKS)
            return
        for table in sorted(self._folder.glob("*.toml")):
            if name_of(table.stem) not in found:
                yield WrongSetting(f"{SETTING} {table.name[:100]}", None, "watermark_without_png")
        for name, files in found.items():
            try:
                parse(name, *files.read())
            except SettingsError as error:
                yield from error.problems
            except OSError as error:
                yield WrongSetting(f"{SETTING} {error.filename}", None, "file")

    def _found(self) -> dict[str, _Files]:
        """By name, in order. What does not end in ``.png`` is passed over."""
        try:
            files = [Path(each.path) for each in os.scandir(self._folder) if each.name.lower().endswith(".png") and each.is_file()]
        except OSError as error:
            raise _unavailable(f"{self._folder}: {error.strerror}") from error
        return {name_of(each.stem): _Files(each, each.with_suffix(".toml")) for each in sorted(files, key=lambda file: name_of(file.stem))}

    def _files(self, name: str) -> _Files:
        """A name is looked up in the listing, and never made a path."""
        files = self._found().get(name)
        if files is None:
            raise _unavailable(f"there is no {name}.png in {self._folder}")
        return files

    def _digest(self, name: str) -> str:
        files = self._files(name)
        try:
            signature = files.signature()
        except OSError as error:
            raise _unavailable(f"{error.filename}: {error.strerror}") from error
        known = self._digests.get(name)
        if known is None or known[0] != signature:
            if len(self._digests) >= MAX_WATERMARKS:
                self._digests.clear()
            self._digests[name] = known = signature, self._parse(name, files).digest
        return known[1]

    def _read(self, name: str) -> Watermark:
        return self._parse(name, self._files(name))

    def _parse(self, name: str, files: _Files) -> Watermark:
        try:
            return parse(name, *files.read())
        except OSError as error:
            raise _unavailable(f"{error.filename}: {error.strerror}") from error
        except SettingsError as error:
            raise _unavailable(str(error)) from error


def _unavailable(private: str) -> BackendUnavailable:
    """The operator is told here which file it is; a client is not."""
    log.error("a watermark cannot be used: %s", private)
    return BackendUnavailable(part="watermarks", retry_after_s=RETRY_S, private=private)


def _signature(path: Path) -> Signature:
    seen = os.stat(path)
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _read(path: Path, most_bytes: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(most_bytes)
