"""seccomp(2): a classic BPF program that allows the listed system calls and answers EPERM to all others.

A call of another architecture (32-bit, x32) kills the process, since its numbers mean something else. Executable memory is refused, and
so is every way to make a process; threads are allowed only on request.
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
_ALLOW, _ASK, _KILL, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# struct seccomp_data: number, architecture, instruction pointer, six 64-bit arguments.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 16 + 2 * 8
_X32_BIT = 0x40000000
_PROT_EXEC = 4
_NEW_THREAD = (0x3D0F00, 0x7D0F00)
"""The flags that pthread_create gives to clone (glibc, musl): the same memory, files and signals, CLONE_THREAD."""

Instruction = tuple[int, int, int, int]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def install(*, threads: bool) -> bool:
    """Confine this process. False where the kernel or the architecture does not support it."""
    found = program(threads=threads)
    if found is None:
        return False
    try:
        kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(found))
    except OSError:
        return False
    return True


@lru_cache
def program(*, threads: bool) -> Program | None:
    """For this machine; None for an architecture without a table. Made once: the zygote calls it before it forks."""
    table = TABLES.get(platform.machine())
    if table is None:
        return None
    return _packed(_instructions(table, threads=threads))


def asking_program(table: Table) -> Program:
    """Allows everything, but that it asks for each clone (``thread_budget``)."""
    return _packed([(_LOAD, 0, 0, _NUMBER), (_JUMP_EQUAL, 0, 1, table.clone), (_RETURN, 0, 0, _ASK), (_RETURN, 0, 0, _ALLOW)])


def _packed(instructions: list[Instruction]) -> Program:
    return Program(len(instructions), b"".join(struct.pack("=HBBI", *each) for each in instructions))


def _instructions(table: Table, *, threads: bool) -> list[Instruction]:
    """Each is (code, jump if true, jump if false, operand); jumps count from the next instruction."""
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, table.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
        *(instruction for number in sorted(table.allowed) for instruction in _allow(number)),
        *(instruction for number in sorted(table.mapping) for instruction in _allow_without_execution(number)),
        *(_allow_threads(table.clone) if threads else []),
        *(instruction for number in sorted(table.absent) for instruction in _refuse(number, errno.ENOSYS)),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def _allow(number: int) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]


def _refuse(number: int, code: int) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | code)]


def _allow_without_execution(number: int) -> list[Instruction]:
    """mmap and mprotect: the protection is the third argument of both."""
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_JUMP_BITS, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _allow_threads(clone: int) -> list[Instruction]:
    return [
        (_JUMP_EQUAL, 0, 5, clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, 1, 0, _NEW_THREAD[0]),
        (_JUMP_EQUAL, 0, 1, _NEW_THREAD[1]),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
