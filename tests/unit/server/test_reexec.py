"""What a master hands to its next image, and how that takes it over."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from backend.server import reexec


def master(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(cfg=Config(), log=None, LISTENERS=[], WORKERS={}, worker_age=0, systemd=False, reexec_pid=0, companions=[], **more)


@pytest.fixture
def listener() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.set_inheritable(True)
    return sock


def handed(pid: int, listeners: list[int], workers: list[tuple[int, int, int]]) -> str:
    return json.dumps(
        {"pid": pid, "listeners": listeners, "workers": workers, "age": 7, "systemd": True, "successor": 3, "companions": [99]},
    )


def test_the_next_image_has_the_listeners_and_the_workers(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    address, fd = listener.getsockname(), listener.detach()
    with tempfile.TemporaryFile() as file:
        os.utime(file.fileno(), (41, 41))
        monkeypatch.setenv(reexec.HANDOVER, handed(os.getpid(), [fd], [(4711, 5, os.dup(file.fileno()))]))
        server = master()
        assert reexec.adopt(server)
        (taken,) = server.LISTENERS
        with taken.sock:
            assert taken.sock.getsockname() == address
            socket.create_connection(address, 5).close()
        (pid, worker), *_ = server.WORKERS.items()
        assert (pid, worker.age, worker.tmp.last_update()) == (4711, 5, 41)
        worker.tmp.close()
    assert (server.worker_age, server.systemd, server.reexec_pid, server.companions) == (7, True, 3, [99])
    assert reexec.HANDOVER not in os.environ, "workers and programs of theirs are not told"


def test_a_second_master_takes_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(reexec.HANDOVER, handed(os.getpid() + 1, [3], [(4711, 5, 4)]))
    server = master()
    assert not reexec.adopt(server)
    assert not server.LISTENERS and not server.WORKERS
    assert reexec.HANDOVER not in os.environ


def test_without_a_handover_it_is_a_first_start() -> None:
    server = master()
    assert not reexec.adopt(server)


def test_new_workers_stand_beside_the_adopted_ones() -> None:
    spawned: list[int] = []
    server = master(pidfile=None, spawn_worker=lambda: spawned.append(1))
    server.cfg.set("workers", 3)
    assert not reexec.replace_workers(server) and not spawned, "at a first start the master's loop does it"
    server.WORKERS = {4711: SimpleNamespace(age=1)}
    assert reexec.replace_workers(server) and len(spawned) == 3


def heard(*numbers: int) -> SimpleNamespace:
    """A master whose handlers have put down these signals."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in numbers:
        waiting.put(number)
    start = {0: sys.executable, "args": [], "cwd": os.getcwd()}
    server = master(SIG_QUEUE=waiting, WAKEUP_REQUEST=signal.NSIG, START_CTX=start, pid=os.getpid())
    server.log = SimpleNamespace(error=lambda *_: None)
    return server


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set[int]]]:
    """What the next image would have found waiting, for each execution. All of them fail."""
    waiting: list[set[int]] = []

    def refuse(*_: object) -> None:
        waiting.append(set(signal.sigpending()))
        raise OSError

    monkeypatch.setattr(os, "execvpe", refuse)
    before = signal.signal(signal.SIGTTIN, lambda *_: None)
    yield waiting
    signal.signal(signal.SIGTTIN, before)


def test_a_stop_that_came_while_the_new_code_was_looked_at_is_not_lost(executed: list[set[int]]) -> None:
    again: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: again.append(number))
    try:
        reexec.execute_again(heard(signal.SIGTTIN, signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not executed, "for what would be ended at once"
    assert again == [signal.SIGTERM]


def test_any_other_signal_waits_for_the_new_image(executed: list[set[int]]) -> None:
    reexec.execute_again(heard(signal.SIGTTIN, signal.NSIG))
    assert executed == [{signal.SIGTTIN}]
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(reexec.SIGNALS), "it could not be executed, and goes on"


def test_a_reload_is_handled_after_what_came_with_it() -> None:
    server = SimpleNamespace(wait_for_signals=lambda timeout: [signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM])
    reexec.handle_reload_last(server)
    assert server.wait_for_signals(timeout=1.0) == [signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP]
