"""Keeps a set of roles running: starts them in order, replaces what dies, stops them in the opposite order.

Each role is a process group of its own, so that a Ctrl-C on the terminal reaches the supervisor alone and nothing of a role outlives it.
The signal handlers only note what came; the loop acts. The groups are written down: where the supervisor itself is killed, the next one ends
what is left of them (``end_leftovers``) before it begins, so that no old process holds the port or an image.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICK_S = 0.05
STEADY_S = 5.0
"""A process that lived so long died of something else than its start."""
MAX_PAUSE_S = 5.0
MAX_FALSE_STARTS = 5
REMAINS_S = 2.0
PR_SET_PDEATHSIG = 1


WRONG_SETTING = 2
"""The exit code of a role that must not be tried again, and of the whole then."""


class FalseStart(Exception):
    """A role cannot be started: it died again and again before the whole was ready, or at once of a wrong setting."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True)
class Role:
    """``grace_s``: how long it may take to stop before it is killed."""

    name: str
    command: Sequence[str]
    grace_s: float
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    false_starts: int = 0
    next_start_s: float = 0.0

    def start(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
        )
        self.started_s = time.monotonic()

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def note_death(self) -> None:
        """Kill what is left of the group, and plan the next start."""
        assert self.process is not None
        signal_group(self.process.pid, signal.SIGKILL)
        lived_s = time.monotonic() - self.started_s
        self.false_starts = 0 if lived_s > STEADY_S else self.false_starts + 1
        self.next_start_s = time.monotonic() + min(MAX_PAUSE_S, 0.1 * 2**self.false_starts)
        self.process = None

    def stop(self) -> None:
        """SIGTERM, then after ``grace_s`` SIGKILL; returns when nothing of it is left."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self.grace_s)
            except subprocess.TimeoutExpired:
                pass
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not is_alive(process.pid), REMAINS_S)


@dataclass(slots=True)
class Supervisor:
    roles: list[Role]
    environment: Mapping[str, str]
    say: Callable[[str], None]
    record: Path | None = None
    _signals: list[int] = field(default_factory=list)

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None], ready_within_s: float) -> int:
        """Until SIGTERM or SIGINT; the exit code. ``is_ready`` is asked until it says so."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _: self._signals.append(received))
        try:
            for role in self.roles:
                self._start(role)
            return self._watch(is_ready, on_ready, time.monotonic() + ready_within_s)
        except FalseStart as error:
            self.say(str(error))
            return error.code
        finally:
            for role in reversed(self.roles):
                role.stop()

    def _watch(self, is_ready: Callable[[], bool], on_ready: Callable[[], None], deadline_s: float) -> int:
        ready = False
        while True:
            while self._signals:
                received = self._signals.pop(0)
                if received != signal.SIGHUP:
                    self.say("Stopping …")
                    return 0
                self._reload()
            self._replace(ready)
            if not ready and is_ready():
                ready = True
                on_ready()
            elif not ready and time.monotonic() > deadline_s:
                raise FalseStart("The gateway did not become ready in time; the lines above say why. 网关未能及时就绪；原因见以上各行。")
            time.sleep(TICK_S)

    def _replace(self, ready: bool) -> None:
        for role in self.roles:
            if role.has_died():
                assert role.process is not None
                code = role.process.returncode
                role.note_death()
                if not ready and (code == WRONG_SETTING or role.false_starts >= MAX_FALSE_STARTS):
                    english = f"The {role.name} could not be started (exit code {code}); the lines above say why."
                    chinese = f"{role.name} 无法启动（退出码 {code}）；原因见以上各行。"
                    raise FalseStart(f"{english} {chinese}", code if code == WRONG_SETTING else 1)
                self.say(f"The {role.name} ended (exit code {code}); starting it again.")
            if role.process is None and time.monotonic() >= role.next_start_s:
                self._start(role)

    def _start(self, role: Role) -> None:
        role.start(self.environment)
        if self.record is not None:
            groups = [each.process.pid for each in self.roles if each.process is not None]
            self.record.write_text("".join(f"{group} {begun}\n" for group in groups if (begun := begun_at(group))))

    def _reload(self) -> None:
        """SIGHUP goes to the role that can reload: Gunicorn."""
        for role in self.roles:
            if role.name == "gateway" and role.process is not None:
                role.process.send_signal(signal.SIGHUP)


def end_leftovers(record: Path) -> int:
    """Kill the groups that a supervisor which was killed has left; how many there were. A number that another process has by now is passed over."""
    try:
        noted = [line.partition(" ") for line in record.read_text().splitlines()]
    except FileNotFoundError:
        return 0
    left = [int(group) for group, _, begun in noted if group.isdigit() and begun and begun_at(int(group)) == begun]
    for group in left:
        signal_group(group, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, left)), REMAINS_S)
    record.unlink(missing_ok=True)
    return len(left)


def begun_at(pid: int) -> str:
    """When the process began, in words that are compared only with each other; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    if sys.platform == "linux":
        return ""
    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout.strip()


def signal_group(group: int, number: int) -> bool:
    """False when the group has no member any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_alive(group: int) -> bool:
    """Whether it has a member that still runs: one that is dead holds no port and no image, however late its new parent takes note of it."""
    if not signal_group(group, 0):
        return False
    return sys.platform != "linux" or any(_runs_in(group, each) for each in Path("/proc").glob("[0-9]*/stat"))


def _runs_in(group: int, stat: Path) -> bool:
    """proc(5): after the name in brackets come state, parent and group."""
    try:
        state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return its_group == str(group) and state not in "ZX"


def wait_until(is_true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK_S)
    return True


def die_with_parent() -> None:
    """A supervisor that is killed takes its children along (Linux; elsewhere they stay)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
