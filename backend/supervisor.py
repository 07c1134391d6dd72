"""Keeps a set of roles running: starts them in order, replaces what dies, stops them in the opposite order.

Each role is a process group of its own, so a Ctrl-C on the terminal reaches the supervisor alone, and nothing of a role outlives it. Signal
handlers only record the signal; the loop acts on it. The groups are written to a file: if the supervisor itself is killed, the next one ends
what is left of them (``end_leftovers``), so that no old process holds the port or an image.
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

from backend import texts
from backend.errors import CannotStart
from backend.terminal import is_terminal
from backend.texts import operator

TICK_S = 0.05
STEADY_S = 5.0
"""A process that lived this long has started well; what it dies of is something else."""
MAX_PAUSE_S = 5.0
MAX_FALSE_STARTS = 5
WAITED_S = 30.0
"""What the roles get to become ready after what was waited for has come; Celery's pauses between its tries grow to that."""
REMAINS_S = 2.0
PR_SET_PDEATHSIG = 1
WRONG_SETTING = 2
"""The exit code of a role with a wrong setting. It is not started again, and the supervisor ends with the same code."""


@dataclass(slots=True)
class Role:
    """``grace_s`` is the time it may take to stop before it is killed."""

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

    def plan_restart(self) -> None:
        """Kill what is left of the dead process's group and set the time of the next start: the pause doubles, up to ``MAX_PAUSE_S``."""
        assert self.process is not None
        signal_group(self.process.pid, signal.SIGKILL)
        lived_s = time.monotonic() - self.started_s
        self.false_starts = 0 if lived_s > STEADY_S else self.false_starts + 1
        self.next_start_s = time.monotonic() + min(MAX_PAUSE_S, 0.1 * 2**self.false_starts)
        self.process = None

    def stop(self, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM, then SIGKILL after ``grace_s`` or as soon as ``is_hurried``. Returns when nothing of the group is left."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            wait_until(lambda: process.poll() is not None or is_hurried(), self.grace_s)
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not is_alive(process.pid), REMAINS_S)


@dataclass(slots=True)
class Supervisor:
    roles: list[Role]
    environment: Mapping[str, str]
    say: Callable[[str], None]
    record: Path | None = None
    is_waiting: Callable[[], bool] = lambda: False
    """Whether something from outside is waited for: then it need not become ready in time."""
    _signals: list[int] = field(default_factory=list)
    _is_hurried: bool = False

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None], ready_within_s: float) -> int:
        """Run until SIGTERM or SIGINT and return the exit code. ``is_ready`` is asked until it is true; then ``on_ready`` is called once."""
        terminal = ControllingTerminal()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _: self._signals.append(received))
        try:
            for role in self.roles:
                self._start(role)
            return self._watch(is_ready, on_ready, time.monotonic() + ready_within_s, terminal)
        except CannotStart as error:
            self.say(operator.text(f"start.{error.reason}", **error.params))
            return error.exit_code
        finally:
            for role in reversed(self.roles):
                role.stop(self._hurry)

    def _hurry(self) -> bool:
        """Whether a second Ctrl-C, or SIGTERM, has come while the roles were stopping."""
        if not self._is_hurried and any(each != signal.SIGHUP for each in self._signals):
            self._is_hurried = True
            self.say(texts.text("start.stopping_at_once", operator.language()))
        return self._is_hurried

    def _watch(self, is_ready: Callable[[], bool], on_ready: Callable[[], None], deadline_s: float, terminal: ControllingTerminal) -> int:
        ready = False
        while True:
            while self._signals:
                received = self._signals.pop(0)
                if received != signal.SIGHUP or terminal.is_gone():
                    self.say(texts.text("start.stopping_on_terminal" if is_terminal(sys.stderr) else "start.stopping", operator.language()))
                    return 0
                self._reload()
            self._replace(ready)
            if not ready and self.is_waiting():
                deadline_s = max(deadline_s, time.monotonic() + WAITED_S)
            elif not ready and is_ready():
                ready = True
                on_ready()
            elif not ready and time.monotonic() > deadline_s:
                raise CannotStart("not_ready")
            time.sleep(TICK_S)

    def _replace(self, ready: bool) -> None:
        """Start again what has died. Raises ``CannotStart`` before the whole was ready: for a wrong setting, or after ``MAX_FALSE_STARTS``."""
        for role in self.roles:
            if role.has_died():
                assert role.process is not None
                code = role.process.returncode
                role.plan_restart()
                if not ready and (code == WRONG_SETTING or role.false_starts >= MAX_FALSE_STARTS):
                    raise CannotStart("role_failed", code if code == WRONG_SETTING else 1, role=role.name, code=code)
                self.say(texts.text("start.role_ended", operator.language(), role=role.name, code=code))
            if role.process is None and time.monotonic() >= role.next_start_s:
                self._start(role)

    def _start(self, role: Role) -> None:
        role.start(self.environment)
        if self.record is not None:
            groups = [each.process.pid for each in self.roles if each.process is not None]
            self.record.write_text("".join(f"{group} {started}\n" for group in groups if (started := start_time(group))))

    def _reload(self) -> None:
        """Pass SIGHUP on to the role that can reload: Gunicorn."""
        for role in self.roles:
            if role.name == "gateway" and role.process is not None:
                role.process.send_signal(signal.SIGHUP)


class ControllingTerminal:
    """Tells a closed terminal, whose SIGHUP ends us, from a SIGHUP that asks for a reload. Under ``nohup`` a closed terminal ends nobody."""

    def __init__(self) -> None:
        self._was_there = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and has_terminal()

    def is_gone(self) -> bool:
        return self._was_there and not has_terminal()


def has_terminal() -> bool:
    """``/dev/tty`` can be opened for as long as the session has its terminal (tty(4))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def end_leftovers(record: Path) -> int:
    """Kill the groups that a killed supervisor has left and return their number. A process id that was given to another process is left alone."""
    try:
        lines = [line.partition(" ") for line in record.read_text().splitlines()]
    except FileNotFoundError:
        return 0
    left = [int(group) for group, _, started in lines if group.isdigit() and started and start_time(int(group)) == started]
    for group in left:
        signal_group(group, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, left)), REMAINS_S)
    record.unlink(missing_ok=True)
    return len(left)


def start_time(pid: int) -> str:
    """When the process started, in a form that is only good for comparing two of them; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    if sys.platform == "linux":
        return ""
    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout.strip()


def signal_group(group: int, number: int) -> bool:
    """Send the signal; False where the group has no member any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_alive(group: int) -> bool:
    """Whether the group has a member that runs. A zombie holds no port and no image, however late its new parent collects it."""
    if not signal_group(group, 0):
        return False
    return sys.platform != "linux" or any(_is_running_member(group, each) for each in Path("/proc").glob("[0-9]*/stat"))


def _is_running_member(group: int, stat: Path) -> bool:
    """proc(5): state, parent and group follow the name in brackets."""
    try:
        state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return its_group == str(group) and state not in "ZX"


def wait_until(is_true: Callable[[], bool], seconds: float) -> bool:
    """False where it did not become true in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK_S)
    return True


def die_with_parent() -> None:
    """Have the kernel end this process when its parent dies (Linux; elsewhere it stays)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
