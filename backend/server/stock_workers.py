"""Gunicorn's own worker classes, made fit to serve the application: REST under any of them, and what must last only where it can.

``run.py`` patches the standard library when a worker loads it, which is after Gunicorn has made that worker. ``gthread`` waits for connections with
a selector from before, in which gevent's loop never gets a turn, and its threads, which are greenlets now, would never run. So the worker that loads
the application is looked for among the callers, since Gunicorn tells nobody, and gets a selector and a pool that gevent knows.

``STOCK`` says what each class can hold open. Our own class (``server/worker``) does all of this by itself, and better.
"""

from __future__ import annotations

import selectors
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import gevent
from gunicorn.workers.base import Worker

from backend.ports.peer import KEY, Hold
from backend.server import connection_limits
from backend.server.connection import Connections
from backend.server.metrics.http_middleware import HttpMetrics
from backend.server.metrics.process import ProcessMetrics
from backend.server.metrics.shared_counters import counters
from backend.server.run_dir import lasting_dir, run_dir
from backend.server.stock_peer import StockPeer
from backend.server.turns import turns
from backend.server.wsgi import Environ, StartResponse, Wsgi

OURS = "backend.server.worker"
"""Its class does all of this by itself. This room does not import it, since the room stands below."""
BEAT_S = 1.0
SEND_TIMEOUT_S = 120.0
"""For one block of an answer, of 256 KiB: the time that ``response_min_bytes_per_s`` gives it."""


class Stock(NamedTuple):
    """A worker class. ``shared`` holds of several workers too, ``alone`` of a single one. ``prepare`` is called before it runs."""

    name: str
    prepare: Callable[[Any], object]
    shared: frozenset[Hold] = frozenset()
    alone: frozenset[Hold] = frozenset()


def use_cooperative_threads(worker: Any) -> None:
    """Both were made before gevent patched their modules, and nothing is in them yet."""
    worker.poller.close()
    worker.poller = selectors.DefaultSelector()
    worker.tpool = worker.get_thread_pool()


def beat_during_requests(worker: Any) -> None:
    """This class tells the master that it lives only between two requests. One that lasts is not to cost the worker's life."""
    handle, under_way = worker.handle_request, []

    def handle_request(*arguments: Any) -> Any:
        under_way.append(True)
        try:
            return handle(*arguments)
        finally:
            under_way.pop()

    def beat() -> None:
        while True:
            gevent.sleep(BEAT_S)
            if under_way:
                worker.notify()

    worker.handle_request = handle_request
    gevent.spawn(beat)


def leave_alone(worker: Any) -> None:
    """It waits with what gevent has patched."""


STOCK = (
    Stock("GeventWebSocketWorker", leave_alone, frozenset({"streams", "websockets"}), frozenset({"streams", "websockets", "sessions"})),
    Stock("GeventWorker", leave_alone, frozenset({"streams"}), frozenset({"streams", "sessions"})),
    Stock("ThreadWorker", use_cooperative_threads),
    Stock("SyncWorker", beat_during_requests),
    Stock("Worker", leave_alone),
)
"""By name, the most special class first. A class of somebody else's is taken for the first that it inherits from."""


def adopt(app: Wsgi) -> Wsgi:
    """``app`` as the worker that loads it should call it. Call it once, in the worker's process."""
    worker = loading_worker()
    if worker is None or any(each.__module__ == OURS for each in type(worker).__mro__):
        return app
    names = [each.__name__ for each in type(worker).__mro__]
    stock = next(each for each in STOCK if each.name in names)
    stock.prepare(worker)
    if lasting_dir() is not None:
        counters.keep_in(run_dir() / "metrics")
    turns.start()
    gevent.spawn(_measure, ProcessMetrics(Connections()))
    return with_peer(HttpMetrics(app), worker, stock.shared if worker.cfg.workers > 1 else stock.alone)


def loading_worker() -> Any:
    """The Gunicorn worker in which this is called, or None."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if isinstance(found := frame.f_locals.get("self"), Worker):
            return found
    return None


def with_peer(app: Wsgi, worker: Any, holds: frozenset[Hold]) -> Wsgi:
    def call(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if (client := environ.get("gunicorn.socket")) is not None:
            client.settimeout(SEND_TIMEOUT_S)
        environ[KEY] = StockPeer(environ, holds, connection_limits.current(), lambda: not worker.alive)
        return app(environ, start_response)

    return call


def _measure(metrics: ProcessMetrics) -> None:
    while True:
        metrics.update()
        gevent.sleep(BEAT_S)
