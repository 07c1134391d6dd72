"""``./start.sh`` on a terminal, as its user sees it, in the language of the locale; and when the terminal is closed."""

from __future__ import annotations

import os
import pty
import re
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.images import photograph
from tests.support.running import ROOT, free_port, wait_for

pytestmark = pytest.mark.e2e
CTRL_C = b"\x03"


class Terminal:
    """A pseudo terminal with ``start.sh`` in it; the program is the session's leader, as under a terminal emulator."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"GATEWAY_DATA_DIR": str(data_dir), "API_PORT": str(self.port), "GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "1", "TERM": "xterm"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "GATEWAY_"))}
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(str(ROOT / "start.sh"), [str(ROOT / "start.sh")], {**kept, **given, **environment})
        self.text = ""

    def look(self) -> str:
        while self.master >= 0 and select.select([self.master], [], [], 0.01)[0]:
            try:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
            except OSError:
                break
        return self.text

    def shows(self, words: str) -> None:
        wait_for(lambda: words in self.look(), 60, f"for {words} in {self.text}")

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def close(self) -> None:
        os.close(self.master)
        self.master = -1

    def family(self) -> list[psutil.Process]:
        return [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]

    def wait(self, seconds: float) -> int:
        """The exit code."""

        def ended() -> tuple[int, int] | None:
            self.look()
            found = os.waitpid(self.pid, os.WNOHANG)
            return found if found[0] else None

        return os.waitstatus_to_exitcode(wait_for(ended, seconds, "for the end")[1])


@contextmanager
def terminal(data_dir: Path, **environment: str) -> Iterator[Terminal]:
    started = Terminal(data_dir, **environment)
    try:
        yield started
    finally:
        with suppress(ChildProcessError, ProcessLookupError, AssertionError):
            os.kill(started.pid, 15)
            started.wait(30)
        if started.master >= 0:
            started.close()


def all_gone(family: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_the_start_block_is_in_the_users_language_and_requests_are_short_lines(data_dir: Path) -> None:
    with terminal(data_dir, LANG="zh_CN.UTF-8", NO_COLOR="1") as here:
        here.shows("帮助")
        requests.get(f"{here.url}/static/css/base.css", timeout=20)
        requests.post(f"{here.url}/api/convert", data=photograph(64, 48), timeout=60)
        here.shows("/api/convert")
        text = here.text
        assert "已就绪，用时" in text and f"打开      {here.url}/\n" in text and f"API 文档  {here.url}/api/docs\n" in text
        assert re.search(r"\n\d\d:\d\d:\d\d  POST   /api/convert  200  \d+ ms  [\d.]+ k?B\n", text), text
        assert "/static/" not in text and "gunicorn" not in text and "celery" not in text and "\x1b" not in text
        here.type(CTRL_C)
        assert here.wait(60) == 0
        assert "正在停止" in here.text and "Traceback" not in here.text


def test_with_colour_the_status_stands_out_and_a_failure_is_seen(data_dir: Path) -> None:
    with terminal(data_dir, LANG="en_US.UTF-8") as here:
        here.shows("Help")
        assert "Ready after " in here.text and f"\x1b[1m{here.url}/\x1b[0m" in here.text
        requests.get(f"{here.url}/nowhere", timeout=20)
        here.shows("\x1b[33m404\x1b[0m")
        family = here.family()
        here.close()
        wait_for(all_gone(family[1:]), 60, "for everything to end with its terminal")
        with suppress(AssertionError):
            here.wait(20)


def test_a_second_ctrl_c_does_not_wait_for_a_slow_client(data_dir: Path) -> None:
    with terminal(data_dir, LANG="en_US.UTF-8", GATEWAY_BODY_IDLE_TIMEOUT_S="300", GUNICORN_GRACEFUL_TIMEOUT="120") as here:
        here.shows("Help")
        family = here.family()
        with socket.create_connection(("127.0.0.1", here.port), timeout=20) as slow:
            slow.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx")
            requests.get(f"{here.url}/api/health/live", timeout=20)  # the one before it is being read by now
            here.type(CTRL_C)
            here.shows("Stopping … (Ctrl-C again: at once)")
            here.type(CTRL_C)
            here.shows("Stopping at once.")
            assert here.wait(30) == 0
        assert all_gone(family)()
