"""SIGHUP: the master executes itself anew, with the same process id, and hands over its listeners and workers.

The master has the application's modules loaded (``preload``), so workers that it forked would have the old code. A new image has new code and new
settings, and stays what a service manager watches. The old workers serve until the new ones are there; no listener is ever closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import sys
from types import SimpleNamespace
from typing import Any

from gunicorn import sock
from gunicorn.workers.workertmp import WorkerTmp

HANDOVER = "WEBP_GATEWAY_HANDOVER"
SIGNALS = (*(getattr(signal, f"SIG{name}") for name in ("HUP", "QUIT", "INT", "TERM", "TTIN", "TTOU", "USR1", "USR2", "WINCH")), signal.SIGCHLD)
ENDS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class Heartbeat(WorkerTmp):  # type: ignore[misc]
    """The file by which a worker of the image before shows that it lives."""

    def __init__(self, fd: int) -> None:
        self._tmp = os.fdopen(fd, "w+b", 0)


def handle_reload_last(server: Any) -> None:
    """Of signals that came together the others are handled first: a new image would not know of them."""
    wait = server.wait_for_signals
    server.wait_for_signals = lambda timeout=1.0: sorted(wait(timeout), key=lambda number: number == signal.SIGHUP)


def execute_again(server: Any) -> None:
    """Returns only where it cannot be done, or where the end was asked for meanwhile. Any other signal waits for the new image's handlers."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        heard = _heard(server)
        is_ending = not ENDS.isdisjoint(heard)
        for number in heard:
            signal.raise_signal(number)
        if not is_ending:
            _execute(server)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _heard(server: Any) -> list[int]:
    """The signals that Gunicorn's handlers have put down for its loop."""
    heard = []
    with contextlib.suppress(queue.Empty):
        while True:
            heard.append(server.SIG_QUEUE.get_nowait())
    return [number for number in heard if number != server.WAKEUP_REQUEST]


def _execute(server: Any) -> None:
    listeners = [each.fileno() for each in server.LISTENERS]
    workers = [(pid, each.age, each.tmp.fileno()) for pid, each in server.WORKERS.items()]
    for fd in (*listeners, *(fd for _, _, fd in workers)):
        os.set_inheritable(fd, True)
    handed = {
        "pid": server.pid,
        "listeners": listeners,
        "workers": workers,
        "age": server.worker_age,
        "systemd": server.systemd,
        "successor": server.reexec_pid,
        "companions": getattr(server, "companions", []),
    }
    os.environ[HANDOVER] = json.dumps(handed)
    server.cfg.pre_exec(server)
    os.chdir(server.START_CTX["cwd"])
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(server.START_CTX[0], server.START_CTX["args"], os.environ)
    except OSError as error:
        del os.environ[HANDOVER]
        server.log.error("SIGHUP could not load new code, the old goes on: %s", error)


def adopt(server: Any) -> bool:
    """Take over what the image before has handed over; False where there was none. A second master (SIGUSR2) inherits the words, not the workers."""
    handed = json.loads(os.environ.pop(HANDOVER, "{}"))
    if handed.get("pid") != os.getpid():
        return False
    if handed["listeners"]:  # with SO_REUSEPORT each worker has its own
        server.LISTENERS = [_listener(server, fd) for fd in handed["listeners"]]
    for pid, age, fd in handed["workers"]:
        os.set_inheritable(fd, False)
        server.WORKERS[pid] = SimpleNamespace(pid=pid, age=age, tmp=Heartbeat(fd), aborted=False)
    server.worker_age, server.systemd, server.reexec_pid = handed["age"], handed["systemd"], handed["successor"]
    server.companions = handed["companions"]
    return True


def _listener(server: Any, fd: int) -> Any:
    with socket.socket(fileno=os.dup(fd)) as known:
        name = known.getsockname()
    return sock._sock_type(name)(name, server.cfg, server.log, fd=fd)


def replace_workers(server: Any) -> bool:
    """Fork new workers beside the adopted ones, if there are any. The master's loop then ends the older of both, as many as are too many."""
    if server.pidfile is not None:
        server.pidfile.pid = server.pid  # Gunicorn leaves a file alone that names this process, and would not remove it at the end
    had_workers = bool(server.WORKERS)
    for _ in range(server.cfg.workers if had_workers else 0):
        server.spawn_worker()  # it takes signals once its own handlers stand: a SIGTERM before that would be lost
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    return had_workers
