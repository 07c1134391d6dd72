"""Every adapter of every port: a contract suite asks for ``store``, ``jobs``… and runs once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
import redis

from backend.adapters.files.store import FileStore
from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.live_state import live_state as redis_live_state
from backend.adapters.s3.store import S3Store
from backend.adapters.stores import open_store
from backend.adapters.threaded.store import ThreadedStore
from backend.core.store_schemes import SCHEMES
from backend.ports.store import Store
from tests.contract.live import Live
from tests.fakes.live_state import live_state as memory_live_state
from tests.fakes.server import MemoryServer
from tests.fakes.store import MemoryStore
from tests.fakes.waiting import until
from tests.support.redis_server import RedisServer
from tests.support.s3_server import credentials, make_bucket, serving


@pytest.fixture(scope="session", autouse=True)
def gevent_hub() -> None:
    """The hub keeps some descriptors for as long as the process lives: open them before the detectors look."""
    gevent.get_hub().threadpool.apply(int)
    gevent.sleep(0)


@pytest.fixture
def file_store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path / "store")
    store.prepare()
    return store


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The endpoint of an S3 service in a process of its own, with one empty bucket each time ``s3_store`` asks."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def s3_store(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    for name, value in credentials(s3_server).items():
        monkeypatch.setenv(name, value)
    store = S3Store(make_bucket(s3_server), "some/prefix", FileStore(tmp_path / "spool"))
    store.prepare()
    return store


PREPARED = {"file": "file_store", "s3": "s3_store"}
"""Stores that a test cannot have by their example's address, and the fixtures that make them."""


@pytest.fixture(params=[*SCHEMES, "file, threaded", "fake"])
def store(request: pytest.FixtureRequest, s3_server: str, tmp_path: Path) -> Iterator[Store]:
    """Each kind of store that ``core.store_schemes`` lists. The S3 service is asked for here, so that it is there before the leak detectors look."""
    if request.param == "fake":
        fake = MemoryStore()
        yield fake
        assert not fake.open_files
        return
    scheme = request.param.split(",")[0]
    inner: Store = request.getfixturevalue(PREPARED[scheme]) if scheme in PREPARED else opened(scheme, tmp_path)
    if "threaded" not in request.param:
        yield inner
        return
    threaded = ThreadedStore(inner)
    yield threaded
    threaded.close()


def opened(scheme: str, folder: Path) -> Store:
    store = open_store(SCHEMES[scheme].example, folder / "spool", min_free_bytes=0)
    store.prepare()
    return store


@pytest.fixture
def redis_live(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> Live:
    return Live(**redis_live_state(connect(redis_server.url)))


@pytest.fixture(params=["redis", "memory"])
def live(request: pytest.FixtureRequest, redis_live: Live) -> Live:
    return redis_live if request.param == "redis" else Live(**memory_live_state(MemoryServer()))


@pytest.fixture(params=["redis", "memory"])
def watched(request: pytest.FixtureRequest, redis_live: Live, redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> Iterator[Live]:
    """As ``live``; somebody watches every job."""
    if request.param == "memory":
        server = MemoryServer()
        server.listeners = lambda _id: 1
        yield Live(**memory_live_state(server))
        return
    watcher = connect(redis_server.url).pubsub()
    watcher.psubscribe(f"{KEY_PREFIX}changed:*")
    until(lambda: watcher.get_message() is not None, 5)
    yield redis_live
    watcher.close()
