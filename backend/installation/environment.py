"""In which state ``.venv`` is, and its making.

The stamp ``.installed`` is written last. It holds the digest of ``requirements.txt``, what Python's extension modules are called (version, machine
and C library), and how many packages there are. A folder with the mark ``.installing`` and no stamp was not completed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

STAMP, MARK = ".installed", ".installing"
EARLIER_STAMP = ".lock"
"""Of versions up to 1.0: what ``cksum`` says of ``requirements.txt``."""
PYTHON_ANSWERS_S = 30.0
TELL = "import importlib.machinery as m; print(m.EXTENSION_SUFFIXES[0])"


@dataclass(frozen=True, slots=True)
class Environment:
    folder: Path
    requirements: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def is_whole(self, tag: str = EXTENSION_SUFFIXES[0]) -> bool:
        """Asked by the folder's own Python: everything that is locked is here, for this Python."""
        try:
            digest, its_tag, count = (self.folder / STAMP).read_text("utf-8").split()
        except (OSError, ValueError):
            return self._is_whole_by_earlier_stamp(tag)
        return (digest, its_tag) == (self.digest(), tag) and self.packages() >= int(count)

    def state(self) -> str:
        """``absent``, ``whole``, or why it has to be made anew: ``foreign``, ``half``, ``other_python`` or ``outdated``."""
        if not self.folder.exists() and not self.folder.is_symlink():
            return "absent"
        if not any((self.folder / name).is_file() for name in (STAMP, MARK, EARLIER_STAMP)):
            return "absent" if self._is_empty() else "foreign"
        tag = self._own_tag()
        if not (self.folder / STAMP).is_file() and not (self.folder / EARLIER_STAMP).is_file():
            return "half"
        if not self.folder.joinpath("lib").is_dir() or tag is None or not self._fits(tag):
            return "other_python"
        return "whole" if self.is_whole(tag) else "outdated"

    def packages(self) -> int:
        return sum(1 for _ in self.folder.glob("lib/python3*/site-packages/*.dist-info"))

    def digest(self) -> str:
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()

    def clear(self) -> None:
        """Raises ``OSError``."""
        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder)

    def put_aside(self) -> Path:
        """What is no environment of ours stays, under another name. Raises ``OSError``."""
        names = (self.folder.with_name(f"{self.folder.name}.old{number or ''}") for number in range(1000))
        kept = next(each for each in names if not each.exists() and not each.is_symlink())
        self.folder.rename(kept)
        return kept

    def mark(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / MARK).touch()

    def stamp(self, packages: int) -> None:
        """There may be more: pip itself, and what an operator adds. Raises ``OSError``."""
        written = self.folder / f"{STAMP}.new"
        written.write_text(f"{self.digest()}\n{self._own_tag() or EXTENSION_SUFFIXES[0]}\n{packages}\n", "utf-8")
        written.rename(self.folder / STAMP)
        (self.folder / MARK).unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        return self.folder.is_dir() and not any(self.folder.iterdir())

    def _own_tag(self) -> str | None:
        """None where its Python cannot run: the machine is another one, or that Python was removed."""
        try:
            return subprocess.run(
                [self.python, "-S", "-c", TELL], check=True, capture_output=True, text=True, timeout=PYTHON_ANSWERS_S
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return None

    def _fits(self, tag: str) -> bool:
        try:
            return (self.folder / STAMP).read_text("utf-8").split()[1] == tag
        except (OSError, IndexError):
            return self._has_packages_for(tag)

    def _has_packages_for(self, tag: str) -> bool:
        version = tag.removeprefix(".cpython-").partition("-")[0]
        return (self.folder / "lib" / f"python{version[:1]}.{version[1:]}" / "site-packages").is_dir()

    def _is_whole_by_earlier_stamp(self, tag: str) -> bool:
        try:
            earlier = (self.folder / EARLIER_STAMP).read_text("utf-8").strip()
            with self.requirements.open("rb") as requirements:
                now = subprocess.run(["cksum"], stdin=requirements, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return False
        return earlier == now and self._has_packages_for(tag) and not (self.folder / MARK).exists()


def python_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))
