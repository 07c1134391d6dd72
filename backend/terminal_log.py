"""Log lines for somebody who watches a terminal: which of them are shown, and how."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from backend.terminal import CONTROL

UNHURRIED = ("gunicorn.error", "celery")
"""Loggers of the servers themselves: on a terminal, what they tell at level info is of the level debug."""
STATIC = ("/static/", "/favicon.ico")
"""The page's own files: on a terminal, an access line of one is of the level debug."""
DIM, RED, GREEN, YELLOW, CYAN, PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[0m"
"""ECMA-48, select graphic rendition."""
BY_STATUS = {2: GREEN, 3: CYAN, 4: YELLOW, 5: RED}
BY_LEVEL = {"warning": YELLOW, "error": RED, "critical": RED}
SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def calm(record: logging.LogRecord) -> bool:
    """Whether somebody at a terminal wants to see it: no failure is left out."""
    if record.levelno > logging.INFO:
        return True
    fields: dict[str, Any] = getattr(record, "fields", {})
    is_static = fields.get("status", 500) < 400 and str(fields.get("path", "")).startswith(STATIC)
    return not is_static and not record.name.startswith(UNHURRIED)


class TerminalFormatter(logging.Formatter):
    """Short lines for somebody who watches: time, method, path, status, milliseconds and bytes of a request; logger and message of anything else."""

    def __init__(self, members: Callable[[logging.LogRecord], Mapping[str, Any]], *, has_colour: bool) -> None:
        super().__init__()
        self._members, self._has_colour = members, has_colour

    def format(self, record: logging.LogRecord) -> str:
        line = self._members(record)
        time = self._in(DIM, datetime.fromtimestamp(record.created).strftime("%H:%M:%S"))  # the clock on the wall
        return f"{time}  {self._request(line) if 'status' in line and 'method' in line else self._words(record, line)}"

    def _request(self, line: Mapping[str, Any]) -> str:
        status = self._in(BY_STATUS.get(line["status"] // 100, PLAIN), str(line["status"]))
        path = str(line["path"]).translate(CONTROL)
        cost = self._in(DIM, f"{line['milliseconds']:.0f} ms  {shown_bytes(line['bytes'])}")
        return f"{line['method']:<6} {path}  {status}  {cost}"

    def _words(self, record: logging.LogRecord, line: Mapping[str, Any]) -> str:
        logger = record.name.partition(".")[0] if record.name.startswith("gunicorn.") else record.name.removeprefix("backend.")
        text = str(line["message"])
        if record.exc_info:
            text += " | " + self.formatException(record.exc_info).replace("\n", " | ")
        level = "" if line["level"] == "info" else f"{line['level']}  "
        return self._in(BY_LEVEL.get(line["level"], ""), f"{level}{logger}: {text.translate(CONTROL)}")

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._has_colour and colour else text


def shown_bytes(count: int) -> str:
    size, unit = next(((count / factor, unit) for factor, unit in SIZES if count >= factor), (float(count), "B"))
    return f"{size:.1f} {unit}" if size < 10 and unit != "B" else f"{size:.0f} {unit}"
