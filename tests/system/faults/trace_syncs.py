"""What a trace of system calls has left unsynced: files with bytes in them, and folders in which a name is new."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')
WRITES = ("write", "writev", "ftruncate")


@dataclass
class Disk:
    published: tuple[Path, ...]
    """Folders in which something is visible as soon as it has its name: it must be on disk before that."""
    unsynced: set[Path] = field(default_factory=set)
    open: dict[str, Path] = field(default_factory=dict)

    def see(self, line: str) -> None:
        match = CALL.match(line)
        if match is None or match[3].startswith("-"):
            return
        name, arguments, result = match.groups()
        paths, fd = [Path(each) for each in NAME.findall(arguments)], arguments.partition(",")[0]
        if name in ("open", "openat"):
            self.open[result] = paths[0]
            self.unsynced |= {paths[0], paths[0].parent} if "O_CREAT" in arguments else set()
        elif name in WRITES and fd in self.open:
            self.unsynced.add(self.open[fd])
        elif name in ("fsync", "fdatasync"):
            self.unsynced.discard(self.open[fd])
        elif name.startswith("mkdir"):
            self.unsynced |= {paths[0], paths[0].parent}
        elif name.startswith("rename"):
            self._rename(*paths)
        elif name.startswith("link"):
            self.unsynced |= {paths[1].parent, *({paths[1]} if paths[0] in self.unsynced else ())}

    def _rename(self, old: Path, new: Path) -> None:
        if any(new.is_relative_to(each) for each in self.published):
            early = {each for each in self.unsynced if each.is_relative_to(old)}
            assert not early, f"{early} could be seen as {new} before it was on disk"
        self.unsynced = {_moved(each, old, new) for each in self.unsynced} | {old.parent, new.parent}
        self.open = {fd: _moved(each, old, new) for fd, each in self.open.items()}

    def left(self) -> set[Path]:
        return {each for each in self.unsynced if any(each.is_relative_to(folder) for folder in self.published)}


def _moved(path: Path, old: Path, new: Path) -> Path:
    return new / path.relative_to(old) if path.is_relative_to(old) else path
