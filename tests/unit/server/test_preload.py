"""What Gunicorn's master loads for its workers, and what it keeps for itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.server import preload
from backend.server.worker import BoundedGeventWebSocketWorker
from tests.support.running import ROOT

MASTER = """
import os, threading, time
from gunicorn import arbiter
own = (arbiter.os.fork, arbiter.os.waitpid, arbiter.time.sleep)
import backend.server.worker
from backend import app
from backend.server import preload
preload.import_once(app.make_ahead)
from gevent import monkey
from gevent._hub_local import get_hub_if_exists
assert monkey.is_module_patched("os") and time.sleep is not own[2] and os.fork is not own[0]
assert (arbiter.os.fork, arbiter.os.waitpid, arbiter.time.sleep) == own, "the master's loop waits for signals, and not gevent's"
assert app._made_ahead is not None, "the application is there"
assert get_hub_if_exists() is None and threading.active_count() == 1, "nothing of it has begun"
assert not [each for each in map(lambda fd: os.readlink(f"/proc/self/fd/{fd}"), filter(lambda fd: os.path.exists(f"/proc/self/fd/{fd}"),
    os.listdir("/proc/self/fd"))) if each.startswith("socket:")], "no connection is open"
"""


def test_the_master_has_the_application_and_nothing_of_it_has_begun(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MASTER]
    environment = {"GATEWAY_DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "data").exists(), "nor was a folder made"


class Somebodys(BoundedGeventWebSocketWorker):
    pass


@pytest.mark.parametrize(
    ("worker_class", "reload", "suits"),
    [(BoundedGeventWebSocketWorker, False, True), (Somebodys, False, True), (object, False, False), (BoundedGeventWebSocketWorker, True, False)],
)
def test_only_workers_of_ours_share_and_none_beside_a_reloader(worker_class: type, reload: bool, suits: bool) -> None:
    assert preload.suits(SimpleNamespace(worker_class=worker_class, cfg=SimpleNamespace(reload=reload))) is suits


@pytest.mark.parametrize(("code", "runs"), [("", True), ("import no_such_module", False)])
def test_code_that_cannot_be_loaded_is_found_before_it_is_needed(code: str, runs: bool, capfd: pytest.CaptureFixture[str]) -> None:
    assert preload.runs([sys.executable, "-c", code]) is runs
    assert ("no_such_module" in capfd.readouterr().err) is not runs
