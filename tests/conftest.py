"""What every test gets: a temporary folder of its own session, leak detectors that run by themselves, a real Redis for those who ask.

The detectors look around a test's own fixtures: what a session's or module's fixture holds is not a leak, what a test leaves is.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
import redis
from hypothesis import settings

from backend.adapters.redis import client as redis_client
from tests.support.chromium_pictures import ChromiumJudge, chromium_binary
from tests.support.redis_server import RedisServer, binary

LEAKS_END_WITHIN_S = 2.0
"""A child that was told to end, a descriptor that a thread is just closing."""
IGNORED_IN_TEMP = ("pytest-of-", "com.apple.")

settings.register_profile("quick", max_examples=60, deadline=None, derandomize=True)
settings.load_profile("quick")


def missing(reason: str) -> NoReturn:
    """A component that this machine lacks: in CI a failure, on a laptop a skip with its reason."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{reason} (needed in CI)")
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def session_temp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Temporary files of the tests and their children go here, so that one left behind is seen. Short, because sockets' paths are."""
    tmp_path_factory.getbasetemp()
    before = os.environ.get("TMPDIR")
    folder = Path(tempfile.mkdtemp(prefix="wg-"))
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), str(folder)
    yield folder
    tempfile.tempdir = None
    if before is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Held:
    """What this process holds at a moment, each thing by a name that a reader understands."""

    children: frozenset[tuple[str, str]]
    threads: frozenset[str]
    files: frozenset[str]
    temporary: frozenset[str]

    @classmethod
    def now(cls, temp: Path) -> Held:
        return cls(_children(), _threads(), _files(), _temporary(temp))

    def beyond(self, before: Held) -> list[str]:
        grown = [
            *(f"child process {each}" for root, each in self.children if root not in {root for root, _ in before.children}),
            *(f"thread {each}" for each in self.threads - before.threads),
            *(f"temporary file {each}" for each in self.temporary - before.temporary),
        ]
        if len(self.files) > len(before.files):
            grown += [f"open file {each}" for each in self.files - before.files]
        return grown


def _children() -> frozenset[tuple[str, str]]:
    """(our own child, it or a descendant of it). A fixture's gateway replaces its processes as it likes; only what has a new root is a leak."""
    if not os.path.exists("/proc/self/task"):
        return frozenset((str(each.pid), f"{each.pid} {each.name()}") for each in psutil.Process().children())
    return frozenset((root, each) for root in _children_of("self") for each in (_described(root), *_descendants(root)))


def _descendants(pid: str) -> Iterator[str]:
    for child in _children_of(pid):
        yield _described(child)
        yield from _descendants(child)


def _children_of(pid: str) -> list[str]:
    """Read from ``/proc``, which is quick however many processes the machine has; what ends meanwhile, a thread or the process, has none."""
    children: list[str] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return children
    for thread in threads:
        try:
            children += Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
        except OSError:
            continue
    return children


def _described(pid: str) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        command = "(gone)"
    return f"{pid} {command[:200] or '(zombie)'}"


def _threads() -> frozenset[str]:
    return frozenset(f"{each.name} ({each.ident})" for each in threading.enumerate() if each.is_alive() and not each.daemon)


def _files() -> frozenset[str]:
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    found = set()
    for name in os.listdir(folder):
        try:
            found.add(f"{name} → {os.readlink(f'{folder}/{name}') if folder.startswith('/proc') else '?'}")
        except OSError:
            continue
    return frozenset(found)


def _temporary(temp: Path) -> frozenset[str]:
    return frozenset(each.name for each in temp.iterdir() if not each.name.startswith(IGNORED_IN_TEMP))


@pytest.fixture(autouse=True)
def leaves_nothing_behind(session_temp: Path) -> Iterator[None]:
    before = Held.now(session_temp)
    yield
    if not (leaks := Held.now(session_temp).beyond(before)):
        return
    gc.collect()
    deadline = time.monotonic() + LEAKS_END_WITHIN_S
    while (leaks := Held.now(session_temp).beyond(before)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for name in _temporary(session_temp) - before.temporary:
        shutil.rmtree(session_temp / name, ignore_errors=True)
    assert not leaks, "left behind by this test: " + "; ".join(sorted(leaks))


@pytest.fixture(scope="session")
def redis_binary() -> str:
    return binary() or missing("neither redis-server nor valkey is installed")


@pytest.fixture(scope="session")
def _session_redis(redis_binary: str) -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="r-"))
    server = RedisServer(redis_binary, folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def redis_server(_session_redis: RedisServer) -> Iterator[RedisServer]:
    """The session's server, empty."""
    client = redis.Redis.from_url(_session_redis.url)
    client.flushall()
    client.close()
    yield _session_redis


@pytest.fixture
def own_redis(redis_binary: str) -> Iterator[RedisServer]:
    """One that the test may kill."""
    folder = Path(tempfile.mkdtemp(prefix="r-"))
    server = RedisServer(redis_binary, folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def connect() -> Iterator[Callable[[str], redis.Redis]]:
    """The product's own clients, closed after the test."""
    clients: list[redis.Redis] = []

    def make(url: str) -> redis.Redis:
        clients.append(redis_client.connect(url))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def chromium_judge() -> Iterator[ChromiumJudge]:
    """What a browser shows for a file."""
    with ChromiumJudge(chromium_binary() or missing("Chromium is not installed")) as judge:
        judge.start()
        yield judge


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """On a slow machine CI has no time for all: what has not begun by ``TESTS_END_BY`` (seconds since 1970) is left out, counted as skipped."""
    if time.time() > float(os.environ.get("TESTS_END_BY", "inf")):
        pytest.skip("no time left")
