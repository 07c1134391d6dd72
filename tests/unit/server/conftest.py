"""Real gunicorns for the server tests; each is stopped, and checked to leave nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parents[2]):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from gateway_process import Gateway  # noqa: E402

gevent.sleep(0.001)  # gevent's loop opens its descriptors once and keeps them: not a test's leak

NODE_DIR = Path(os.environ.get("TEST_NODE_DIR", "/tmp/webp-gateway-test-node"))


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """Five workers with short patience, shared by the tests that leave it as it was."""
    running = Gateway(workers=5, header_timeout_s=1.0, body_idle_timeout_s=1.5, body_grace_s=1.0)
    yield running
    running.stop()


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """One of its own for a test that stops, kills or recycles workers. The test's folder, where its socket may lie, outlives it."""
    running: list[Gateway] = []

    def start(*arguments: str, **options: Any) -> Gateway:
        running.append(Gateway(*arguments, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def run_node() -> Callable[..., subprocess.Popen[str]]:
    """Starts a script of this folder with the official Socket.IO client at hand."""
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    if not (NODE_DIR / "node_modules/socket.io-client").exists():
        NODE_DIR.mkdir(exist_ok=True)
        command = ["npm", "install", "--no-save", "--prefix", str(NODE_DIR), "socket.io-client@4"]
        installed = subprocess.run(command, capture_output=True, check=False)
        if installed.returncode:
            pytest.skip("the official Socket.IO client cannot be installed")

    def run(script: str, *arguments: str) -> subprocess.Popen[str]:
        environ = {**os.environ, "NODE_PATH": str(NODE_DIR / "node_modules")}
        return subprocess.Popen(["node", str(HERE / script), *arguments], env=environ, stdout=subprocess.PIPE, text=True)

    return run
