"""One installation at a time in a folder. The lock belongs to the processes that hold the file open: it is free as soon as they have ended, however.

flock(2) is on Linux, macOS and BSD, and on NFS where its locks are served. Where a file system has no locks, the installation goes on without one.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

INHERITED = "GATEWAY_INSTALLATION_LOCK"
"""The descriptor that the program which follows has inherited."""
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextmanager
def lock(path: Path, on_wait: Callable[[str], None]) -> Iterator[int]:
    """Holds the lock and gives its descriptor, for children that must hold it too. ``on_wait`` is called with the holder's process id before it
    waits. Raises ``OSError`` where the file cannot be made."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, on_wait)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def hand_on(descriptor: int) -> None:
    """Let the program that this process becomes hold the lock, until it has called ``release_inherited``: so whoever waits comes second."""
    os.set_inheritable(descriptor, True)
    os.environ[INHERITED] = str(descriptor)


def release_inherited() -> None:
    descriptor = os.environ.pop(INHERITED, "")
    if descriptor.isdigit():
        os.close(int(descriptor))


def _acquire(descriptor: int, on_wait: Callable[[str], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait(os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "?")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
