"""The libraries that Pillow brings, for ctypes: the same copies that Pillow has loaded."""

from __future__ import annotations

import ctypes as c
import re
import sys
from pathlib import Path

import PIL


class Unusable(Exception):
    """A library is missing, too old, or its structures differ from those declared here."""


def path(name: str, version: str = r"(?:\.\d+)*") -> str:
    """The file of Pillow's own copy of ``lib<name>``: already mapped (Linux), or in the wheel. Raises ``Unusable``.

    ``version`` is a pattern for the version in the file's name, which stands before or after the ending.
    """
    wanted = re.compile(rf"/lib{name}(?:-[0-9a-f]{{8}})?(?:{version}\.dylib|(?:\.\d+)*\.so{version}[^/]*)$")
    found = next((each for each in _candidates() if wanted.search(each)), None)
    if found is None:
        raise Unusable(f"no lib{name} beside Pillow")
    return found


def declare(library: c.CDLL, name: str, result: type[c._CDataType] | None, *arguments: type[c._CDataType]) -> None:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


def _candidates() -> list[str]:
    package = Path(PIL.__file__).parent
    wheel = [str(each) for folder in (package.parent / "pillow.libs", package / ".dylibs") for each in sorted(folder.glob("lib*"))]
    return _mapped() + wheel


def _mapped() -> list[str]:
    if sys.platform != "linux":
        return []
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.split(maxsplit=5)[5] for line in lines if "/lib" in line]
