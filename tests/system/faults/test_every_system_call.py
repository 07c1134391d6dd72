"""The same at every system call itself, as ``strace`` sees and breaks them: a process of its own for each of some thousand places.

The process is forked from this one and stops itself before the step; ``strace`` takes it from there, so that its counts begin with the step.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.adapters.files import write_back
from backend.adapters.files.disk import write_all
from tests.conftest import missing
from tests.support.running import wait_for
from tests.system.faults.checks import Said
from tests.system.faults.steps import BEGIN, END, STEPS, Here, perform, prepare
from tests.system.faults.test_every_call import examine
from tests.system.faults.trace_syncs import Disk

PR_SET_PTRACER, PTRACER_ANY = 0x59616D61, 2**64 - 1
CALLS = (
    *("open", "openat", "read", "pread64", "write", "writev", "lseek", "close", "ftruncate", "flock", "fcntl", "getdents64", "statfs"),
    *("fsync", "fdatasync", "sync_file_range"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "stat", "lstat", "fstat", "newfstatat"),
    *("utimensat", "access", "faccessat", "faccessat2", "ioctl"),
)
LETS_GO_ALL_THE_SAME = ("close",)
"""The kernel gives the descriptor and its lock up whatever close(2) returns; strace would not let it. ``test_every_call`` breaks it as it is."""
FAULTS = {"EIO": "error=EIO", "ENOSPC": "error=ENOSPC", "KILL": "signal=KILL"}
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
FD = re.compile(r"^(\d+)\)")


@dataclass(frozen=True)
class Place:
    """The ``nth`` call of a name since ``strace`` came."""

    name: str
    nth: int


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if found is None or subprocess.run([found, "-o", os.devnull, "true"], check=False, capture_output=True).returncode:
        missing("strace is not installed, or may not trace here")
    return found


def traced(strace: str, step: str, root: Path, *inject: str) -> tuple[Said, list[str]]:
    """What the process said, and the lines of its trace."""
    log = root.with_suffix(".trace")
    watched = ["-o", str(log), "-e", f"trace={','.join(CALLS)}", "-e", "signal=none", *(word for each in inject for word in ("-e", f"inject={each}"))]
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        _step(step, root, writable)
    os.close(writable)
    os.waitpid(pid, os.WUNTRACED)
    tracer = subprocess.Popen([strace, "-qq", "-p", str(pid), *watched], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: _is_traced(pid) or tracer.poll() is not None, 30, "for strace to attach")
        assert tracer.poll() is None, tracer.communicate()[1]
    finally:
        os.kill(pid, signal.SIGCONT)
        with os.fdopen(readable) as told:
            heard = [json.loads(each) for each in told]
        tracer.communicate()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the process ended with {code}: an error got out that was not translated"
    lines = log.read_text().splitlines()
    log.unlink()
    return Said(heard, code != 0), lines


def _step(step: str, root: Path, writable: int) -> None:
    """In the child. The disk is told to begin early enough for this small image."""
    try:
        gc.disable()
        write_back.WRITE_BACK_BYTES = write_back.SLOW_WRITE_BACK_BYTES = 64
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(PTRACER_ANY), 0, 0, 0)
        here = Here(root, "step")
        here.context.store.check()
        os.kill(os.getpid(), signal.SIGSTOP)
        perform(step, here, lambda said: write_all(writable, json.dumps(said).encode() + b"\n"))
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{step}: {error!r}\n".encode())
        raise
    finally:
        os._exit(1)


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def places(lines: list[str]) -> list[Place]:
    """Between the marks; of the looks into empty folders of jobs only a few, since one is like the other."""
    seen: Counter[str] = Counter()
    found, inside, looks = [], False, 0
    for line in lines:
        match = LINE.match(line)
        if match is None:
            continue
        seen[match[1]] += 1
        if BEGIN in line or END in line:
            inside = BEGIN in line
        elif inside:
            looks = looks + 1 if match[1] in ("openat", "newfstatat", "fstat", "getdents64", "close", "fcntl") else 0
            if looks < 40:
                found.append(Place(match[1], seen[match[1]]))
    return found


def was_hit_inside(lines: list[str]) -> bool:
    marks = [number for number, line in enumerate(lines) if BEGIN in line or END in line]
    hits = [number for number, line in enumerate(lines) if "(INJECTED)" in line or "INJECTED" in line]
    return bool(hits) and marks[0] < hits[0] and (len(marks) == 1 or hits[0] < marks[1])


def check_no_sync_again(lines: list[str]) -> None:
    """A descriptor whose sync failed is closed, and not synced once more."""
    failed: set[str] = set()
    for line in lines:
        match = LINE.match(line)
        fd = FD.match(match[2]) if match else None
        if match is None or fd is None:
            continue
        if match[1] in ("fsync", "fdatasync"):
            assert fd[1] not in failed, "a sync that failed was tried again on the same descriptor"
            if "INJECTED" in line:
                failed.add(fd[1])
        elif match[1] == "close":
            failed.discard(fd[1])


@pytest.mark.parametrize("step", ["upload", "several", "create_upload", "whole_upload", "last_piece"])
def test_what_is_acknowledged_was_synced_after_its_last_byte_and_before_it_could_be_seen(strace: str, step: str, quick_folder: Path) -> None:
    root = quick_folder / step
    prepare(step, root)
    said, lines = traced(strace, step, root)
    assert said.acknowledged, said
    begin, end = (next(number for number, line in enumerate(lines) if mark in line) for mark in (BEGIN, END))
    disk = Disk(tuple(root / name for name in ("jobs", "uploads", "batches")))
    for line in lines[begin:end]:
        disk.see(line)
    assert disk.open, "the trace shows no file"
    assert not disk.left()


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_every_system_call(strace: str, step: str, fault: str, quick_folder: Path) -> None:
    found = found_places(strace, step, quick_folder)
    if fault != "KILL":
        found = [each for each in found if each.name not in LETS_GO_ALL_THE_SAME]
    for number, place in enumerate(found):
        root = quick_folder / str(number)
        known = prepare(step, root)
        said, lines = traced(strace, step, root, f"{place.name}:{FAULTS[fault]}:when={place.nth}")
        if fault == "KILL":
            assert said.was_killed, f"{place} was not reached: the trace was not the same each time"
        else:
            assert was_hit_inside(lines), f"{place} was not reached: the trace was not the same each time"
            check_no_sync_again(lines)
            assert said.lines and "acknowledged" in said.lines[-1], f"after {fault} at {place} the next client is not served"
        examine(step, root, known, said, f"{fault} at {place}")
    print(f"\n{step}, {fault}: each of {len(found)} system calls")


def found_places(strace: str, step: str, folder: Path) -> list[Place]:
    """Of the second run: with the first, and with looking at it, the interpreter loads what it needs."""
    for name in ("first", "second"):
        root = folder / name
        known = prepare(step, root)
        said, lines = traced(strace, step, root)
        examine(step, root, known, said, "no fault")
    found = places(lines)
    assert len(found) > 10
    return found
