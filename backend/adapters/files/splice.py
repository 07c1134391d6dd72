"""Bytes from a socket into a file inside the kernel: splice(2) over a pipe, so that nothing is copied into this process. Linux alone has it.

Blocks where the disk does, and for ``PATIENCE_MS`` where the sender does: call it in a thread.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import time
from collections.abc import Iterator

from backend.adapters.files.disk import write_all

PIPE_BYTES = 1 << 20
"""As much as one write to the file takes. Where the kernel grants less (its ``pipe-user-pages-soft``), it is 64 KiB."""
PATIENCE_MS = 2
TURN_S = 0.02
"""A thread is for others too: who sends steadily and no faster than a network holds it no longer."""
F_SETPIPE_SZ = 1031
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
IS_THERE = hasattr(os, "splice")


class _PollFd(ctypes.Structure):
    """``struct pollfd``."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


_poll = ctypes.CDLL(None).poll
"""poll(2) itself: in the gateway ``select.poll`` is gevent's, which would turn a loop in this thread. ctypes lets other threads run meanwhile."""
_poll.argtypes, _poll.restype = (ctypes.POINTER(_PollFd), ctypes.c_ulong, ctypes.c_int), ctypes.c_int


def spliced(source_fd: int, target_fd: int, most_bytes: int) -> Iterator[int]:
    """How many more bytes are in the file, again and again, until ``most_bytes`` are, ``TURN_S`` is over or no more have come for ``PATIENCE_MS``.

    An end or an error of the socket ends it too; who reads on from the socket learns of it. Raises ``OSError`` of the file.
    """
    if not IS_THERE:
        return
    try:
        drawn_fd, filled_fd = os.pipe2(os.O_CLOEXEC)
    except OSError:  # no descriptors left: the other way needs none
        return
    try:
        _widen(filled_fd)
        until_s = time.monotonic() + TURN_S
        while most_bytes and time.monotonic() < until_s and (count := _drawn(source_fd, filled_fd, min(most_bytes, PIPE_BYTES))):
            _poured(drawn_fd, target_fd, count)
            most_bytes -= count
            yield count
    finally:
        os.close(drawn_fd)
        os.close(filled_fd)


def _widen(fd: int) -> None:
    try:
        fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass


def _drawn(source_fd: int, pipe_fd: int, most_bytes: int) -> int:
    """What the socket has; the pipe is empty, so only the socket can be waited for."""
    for _ in range(2):
        try:
            return os.splice(source_fd, pipe_fd, most_bytes, flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            if _poll(_PollFd(source_fd, select.POLLIN), 1, PATIENCE_MS) <= 0:
                break
        except OSError:
            break
    return 0


def _poured(pipe_fd: int, target_fd: int, count: int) -> None:
    while count:
        try:
            moved = os.splice(pipe_fd, target_fd, count)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            moved = _copied(pipe_fd, target_fd, count)
        if not moved:
            raise OSError(errno.EIO, "a pipe gave less than it was given")
        count -= moved


def _copied(pipe_fd: int, target_fd: int, count: int) -> int:
    """For a file system that does not splice."""
    data = os.read(pipe_fd, count)
    write_all(target_fd, data)
    return len(data)
