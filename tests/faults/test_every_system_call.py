"""The same at every system call itself, as ``strace`` sees and breaks them: a process of its own for each of some thousand places."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.faults.checks import Said
from tests.faults.steps import BEGIN, END, STEPS, prepare
from tests.faults.test_every_call import examine

ROOT = Path(__file__).resolve().parents[2]
CALLS = (
    *("open", "openat", "read", "pread64", "write", "lseek", "close", "fsync", "fdatasync", "ftruncate", "flock", "fcntl", "getdents64", "statfs"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "stat", "lstat", "fstat", "newfstatat"),
    *("utimensat", "access", "faccessat", "faccessat2", "ioctl"),
)
EMPTY_SHARDS = re.compile(r"/jobs/[0-9a-f]{2}[\"/]")
FAULTS = {"EIO": "error=EIO", "ENOSPC": "error=ENOSPC", "KILL": "signal=KILL"}
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
FD = re.compile(r"^(\d+)\)")


@dataclass(frozen=True)
class Place:
    """The ``nth`` call of a name since the process began."""

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
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONMALLOC": "malloc"}
    command = [strace, "-qq", *watched, sys.executable, "-m", "tests.faults.steps", step, str(root)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    was_killed = done.returncode in (-9, 137)
    assert was_killed or done.returncode == 0, f"an error got out that was not translated: {done.stderr[-600:]}"
    lines = log.read_text().splitlines()
    log.unlink()
    return Said([json.loads(each) for each in done.stdout.splitlines()], was_killed), lines


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


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_every_system_call(strace: str, step: str, fault: str, quick_folder: Path) -> None:
    first = quick_folder / "first"
    prepare(step, first)
    found = places(traced(strace, step, first)[1])
    shutil.rmtree(first)
    assert len(found) > 10
    hit = 0
    for number, place in enumerate(found):
        root = quick_folder / str(number)
        known = prepare(step, root)
        said, lines = traced(strace, step, root, f"{place.name}:{FAULTS[fault]}:when={place.nth}")
        if fault == "KILL":
            hit += said.was_killed
        else:
            hit += was_hit_inside(lines)
            check_no_sync_again(lines)
            assert said.lines and "acknowledged" in said.lines[-1], f"after {fault} at {place} the next client is not served"
        examine(step, root, known, said, f"{fault} at {place}")
    print(f"\n{step}, {fault}: {hit} of {len(found)} system calls")
    assert hit >= 0.9 * len(found), "the trace was not the same each time"
