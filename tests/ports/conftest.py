"""Every adapter of every port: a contract suite asks for ``store``, ``jobs``… and runs once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
import redis
from gevent.threadpool import ThreadPool

from backend.adapters.file_store import FileStore
from backend.adapters.redis_jobs import RedisJobs
from backend.adapters.threaded_store import ThreadedStore
from backend.ports import Jobs, Store
from tests.memory.jobs import MemoryJobs
from tests.memory.store import MemoryStore
from tests.ports.redis_server import RedisServer


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


@pytest.fixture(params=["files", "files, threaded", "memory"])
def store(request: pytest.FixtureRequest, file_store: FileStore) -> Iterator[Store]:
    if request.param == "memory":
        memory = MemoryStore()
        yield memory
        assert not memory.open_files
    elif request.param == "files":
        yield file_store
    else:
        threaded = ThreadedStore(file_store)
        yield threaded
        for each in vars(threaded).values():
            if isinstance(pool := getattr(each, "pool", each), ThreadPool):
                pool.kill()


@pytest.fixture
def redis_jobs(redis_server: RedisServer, connect: Callable[[str], redis.Redis]) -> RedisJobs:
    return RedisJobs(connect(redis_server.url))


@pytest.fixture(params=["redis", "memory"])
def jobs(request: pytest.FixtureRequest, redis_jobs: RedisJobs) -> Jobs:
    return redis_jobs if request.param == "redis" else MemoryJobs()
