"""Which protocol the data in a folder needs: a file named ``protocol`` with the number in it. Where there is none, every release can use the data.

A release writes it when it begins to write what the release before cannot read. None had to so far; each looks before it starts.
"""

from __future__ import annotations

from pathlib import Path

from backend.core.protocol import NEWEST, OLDEST

NAME = "protocol"


def needs(folder: Path) -> int:
    """A mark that cannot be understood was written by a newer release."""
    try:
        return int((folder / NAME).read_text("ascii"))
    except FileNotFoundError:
        return OLDEST
    except (OSError, ValueError):
        return NEWEST + 1
