"""The supervisor with real processes: what dies is replaced, what it started ends with it, and what a killed one left is ended by the next."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.supervisor import MAX_FALSE_STARTS, Role, Supervisor, end_leftovers, is_alive, signal_group, start_time
from tests.fakes.waiting import until

LASTING = "import signal, sys, time; print('up', file=open(sys.argv[1], 'a'), flush=True); signal.pause()"
STUBBORN = LASTING.replace("signal.pause()", "signal.signal(signal.SIGTERM, signal.SIG_IGN); [signal.pause() for _ in range(99)]")
PARENT = "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', {child!r}, sys.argv[1]]); child.wait()"


class Stage:
    """A supervisor in a thread of this process; ``signals`` are given to it as its handlers would note them."""

    def __init__(self, roles: list[Role], record: Path) -> None:
        self.said: list[str] = []
        self.ready = threading.Event()
        self.codes: list[int] = []
        self.supervisor = Supervisor(roles, dict(os.environ), self.said.append, record)
        self.is_ready: Callable[[], bool] = lambda: True

    def run(self) -> int:
        return self.supervisor.run(self.is_ready, self.ready.set, 30)


def role(name: str, program: str, folder: Path, grace_s: float = 20.0) -> Role:
    return Role(name, [sys.executable, "-c", program, str(folder / name)], grace_s)


def starts(folder: Path, name: str) -> int:
    path = folder / name
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def alive(group: int) -> list[psutil.Process]:
    """Its members; a dead one that init has yet to collect is none."""
    found = []
    for each in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(each.pid) == group and each.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(each)
    return found


def later(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_roles_are_started_and_end_when_it_is_told_to_stop(tmp_path: Path, handlers: None) -> None:
    stage = Stage([role("first", LASTING, tmp_path), role("second", LASTING, tmp_path)], tmp_path / "groups")
    processes = []

    def stop() -> None:
        until(lambda: starts(tmp_path, "first") and starts(tmp_path, "second"), 30)
        processes.extend(each.process for each in stage.supervisor.roles)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = later(stop)
    assert stage.run() == 0
    stopping.join()
    assert stage.ready.is_set() and stage.said == ["Stopping …"]
    assert all(each is not None and each.returncode == -signal.SIGTERM for each in processes)


def test_what_dies_is_started_again(tmp_path: Path, handlers: None) -> None:
    stage = Stage([role("mortal", LASTING, tmp_path)], tmp_path / "groups")

    def kill_then_stop() -> None:
        until(lambda: starts(tmp_path, "mortal") == 1, 30)
        process = stage.supervisor.roles[0].process
        assert process is not None
        process.kill()
        until(lambda: starts(tmp_path, "mortal") == 2, 30)
        os.kill(os.getpid(), signal.SIGINT)

    stopping = later(kill_then_stop)
    assert stage.run() == 0
    stopping.join()
    assert "The mortal ended (exit code -9); starting it again." in stage.said


def test_what_does_not_heed_a_stop_is_killed_with_all_its_children(tmp_path: Path, handlers: None) -> None:
    family = Role("family", [sys.executable, "-c", PARENT.format(child=STUBBORN), str(tmp_path / "family")], 0.2)
    stage = Stage([family], tmp_path / "groups")
    groups: list[int] = []

    def stop() -> None:
        until(lambda: starts(tmp_path, "family"), 30)
        assert family.process is not None
        groups.append(family.process.pid)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = later(stop)
    assert stage.run() == 0
    stopping.join()
    assert alive(groups[0]) == []


def test_what_never_starts_ends_the_start_with_one_sentence(tmp_path: Path, handlers: None) -> None:
    stage = Stage([role("broken", "raise SystemExit(3)", tmp_path)], tmp_path / "groups")
    stage.is_ready = lambda: False
    assert stage.run() == 1
    assert stage.said[-1].startswith("The broken could not be started (exit code 3); the lines above say why. ")
    assert "broken 无法启动（退出码 3）；原因见以上各行。" in stage.said[-1]
    assert len(stage.said) == MAX_FALSE_STARTS


def test_a_wrong_setting_is_not_tried_again(tmp_path: Path, handlers: None) -> None:
    stage = Stage([role("wrong", "raise SystemExit(2)", tmp_path)], tmp_path / "groups")
    stage.is_ready = lambda: False
    assert stage.run() == 2
    (said,) = stage.said
    assert said.startswith("The wrong could not be started (exit code 2); the lines above say why. ")
    assert "wrong 无法启动（退出码 2）；原因见以上各行。" in said


def test_the_next_one_ends_what_a_killed_one_left(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN, str(tmp_path / "left")], start_new_session=True) as left:
        until(lambda: starts(tmp_path, "left"), 30)
        record = tmp_path / "groups"
        record.write_text(f"{left.pid} {start_time(left.pid)}\n")
        reaper = later(left.wait)
        assert end_leftovers(record) == 1
        reaper.join()
    assert left.returncode == -signal.SIGKILL and not record.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_dead_processes_that_nobody_has_taken_note_of_are_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True) as dead:
        os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
        assert signal_group(dead.pid, 0)
        assert not is_alive(dead.pid)
    with subprocess.Popen([sys.executable, "-c", LASTING, str(tmp_path / "lasting")], start_new_session=True) as lasting:
        until(lambda: starts(tmp_path, "lasting"), 30)
        assert is_alive(lasting.pid)
        lasting.kill()


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", LASTING, str(tmp_path / "other")], start_new_session=True) as other:
        until(lambda: starts(tmp_path, "other"), 30)
        record = tmp_path / "groups"
        record.write_text(f"{other.pid} 1\n4194305 1\nnot a line\n")
        assert end_leftovers(record) == 0
        assert other.poll() is None
        other.kill()


def test_without_a_record_nothing_is_left(tmp_path: Path) -> None:
    assert end_leftovers(tmp_path / "groups") == 0
