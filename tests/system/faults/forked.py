"""A step in a forked process in which one call into the operating system fails, or is the last thing that happens."""

from __future__ import annotations

import errno
import json
import os
import posix
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from tests.system.faults import steps
from tests.system.faults.checks import Said

CALLS = (
    *("open", "read", "write", "writev", "pread", "lseek", "close", "fstat", "stat", "lstat", "ftruncate", "utime", "statvfs"),
    *("fdatasync", "fsync", "rename", "link", "unlink", "mkdir", "rmdir", "scandir"),
)
LASTING = ("write", "writev", "open", "mkdir", "rename", "link", "fdatasync", "fsync")
"""What a full or dying disk refuses again and again."""
FAULTS = ("EIO", "ENOSPC", "KILL", "ENOSPC for good", "EIO at every sync")
KILLED = 137


def run(step: str, root: Path, fault: str, number: int) -> tuple[bool, Said]:
    """Whether the step has so many calls, and what it said."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(step, root, fault, number, writable)
    os.close(writable)
    with os.fdopen(readable) as told:
        lines = [json.loads(each) for each in told]
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, KILLED), f"the process ended with {code}: an error got out that was not translated"
    was_hit = bool(lines) and lines[-1].get("was_hit", False)
    return code == KILLED or was_hit, Said([each for each in lines if "was_hit" not in each], code == KILLED)


def _child(step: str, root: Path, fault: str, number: int, writable: int) -> None:
    try:
        write = os.write
        here = steps.Here(root, "step")
        faults = Faults(fault, number)
        faults.install()
        _tell(write, writable, step, here)
        faults.is_over = not fault.endswith(("good", "sync"))
        _tell(write, writable, step, here)
        write(writable, json.dumps({"was_hit": faults.was_hit}).encode() + b"\n")
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{step}, {fault} at {number}: {error!r}\n".encode())
        raise
    finally:
        os._exit(1)


def _tell(write: Callable[[int, bytes], int], fd: int, step: str, here: steps.Here) -> None:
    try:
        said: dict[str, Any] = {"acknowledged": steps.STEPS[step](here)}
    except steps.errors.GatewayError as error:
        said = {"refused": error.code, "status": error.status}
    write(fd, json.dumps(said).encode() + b"\n")


class Faults:
    """Counts the calls; ``number`` is the one that is hit."""

    def __init__(self, fault: str, number: int) -> None:
        self.fault, self.number = fault, number
        self.counter = count()
        self.was_hit = self.is_over = False
        self.failed_syncs: set[int] = set()

    def install(self) -> None:
        for name in CALLS:
            faulty = self._faulty(name, getattr(os, name))
            setattr(os, name, faulty)
            setattr(posix, name, faulty)

    def _faulty(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if name in ("fsync", "fdatasync"):
                assert arguments[0] not in self.failed_syncs, "a sync that failed was tried again on the same descriptor"
            if not _is_idle(name, arguments) and self._is_hit(name):
                self._strike(name, real, arguments)
            if name == "open":
                fd = real(*arguments, **more)
                self.failed_syncs.discard(fd)
                return fd
            return real(*arguments, **more)

        return call

    def _is_hit(self, name: str) -> bool:
        if self.is_over:
            return False
        nth = next(self.counter)
        if self.fault == "ENOSPC for good":
            return nth >= self.number and name in LASTING
        if self.fault == "EIO at every sync":
            return nth >= self.number and name in ("fsync", "fdatasync")
        return nth == self.number

    def _strike(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.was_hit = True
        if self.fault == "KILL":
            os._exit(KILLED)
        if name == "close":
            real(*arguments)
        if name in ("fsync", "fdatasync"):
            self.failed_syncs.add(arguments[0])
        number = errno.ENOSPC if self.fault.startswith("ENOSPC") else errno.EIO
        raise OSError(number, os.strerror(number))


def _is_idle(name: str, arguments: tuple[Any, ...]) -> bool:
    """A look into one of the many folders of jobs that are empty: like the one before it."""
    return name == "scandir" and Path(str(arguments[0])).parent.name == "jobs" and not LISTED(arguments[0])


LISTED = os.listdir
