"""What a program says to the person who started it, on standard error: lines, and one line that is written over again as something advances."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

OVER_AGAIN = "\r\x1b[2K"
"""ECMA-48: back to the first column, and erase the line."""
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(0x80, 0xA0))} | {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x2028: " "}
"""What no line may hold that quotes a client: a terminal would obey it."""
WIDE = 0x2E80
"""From here on a character takes two columns; near enough for what is said here."""


def say(line: str) -> None:
    """One line. A terminal that was closed, and a reader that has gone, stop nobody."""
    _write(f"{line}\n")


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody watches who wants more than plain lines."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """As https://no-color.org has it."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


class Advance:
    """A counter: on a terminal one line that changes, elsewhere a plain line now and then."""

    PLAIN_LINES = 4

    def __init__(self) -> None:
        self._is_terminal = is_terminal(sys.stderr)
        self._told = -1

    def show(self, line: str, number: int, total: int) -> None:
        if self._is_terminal:
            _write(OVER_AGAIN + _cut(line))
            return
        fourth = number * self.PLAIN_LINES // max(total, 1)
        if fourth > self._told:
            self._told = fourth
            say(line)

    def end(self) -> None:
        """The next line begins anew, and so does the next counter."""
        if self._is_terminal:
            _write(OVER_AGAIN)
        self._told = -1


def _cut(line: str) -> str:
    """To one row of the terminal; a longer one could not be written over."""
    room = shutil.get_terminal_size().columns - 1
    while sum(2 if ord(each) >= WIDE else 1 for each in line) > room:
        line = line[:-1]
    return line


def _write(words: str) -> None:
    try:
        sys.stderr.write(words)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
