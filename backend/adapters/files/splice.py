"""Bytes from a socket into a file inside the kernel: splice(2) over a pipe, so that nothing is copied into this process. Linux alone has it.

Blocks where the disk does, and up to ``PATIENCE_MS`` where the sender does: call it in a thread.
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
"""How long the sender is waited for."""
TURN_S = 0.02
"""How long one call may keep its thread, which other uploads need too."""
F_SETPIPE_SZ = 1031
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
IS_AVAILABLE = hasattr(os, "splice")


class _PollFd(ctypes.Structure):
    """``struct pollfd``."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


_poll = ctypes.CDLL(None).poll
"""poll(2) itself: in the gateway ``select.poll`` is gevent's, which would turn a loop in this thread. ctypes lets other threads run meanwhile."""
_poll.argtypes, _poll.restype = (ctypes.POINTER(_PollFd), ctypes.c_ulong, ctypes.c_int), ctypes.c_int


def splice(source_fd: int, target_fd: int, most_bytes: int) -> Iterator[int]:
    """Move bytes and yield the count after each step, until ``most_bytes``, for ``TURN_S``, or until none came for ``PATIENCE_MS``.

    The end or an error of the socket ends it too; whoever reads the socket next sees which. Raises ``OSError`` of the file.
    """
    if not IS_AVAILABLE:
        return
    try:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    except OSError:  # no descriptors left: reading the socket needs none
        return
    try:
        _widen(write_fd)
        until_s = time.monotonic() + TURN_S
        while most_bytes and time.monotonic() < until_s and (count := _fill_pipe(source_fd, write_fd, min(most_bytes, PIPE_BYTES))):
            _empty_pipe(read_fd, target_fd, count)
            most_bytes -= count
            yield count
    finally:
        os.close(read_fd)
        os.close(write_fd)


def _widen(pipe_fd: int) -> None:
    try:
        fcntl.fcntl(pipe_fd, F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass


def _fill_pipe(source_fd: int, pipe_fd: int, most_bytes: int) -> int:
    """What the socket has, 0 for nothing. The pipe is empty, so a call that would block waits for the socket alone."""
    for _ in range(2):
        try:
            return os.splice(source_fd, pipe_fd, most_bytes, flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            if _poll(_PollFd(source_fd, select.POLLIN), 1, PATIENCE_MS) <= 0:
                break
        except OSError:
            break
    return 0


def _empty_pipe(pipe_fd: int, target_fd: int, count: int) -> None:
    while count:
        try:
            moved = os.splice(pipe_fd, target_fd, count)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            moved = _copy(pipe_fd, target_fd, count)
        if not moved:
            raise OSError(errno.EIO, "a pipe gave less than it was given")
        count -= moved


def _copy(pipe_fd: int, target_fd: int, count: int) -> int:
    """For a file system without splice(2)."""
    data = os.read(pipe_fd, count)
    write_all(target_fd, data)
    return len(data)
