"""Log lines: one form, one line each, no secrets; files that many processes write and put aside."""

from __future__ import annotations

import io
import json
import logging
import multiprocessing
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from backend import logs
from backend.logs import JsonFormatter, SharedFile, Style, TextFormatter
from backend.terminal_log import TerminalFormatter, calm

JOB = "AbCdEfGhIjKlMnOpQrStUv"


@pytest.fixture(autouse=True)
def loggers_are_put_back() -> Iterator[None]:
    known = [logging.getLogger(name) for name in (None, "gunicorn.access", "gunicorn.error")]
    before = [(each, list(each.handlers), each.level, each.propagate) for each in known]
    yield
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
    logging.captureWarnings(False)
    logs.bind("")


def record(message: str, *arguments: object, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("backend.flows.encode", logging.WARNING, "file.py", 1, message, arguments, more.pop("exc_info", None))
    made.__dict__.update(more)
    return made


def parsed(made: logging.LogRecord) -> dict[str, Any]:
    return dict(json.loads(JsonFormatter().format(made)))


def test_a_json_line_names_time_level_logger_and_process() -> None:
    line = parsed(record("something %s", "happened"))
    assert line["time"].endswith("Z") and len(line["time"]) == 24
    assert (line["level"], line["logger"], line["message"], line["pid"]) == ("warning", "backend.flows.encode", "something happened", os.getpid())


def test_the_job_that_a_line_speaks_of_and_its_request_are_members() -> None:
    logs.bind("request-1")
    line = parsed(record("job %s failed: %s", JOB, "damaged"))
    assert (line["job"], line["request"]) == (JOB, "request-1")
    assert parsed(record("x", fields={"request": "request-2"}))["request"] == "request-2", "what the line says itself counts for more"


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_line_is_one_line_whatever_a_client_put_into_it(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        failure = sys.exc_info()
    line = formatter.format(record("name: %s", "x\r\n2026-01-01 info faked\x1b[31m\u2028y", exc_info=failure))
    assert len(line.splitlines()) == 1 and "\x1b" not in line
    assert "ValueError" in line and "faked" in line


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/socket.io/?EIO=4&sid=abc.def&t=1", "/socket.io/?…"),
        ("/api/jobs?key=secret", "/api/jobs?…"),
        ("/x;API_KEY=secret&token=t;access_token=u", "/x;API_KEY=…&token=…;access_token=…"),
        ("/api/convert?filename=payslip.png HTTP/1.1", "/api/convert?… HTTP/1.1"),
        ("'https://example.com/a?X-Amz-Signature=abc&x=1' is not reached", "'https://example.com/a?…' is not reached"),
        ("/x&key=secret&x=1", "/x&key=…&x=1"),
        ("/api/jobs;monkey=1;side=2", "/api/jobs;monkey=1;side=2"),
        ("what? a question=1", "what? a question=1"),
    ],
)
def test_queries_sessions_and_keys_are_left_out(uri: str, shown: str) -> None:
    assert logs.redacted(uri) == shown
    assert parsed(record("GET %s", uri))["message"] == f"GET {shown}"


def test_a_session_that_a_library_names_is_cut_to_its_worker() -> None:
    line = parsed(record("'Session is disconnected' %s (further occurrences …)", "a06a9c38105eae89.URIjHByfMOP2WJDBKsRIGxV4"))
    assert line["message"] == "'Session is disconnected' a06a9c38105eae89.… (further occurrences …)"


