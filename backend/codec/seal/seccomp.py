"""seccomp: a classic BPF program that lets the listed system calls through and answers EPERM to all others.

seccomp(2). Another architecture's calls (32-bit, x32) kill: their numbers mean something else. Memory that can be executed is refused, and
so is every way to make a process; threads only where asked for.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from functools import lru_cache

from backend.codec.seal import kernel
from backend.codec.seal.syscalls import TABLES, Table

_MODE_FILTER = 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# struct seccomp_data: number, architecture, instruction pointer, six 64-bit arguments.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 16 + 2 * 8
_X32_BIT = 0x40000000
_PROT_EXEC = 4
_NEW_THREAD = (0x3D0F00, 0x7D0F00)
"""The flags that pthread_create gives to clone (glibc, musl): the same memory, files and signals, CLONE_THREAD."""

Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def allow_listed(*, threads: bool) -> bool:
    """Confine this process; False when the kernel or the architecture does not allow it."""
    program = assembled(threads=threads)
    if program is None:
        return False
    try:
        kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))
    except OSError:
        return False
    return True


@lru_cache
def assembled(*, threads: bool) -> _Program | None:
    """The program for this machine, once: whoever forks children makes it before."""
    table = TABLES.get(platform.machine())
    if table is None:
        return None
    instructions = _instructions(table, threads=threads)
    return _Program(len(instructions), b"".join(struct.pack("=HBBI", *each) for each in instructions))


def _instructions(table: Table, *, threads: bool) -> list[Instruction]:
    """Jumps count from the next instruction: (code, if true, if false, operand)."""
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, table.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
        *(instruction for number in sorted(table.allowed) for instruction in _allowed(number)),
        *(instruction for number in sorted(table.mapping) for instruction in _allowed_without_execution(number)),
        *(_allowed_for_threads(table.clone) if threads else []),
        *(instruction for number in sorted(table.absent) for instruction in _refused(number, errno.ENOSYS)),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def _allowed(number: int) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]


def _refused(number: int, code: int) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | code)]


def _allowed_without_execution(number: int) -> list[Instruction]:
    """mmap and mprotect: the protection is the third argument of both."""
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_JUMP_BITS, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _allowed_for_threads(clone: int) -> list[Instruction]:
    return [
        (_JUMP_EQUAL, 0, 5, clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, 1, 0, _NEW_THREAD[0]),
        (_JUMP_EQUAL, 0, 1, _NEW_THREAD[1]),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
