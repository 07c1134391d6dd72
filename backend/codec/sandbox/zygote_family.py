"""The zygotes' family: one process that has the codec loaded, and forks a zygote for each encoder process that asks for one."""

from __future__ import annotations

import os
import signal
import socket
import sys

from backend.codec.seal import kernel


def fork_for_each(requests: socket.socket) -> socket.socket:
    """Returns in each zygote, with its control socket; ends the family when nobody is left who could ask."""
    family_pid = os.getpid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them; their encoder processes watch them
    while True:
        _, descriptors, _, _ = socket.recv_fds(requests, 1, 1)
        if not descriptors:
            sys.exit(0)
        try:
            is_zygote = os.fork() == 0
        except OSError:
            is_zygote = False  # the socket closes, and the encoder process tries again
        if is_zygote:
            requests.close()
            die_with(family_pid)
            return socket.socket(fileno=descriptors[0])
        os.close(descriptors[0])


def die_with(parent_pid: int) -> None:
    if kernel.IS_LINUX and parent_pid:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            sys.exit(0)
