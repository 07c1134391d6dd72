"""How a worker stops: it accepts nothing new, closes what only waits, finishes what runs, and is gone before the master would kill it.

The order matters. The listener closes first, or clients that are closed would come back to the worker that stops. Then idle connections close and
WebSockets get close code 1001. Fresh connections have a moment more: a request may be on its way, or the client still busy with connecting.
Socket.IO sessions that poll are ended again and again, since a request that still runs may open one. Everything else may finish until the
deadline.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

from backend.server.connection import FRESH, Connection, Connections
from backend.server.socketio import sessions

GOING_AWAY = 1001
ROUND_S = 0.05

CLOSE_WAIT_S = 0.5
"""So long a WebSocket's client may take to answer the close frame."""

FRESH_WAIT_S = 1.5
"""A client that resolves a name, connects, and then computes before it sends its request needs about so long on a busy machine."""

SETTLING_S = 0.5
"""A connection younger than this is not closed: python-socketio (5.18) never connects again if its connection breaks before its own reconnect has
returned. Found by ``tests/system/ops/test_steady.py``."""

MARGIN_S = 2.0
"""The worker cuts off what is left this long before the graceful timeout, at which the master kills it."""

log = logging.getLogger("gunicorn.error")


def drain(connections: Connections, graceful_timeout_s: float, notify: Callable[[], None]) -> None:
    """Returns when every connection has ended, at the latest shortly before ``graceful_timeout_s`` is over. ``notify`` is the worker's heartbeat."""
    begun_s = time.monotonic()
    deadline = begun_s + max(graceful_timeout_s - MARGIN_S, graceful_timeout_s / 2)
    while connections.all and time.monotonic() < deadline:
        close_waiting(connections, time.monotonic() - begun_s)
        notify()
        gevent.sleep(ROUND_S)
    abort_all(connections)


def close_waiting(connections: Connections, passed_s: float) -> None:
    """One round, so long after the beginning: close the connections that wait for a request or for an event."""
    if sessions.installed is not None:
        sessions.installed.close_polling(SETTLING_S)
    for connection in connections.all:
        connection.stop_keepalive()
        if connection.is_waiting and (passed_s > FRESH_WAIT_S or connection.state != FRESH):
            connection.stop_reading()
        elif connection.websocket is not None:
            close_websocket(connection, time.monotonic())


def close_websocket(connection: Connection, now: float) -> None:
    """Send the close frame once; cut the connection off when its time to answer is over."""
    assert connection.websocket is not None
    if connection.close_sent_s is None and now - connection.opened_s > SETTLING_S:
        connection.close_sent_s = now
        connection.websocket.close(GOING_AWAY, "the server is restarting")
    elif connection.close_sent_s is not None and now - connection.close_sent_s > CLOSE_WAIT_S and connection.websocket.closed:
        connection.abort()


def abort_all(connections: Connections) -> None:
    """Cut off what has not ended in time."""
    if not connections.all:
        return
    log.warning("%d connections did not end within the graceful timeout and were cut off", len(connections.all))
    greenlets = []
    for connection in connections.all:
        connection.abort()
        if connection.greenlet is not None:
            greenlets.append(connection.greenlet)
    gevent.killall(greenlets, block=True, timeout=CLOSE_WAIT_S)