def test_a_library_that_brings_a_handler_of_its_own_brings_none_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-engineio and python-socketio give their loggers one, where these have no level."""
    own = [logging.getLogger(name) for name in ("engineio.server", "socketio.server")]
    for logger in own:
        monkeypatch.setattr(logger, "level", logging.NOTSET)
        monkeypatch.setattr(logger, "handlers", [])
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure(Style(format="json"))
    socketio.Server(async_mode="threading").eio.logger.error("a client's mistake")
    assert [logger.handlers for logger in own] == [[], []]
    assert [json.loads(line)["message"] for line in out.getvalue().splitlines()] == ["a client's mistake"]


def test_all_loggers_write_to_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure(Style(format="json", level="info"))
    for name in ("backend.flows", "gunicorn.error", "gunicorn.access", "celery.worker", "werkzeug"):
        logging.getLogger(name).info("a line")
    logging.getLogger("backend").debug("too fine")
    assert [json.loads(line)["logger"] for line in out.getvalue().splitlines()] == [
        "backend.flows",
        "gunicorn.error",
        "gunicorn.access",
        "celery.worker",
        "werkzeug",
    ]


def test_with_files_access_lines_go_apart(tmp_path: Path) -> None:
    logs.configure(Style(format="json", error=str(tmp_path / "logs/error.log"), access=str(tmp_path / "logs/access.log")))
    logging.getLogger("backend").info("one")
    logging.getLogger("gunicorn.error").info("two")
    logging.getLogger("gunicorn.access").info("three")
    logs.configure(Style())
    assert [json.loads(line)["message"] for line in (tmp_path / "logs/error.log").read_text().splitlines()] == ["one", "two"]
    assert [json.loads(line)["message"] for line in (tmp_path / "logs/access.log").read_text().splitlines()] == ["three"]


def plain(path: Path, max_bytes: int = 0, files: int = 3) -> SharedFile:
    handler = SharedFile(path, max_bytes, files)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    handler = plain(path)
    handler.emit(record("one"))
    path.rename(tmp_path / "moved")
    handler.emit(record("two"))
    handler.close()
    assert (path.read_text(), (tmp_path / "moved").read_text()) == ("two\n", "one\n")


def test_a_full_file_is_put_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    handler = plain(path, 10, 2)
    for number in range(7):
        handler.emit(record(f"line{number}"))
    handler.close()
    assert {each.name: each.read_text() for each in tmp_path.glob("error.log*")} == {
        "error.log": "line6\n",
        "error.log.1": "line5\n",
        "error.log.2": "line4\n",
    }


def _write(path: Path, name: str, count: int, go: Any) -> None:
    handler = plain(path, 4000, 1000)
    go.wait()
    for number in range(count):
        handler.emit(record(f"{name} {number} " + "x" * (number % 60)))


def test_processes_at_once_lose_and_mix_no_line_while_files_are_put_aside(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    go = context.Event()
    processes = [context.Process(target=_write, args=(tmp_path / "access.log", name, 500, go)) for name in "abcdef"]
    for each in processes:
        each.start()
    go.set()
    for each in processes:
        each.join()
    files = sorted(tmp_path.glob("access.log*"))
    lines = [line for path in files for line in path.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number} " + "x" * (number % 60) for name in "abcdef" for number in range(500))
    assert len(files) > 20 and all(path.stat().st_size <= 4000 + 6 * 100 for path in files)


def test_a_folder_that_cannot_be_written_any_more_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = plain(tmp_path / "error.log")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", full)
        handler.emit(record("lost"))
    handler.emit(record("kept"))
    handler.close()
    assert (tmp_path / "error.log").read_text() == "kept\n"


def access(path: str, status: int) -> logging.LogRecord:
    record = logging.LogRecord("gunicorn.access", logging.INFO, "", 0, "x", (), None)
    record.fields = {"method": "GET", "path": path, "status": status, "milliseconds": 12.4, "bytes": 14_300, "agent": "curl"}
    return record


def test_on_a_terminal_a_request_is_a_short_line_in_the_colour_of_its_status() -> None:
    plain, coloured = TerminalFormatter(logs._members, has_colour=False), TerminalFormatter(logs._members, has_colour=True)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  GET    /api/jobs  200  12 ms  14 kB", plain.format(access("/api/jobs", 200)))
    assert "\x1b[31m503\x1b[0m" in coloured.format(access("/api/jobs", 503))
    assert "\x1b]" not in coloured.format(access("/\x1b]0;title", 404))


def test_on_a_terminal_gunicorn_is_gunicorn_and_is_heard_when_something_fails() -> None:
    told = logging.LogRecord("gunicorn.error", logging.INFO, "", 0, "Booting worker", (), None)
    failed = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "Worker was sent SIGKILL!", (), None)
    assert not calm(told) and calm(failed)
    assert TerminalFormatter(logs._members, has_colour=False).format(failed).endswith("  error  gunicorn: Worker was sent SIGKILL!")


def test_on_a_terminal_the_pages_own_files_are_heard_only_when_they_fail() -> None:
    assert not calm(access("/static/js/main.js", 200)) and not calm(access("/favicon.ico", 304))
    assert calm(access("/static/js/nowhere.js", 404)) and calm(access("/api/jobs", 200))


def test_a_failure_that_lasts_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    outage = logs.Outage(logging.getLogger("test"))
    with caplog.at_level(logging.INFO, "test"):
        outage.end("it works")
        for _ in range(3):
            outage.tell("it fails")
        outage.end("it works again")
        outage.tell("it fails anew")
    assert [each.message for each in caplog.records] == ["it fails", "it works again", "it fails anew"]
