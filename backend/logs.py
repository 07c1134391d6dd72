"""One stream of log lines in one format, for our own lines, Gunicorn's and the libraries': to stdout, or to files that many processes share.

Each line is written by one ``write`` with ``O_APPEND``, so lines of several processes never mix. A line of JSON or text stays one line, whatever
it quotes. ``bind`` sets the request id for the lines of this greenlet or thread. A message names its job as ``job <id>``; the id becomes a field.
Job ids are logged, because an operator must find them: who can read the log can see those jobs. Session ids and keys are never logged.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.terminal import CONTROL, has_colour, is_terminal
from backend.terminal_log import TerminalFormatter, calm

NOISY = {
    "engineio.server": logging.ERROR,  # by its full name too: a server whose logger has no level gives it a handler of its own
    "socketio.server": logging.ERROR,
    "engineio": logging.ERROR,
    "socketio": logging.ERROR,
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "PIL": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "celery.app.trace": logging.WARNING,
    "celery.worker.consumer": logging.WARNING,
    "botocore": logging.WARNING,
    "urllib3": logging.WARNING,
}
JOB = re.compile(r"\bjob ([A-Za-z0-9_-]{22})\b")
QUERY = re.compile(r"\?(?=[^\s=\"']*=)[^\s\"']*")
"""Of an address: names of files, addresses to fetch, keys, signatures, Socket.IO session ids. Nothing of it is for a log."""
SECRET = re.compile(r"((?:^|[&;])(?:sid|key|api_key|token|access_token|signature)=)[^&;#\s]*", re.IGNORECASE)
"""The same where no question mark stands before."""
SESSION = re.compile(r"\b([0-9a-f]{16})\.[\w-]{24}(?![\w-])", re.ASCII)
"""A session id that a library logs. The worker it belongs to, its first part, is kept."""
LINE_ENDS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
"""What JSON does not escape and some readers take for the end of a line."""
STANDARD_OUTPUT = "-"

_request: ContextVar[str] = ContextVar("request", default="")


@dataclass(frozen=True, slots=True)
class Style:
    """``error`` and ``access`` are paths, or ``-`` for stdout. With ``access`` None there are no such lines. A file of ``max_bytes`` (0: no limit)
    is renamed to ``.1``, and the older ones to ``.2`` and so on; ``files`` of them are kept."""

    format: str = "text"
    level: str = "info"
    error: str = STANDARD_OUTPUT
    access: str | None = STANDARD_OUTPUT
    max_bytes: int = 64 << 20
    files: int = 5


def bind(request_id: str) -> None:
    """Name the request of this greenlet's or thread's lines."""
    _request.set(request_id)


def redacted(text: str) -> str:
    """An address, or a sentence with addresses in it, without their queries."""
    return SECRET.sub(r"\1…", QUERY.sub("?…", text))


def configure(style: Style) -> None:
    """Have the root logger and Gunicorn's two write as ``style`` says, and close their earlier handlers."""
    root, access, master = logging.getLogger(), logging.getLogger("gunicorn.access"), logging.getLogger("gunicorn.error")
    _replace_handlers(root, _handler(style, style.error))
    _replace_handlers(access, _handler(style, style.access) if style.access is not None else logging.NullHandler())
    _replace_handlers(master)
    root.setLevel(style.level.upper())
    master.setLevel(style.level.upper())
    access.setLevel(min(logging.INFO, root.level))
    access.propagate, master.propagate = False, True
    for name, least in NOISY.items():
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(True)
    global _is_configured
    _is_configured = True


def configure_once(style: Style) -> None:
    """``configure``, unless Gunicorn's logger has done it: its command line takes precedence."""
    if not _is_configured:
        configure(style)


_is_configured = False


def reopen() -> None:
    """Open the log files again, after logrotate has moved them away (SIGUSR1)."""
    for name in ("", "gunicorn.access"):
        for handler in logging.getLogger(name or None).handlers:
            if isinstance(handler, SharedFile):
                handler.reopen()


