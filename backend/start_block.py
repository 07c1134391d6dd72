"""What a start says once everything answers: where to open the page, where its data are, how to stop it, and where help is."""

from __future__ import annotations

from backend import texts
from backend.settings import Settings
from backend.texts import operator

ROWS = ("open", "docs", "status", "data", "stop", "help")
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
"""ECMA-48, select graphic rendition."""
WIDE = 0x2E80


def lines(settings: Settings, seconds: str, *, is_terminal: bool, has_colour: bool) -> list[str]:
    """A block for a terminal, else all of it in one line."""
    language = operator.language()
    given = {"address": address(settings), "seconds": seconds, "folder": settings.data_dir}
    rows = [(texts.text(f"start_block.{row}.name", language), texts.text(f"start_block.{row}.what", language, **given)) for row in ROWS]
    ready = texts.text("start_block.ready", language, **given)
    if not is_terminal:
        return [f"{ready} {' · '.join(f'{name} {what}' for name, what in rows)}"]
    column = max(width(name) for name, _ in rows) + 2
    shown = [(name + " " * (column - width(name)), what) for name, what in rows]
    if has_colour:
        shown = [(f"{DIM}{name}{PLAIN}", f"{BOLD}{what}{PLAIN}" if at == 0 else what) for at, (name, what) in enumerate(shown)]
    return ["", ready, "", *(f"  {name}{what}" for name, what in shown), ""]


def width(text: str) -> int:
    """Columns of a terminal; Chinese takes two a character."""
    return sum(2 if ord(each) >= WIDE else 1 for each in text)


def address(settings: Settings) -> str:
    """Where this machine reaches the gateway."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{'[' + host + ']' if ':' in host else host}:{settings.port}"
