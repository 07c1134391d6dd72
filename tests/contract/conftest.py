"""Every adapter of every port: a contract suite asks for ``store``, ``jobs``… and runs once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
from tests.support.s3_server import SERVERS, credentials, make_bucket


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
def s3_servers() -> Iterator[dict[str, str]]:
    """The endpoint of each S3 service, by its name."""
    with ExitStack() as running:
        yield {name: running.enter_context(serving()) for name, serving in SERVERS.items()}


@pytest.fixture(params=SERVERS)
def s3_server(request: pytest.FixtureRequest, s3_servers: dict[str, str]) -> str:
    """The endpoint of one service after the other."""
    return s3_servers[request.param]


@pytest.fixture
def s3_store(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    with bucket_store(s3_server, tmp_path, monkeypatch) as store:
        yield store


@contextmanager
def bucket_store(endpoint: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A store in a new bucket."""
    for name, value in credentials(endpoint).items():
        monkeypatch.setenv(name, value)
    store = S3Store(make_bucket(endpoint), "some/prefix", FileStore(folder / "spool"))
    store.prepare()
    yield store
    store.bucket.client.close()


KINDS = [*(scheme for scheme in SCHEMES if scheme != "s3"), *(f"s3, {server}" for server in SERVERS), "file, threaded", "fake"]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, s3_servers: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Each kind of store that ``core.store_schemes`` lists. The S3 services are asked for here, so that they are there before the leak detectors
    look."""
    if request.param == "fake":
        fake = MemoryStore()
        yield fake
        assert not fake.open_files
        return
    scheme, _, how = request.param.partition(", ")
    if scheme == "s3":
        with bucket_store(s3_servers[how], tmp_path, monkeypatch) as bucket:
            yield bucket
        return
    inner: Store = request.getfixturevalue("file_store") if scheme == "file" else opened(scheme, tmp_path)
    if how != "threaded":
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
