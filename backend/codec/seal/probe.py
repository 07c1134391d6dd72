"""Tries to get out of a sealed process, from inside one: for the start-up self-test, and for the tests of the seal."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import NoReturn

from backend.codec import seal
from backend.codec.seal import kernel


def _open() -> None:
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def _create() -> None:
    path = f"/tmp/.seal-probe-{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    os.unlink(path)


def _list() -> None:
    os.listdir("/")


def _socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _execute() -> None:
    subprocess.run(["/bin/true"], check=False, close_fds=False)


def _execute_here() -> None:
    """Replaces the process if it succeeds. Then the probe reports nothing, which counts as an escape."""
    os.execv("/bin/true", ["true"])


def _kill() -> None:
    os.kill(os.getppid(), 0)


def _trace() -> None:
    if ctypes.CDLL(None).ptrace(0, 0, None, None) < 0:
        raise PermissionError("ptrace")


def _run_memory() -> None:
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _make_memory_runnable() -> None:
    page = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), 5) < 0:
        raise PermissionError("mprotect")


def _thread() -> None:
    threading.Thread(target=int).start()


def _unshare() -> None:
    """Into a new user namespace, in which this process would be root."""
    if ctypes.CDLL(None).unshare(0x10000000) < 0:
        raise PermissionError("unshare")


ESCAPES: dict[str, Callable[[], None]] = {
    "open": _open,
    "create": _create,
    "list": _list,
    "socket": _socket,
    "fork": _fork,
    "spawn": _execute,
    "kill": _kill,
    "ptrace": _trace,
    "executable memory": _run_memory,
    "memory made executable": _make_memory_runnable,
    "thread": _thread,
    "namespace": _unshare,
    "exec": _execute_here,
}
"""``exec`` is the last, since it would end the probe."""


def escapes() -> list[str]:
    """Tries all ways out in this process, and returns the names of those that worked."""
    return [name for name, attempt in ESCAPES.items() if _succeeds(attempt)]


def _succeeds(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except (OSError, RuntimeError):
        return False
    return True


def measure_level(sandbox: str) -> seal.Level:
    """The level that the seal reaches on this machine, tried in a child that is sealed like one with an order."""
    if sandbox == "off" or not kernel.IS_LINUX:
        return seal.Level()
    inside, outside = os.pipe()
    pid = os.fork()
    if pid == 0:
        _report_from_inside(sandbox, outside)
    os.close(outside)
    with os.fdopen(inside, "rb") as end:
        lines = end.read().decode().splitlines()
    os.waitpid(pid, 0)
    return _level_from(lines)


def _report_from_inside(sandbox: str, outside: int) -> NoReturn:
    try:
        os.write(outside, (json.dumps(asdict(seal.seal_process(sandbox))) + "\n").encode())
        os.write(outside, (json.dumps(escapes()) + "\n").encode())
    finally:
        os._exit(0)


def _level_from(lines: list[str]) -> seal.Level:
    """A child that reports nothing after it sealed itself has escaped by exec. A level with an escape counts as 1 at most."""
    if not lines:
        return seal.Level()
    reached = seal.Level(**{**json.loads(lines[0]), "escapes": tuple(json.loads(lines[1])) if len(lines) > 1 else ("exec",)})
    return replace(reached, level=min(reached.level, 1)) if reached.escapes else reached
