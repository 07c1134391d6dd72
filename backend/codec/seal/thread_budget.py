"""A bound on a child's threads. RLIMIT_NPROC is none: it counts all processes of a user, and nothing for root.

A seccomp filter of its own has the kernel ask the zygote before each new thread (seccomp_unotify(2), Linux 5.5). The zygote counts those that live.
What the filter sees are registers, which no other thread can change meanwhile, and the child's main filter still checks the flags.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct

from backend.codec.seal import kernel, seccomp
from backend.codec.seal.syscalls import TABLES

MAX_THREADS = 8
"""That live at once when another is let in. libde265 has one beside the main thread, and one more while a tile's decoder ends and the next begins.
Each of them may be let in with another on its way, so twice as many can live."""
STAT_BYTES = 1024
OFFER_TIMEOUT_S = 1.0
"""It takes less than a millisecond, or the child has died."""
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3
# <linux/seccomp.h>: struct seccomp_notif is id, pid, flags and struct seccomp_data; struct seccomp_notif_resp is id, value, error and flags.
_NOTIFICATION, _RESPONSE = struct.Struct("=QII64x"), struct.Struct("=QqiI")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1


class ThreadQuestions:
    """The kernel's, about one child. ``fileno`` is readable when there is one. Once it is closed, the kernel refuses every thread."""

    def __init__(self, listener: int, stat_fd: int) -> None:
        self._listener, self._stat_fd = listener, stat_fd

    def fileno(self) -> int:
        return self._listener

    def answer(self) -> None:
        """One question: may this thread be made? Raises ``OSError`` when the child is gone."""
        notification = bytearray(_NOTIFICATION.size)
        fcntl.ioctl(self._listener, _RECEIVE, notification)
        question = _NOTIFICATION.unpack(notification)[0]
        is_allowed = self.live_threads() < MAX_THREADS
        response = _RESPONSE.pack(question, 0, 0 if is_allowed else -errno.EAGAIN, _CONTINUE if is_allowed else 0)
        fcntl.ioctl(self._listener, _SEND, bytearray(response))

    def live_threads(self) -> int:
        """proc(5), stat. Raises ``OSError``."""
        return int(os.pread(self._stat_fd, STAT_BYTES, 0).rpartition(b")")[2].split()[17])

    def close(self) -> None:
        os.close(self._listener)
        os.close(self._stat_fd)


def open_own_stat() -> int | None:
    """To be called while this process may still open files, by a child that may have to ``offer``.

    Another process may be unable to open it, since a child cannot be traced (proc(5), hidepid; systemd's ProtectProc).
    """
    try:
        return os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def offer(end: socket.socket, stat_fd: int | None) -> None:
    """Have the kernel ask before each new thread of this process, and send ``end`` what is needed to answer; nothing where the kernel cannot.

    To be called after ``drop_privileges``, and before the main filter.
    """
    listener = None if stat_fd is None else _listener()
    socket.send_fds(end, [b"x"], [] if listener is None or stat_fd is None else [listener, stat_fd])
    if listener is not None:
        os.close(listener)


def receive(end: socket.socket) -> ThreadQuestions | None:
    """What ``offer`` sent. The child has read nothing of its image yet."""
    end.settimeout(OFFER_TIMEOUT_S)
    try:
        _byte, descriptors, _flags, _address = socket.recv_fds(end, 1, 2)
    except OSError:
        return None
    return ThreadQuestions(*descriptors) if descriptors else None


def _listener() -> int | None:
    table = TABLES.get(platform.machine())
    if not kernel.IS_LINUX or table is None:
        return None
    program = seccomp.asking_program(table)
    try:
        return kernel.syscall(table.seccomp, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(_NEW_LISTENER), ctypes.byref(program))
    except OSError:  # an old kernel, or a container whose own filter has such a listener
        return None
