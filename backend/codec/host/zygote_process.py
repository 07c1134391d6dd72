"""A zygote as its encoder process sees it: started as a program of its own (``launch``), or forked by a family (``ZygoteFamily``)."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from backend.codec import messages
from backend.codec.seal import kernel

ROOT = Path(__file__).resolve().parents[3]
LAUNCH = (
    "import sys; sys.path.insert(0, {root!r}); from backend.codec.sandbox.zygote import main; main({sandbox!r}, {guarded_by}, is_family={is_family})"
)
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296",
}
"""All that the zygote gets. A heap that is never given back lets the encoder use the decoded image's memory again; new memory the kernel would have
to clear first; ``bench/limits.py`` measures it as “heap kept”. Huge pages for it (``glibc.malloc.hugetlb``) are not asked for: 2 % less processor
time while images follow each other, but 7 % more for 24 megapixels after a rest of six seconds, on a virtual machine."""
Zygote = subprocess.Popen[bytes]


class ForkedZygote:
    """One that is no child of this process. It is known by a descriptor (pidfd_open(2)), so no other process is taken for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def is_alive(self) -> bool:
        return not self._wait(0)

    def kill(self, timeout_s: float) -> None:
        """SIGKILL; it is gone when this returns."""
        try:
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)
            self._wait(timeout_s)
        except ProcessLookupError:
            pass
        finally:
            os.close(self._fd)

    def _wait(self, timeout_s: float) -> bool:
        """Whether it has ended within the time."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(1000 * timeout_s))


class ExecutedZygote:
    """A child of this process."""

    def __init__(self, process: Zygote) -> None:
        self.pid, self._process = process.pid, process

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self, timeout_s: float) -> None:
        """SIGKILL; it is gone when this returns."""
        self._process.kill()
        self._process.wait(timeout_s)


class ZygoteFamily:
    """One process that has the codec loaded, and forks a zygote for each encoder process: they share its memory, and start in milliseconds.

    Started by the encoders' master, whose pool processes inherit the connection. Like a zygote it has an empty environment and opens no image.
    A message is one byte with a control socket; what comes back comes on that.
    """

    def __init__(self, sandbox: str) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = launch(sandbox, theirs, is_family=True)

    def fork(self, control: socket.socket) -> bool:
        """Have a zygote forked that serves ``control``; False where the family is gone."""
        try:
            socket.send_fds(self._requests, [b"z"], [control.fileno()])
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._requests.close()
        self._process.kill()
        self._process.wait()


def can_fork_zygotes() -> bool:
    """Linux 5.3 has what is needed to watch a process that is no child."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def launch(sandbox: str, control: socket.socket, *, is_family: bool = False) -> Zygote:
    """In a session of its own, so that a terminal's Ctrl-C does not reach it: the encoder process may finish its job first, and ends it then.

    PR_SET_PDEATHSIG acts when the thread that started the process ends, so it is asked for from the main thread only.
    """
    guarded_by = os.getpid() if kernel.IS_LINUX and threading.current_thread() is threading.main_thread() else 0
    command = LAUNCH.format(root=str(ROOT), sandbox=sandbox, guarded_by=guarded_by, is_family=is_family)
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _MOVE_DESCRIPTOR.format(given=control.fileno(), wanted=messages.CONTROL_FD) + command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(control.fileno(),),
        env=ENVIRONMENT,
        start_new_session=True,
    )


_MOVE_DESCRIPTOR = "import os; os.dup2({given}, {wanted}, inheritable=False); {given} == {wanted} or os.close({given}); "