class Outage:
    """Something that fails again and again is told once, and once more when it works again; what lies between is at level debug."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger, self._lasts = logger, False

    def tell(self, message: str, *arguments: object) -> None:
        self._logger.log(logging.DEBUG if self._lasts else logging.WARNING, message, *arguments)
        self._lasts = True

    def end(self, message: str, *arguments: object) -> None:
        if self._lasts:
            self._lasts = False
            self._logger.info(message, *arguments)


def _handler(style: Style, target: str) -> logging.Handler:
    handler: logging.Handler = (
        logging.StreamHandler(sys.stdout) if target == STANDARD_OUTPUT else SharedFile(Path(target), style.max_bytes, style.files)
    )
    handler.setFormatter(JsonFormatter() if style.format == "json" else TextFormatter())
    if style.format == "text" and target == STANDARD_OUTPUT and is_terminal(sys.stdout):
        handler.setFormatter(TerminalFormatter(_members, has_colour=has_colour(sys.stdout)))
        handler.addFilter(calm if style.level != "debug" else lambda _: True)
    return handler


def _replace_handlers(logger: logging.Logger, *handlers: logging.Handler) -> None:
    before, logger.handlers[:] = list(logger.handlers), handlers
    for handler in before:
        handler.close()


class JsonFormatter(logging.Formatter):
    """One object a line. ``extra={"fields": {…}}`` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({**_members(record), **self._failure(record)}, ensure_ascii=False).translate(LINE_ENDS)

    def _failure(self, record: logging.LogRecord) -> dict[str, str]:
        return {"traceback": self.formatException(record.exc_info)} if record.exc_info else {}


class TextFormatter(logging.Formatter):
    """For a file, and for whoever reads the stream without a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line = _members(record)
        request = f" [{line['request']}]" if "request" in line else ""
        text = f"{line['time']} {line['level']:<7} {record.process} {record.name}{request}: {line['message']}"
        if record.exc_info:
            text += " | " + self.formatException(record.exc_info).replace("\n", " | ")
        return text.translate(CONTROL)


def _members(record: logging.LogRecord) -> dict[str, Any]:
    message = SESSION.sub(r"\1.…", redacted(record.getMessage()))
    fields: dict[str, Any] = getattr(record, "fields", {})
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "pid": record.process,
        "message": message,
    }
    if request := fields.get("request") or _request.get():
        line["request"] = request
    if job := JOB.search(message):
        line["job"] = job[1]
    return {**line, **fields}


class SharedFile(logging.Handler):
    """A file that many processes append to. The process that finds it full renames it, under a lock. The others see that the name now belongs
    to another file and open that one, as they do after logrotate."""

    def __init__(self, path: Path, max_bytes: int, files: int) -> None:
        super().__init__()
        self._path, self._max_bytes, self._files = path, max_bytes, files
        self._descriptor = -1
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", "replace")
            if self._was_renamed():
                self.reopen()
            if self._max_bytes and os.fstat(self._descriptor).st_size + len(line) > self._max_bytes:
                self._rotate(len(line))
            os.write(self._descriptor, line)
        except OSError:  # a full disk must not stop the gateway; the line is lost
            pass
        except Exception:
            self.handleError(record)

    def reopen(self) -> None:
        os.close(self._descriptor)
        self._open()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _was_renamed(self) -> bool:
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return True

    def _rotate(self, coming_bytes: int) -> None:
        """Rename the full file, unless another process has just done so, and open a new one."""
        with open(self._path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._was_renamed() and os.fstat(self._descriptor).st_size + coming_bytes > self._max_bytes:
                for number in range(self._files - 1, 0, -1):
                    if self._backup(number).exists():
                        self._backup(number).rename(self._backup(number + 1))
                self._path.rename(self._backup(1))
            self.reopen()

    def _backup(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
