"""How a worker leaves: nobody new, nobody kept waiting for nothing, everybody finished, and out before the master loses patience.

The order matters. The listener closes first, or clients that are sent away reconnect to the worker that is going. Then idle
connections close and WebSockets hear 1001; fresh ones get a moment more, because a request may be on its way, or a client still
busy with connecting. Polling sessions end again and again, since a request under way may still open one. What is left may finish
until the deadline.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

from backend.server.connection import FRESH, Connection, Connections
from backend.server.socketio import sessions

GOING_AWAY = 1001
TURN_S = 0.05

# A WebSocket's peer may answer the close frame.
GRACE_S = 0.5

# A request may be on its way on a fresh connection: a client that resolves, connects and then computes is no less there.
FRESH_GRACE_S = 1.5

# python-socketio (5.18) never connects again where its connection breaks before its own reconnect has returned: found by tests/ops/test_steady.py.
SETTLING_S = 0.5

# The master kills at its graceful timeout; this much before, the worker ends what is left by itself.
MARGIN_S = 2.0

log = logging.getLogger("gunicorn.error")


def drain(connections: Connections, graceful_timeout_s: float, notify: Callable[[], None]) -> None:
    """Return when every connection has ended, which is forced shortly before ``graceful_timeout_s`` is over."""
    begun = time.monotonic()
    deadline = begun + max(graceful_timeout_s - MARGIN_S, graceful_timeout_s / 2)
    while connections.all and time.monotonic() < deadline:
        press(connections, time.monotonic() - begun)
        notify()
        gevent.sleep(TURN_S)
    end(connections)


def press(connections: Connections, passed_s: float) -> None:
    """One turn, so long after the beginning: send away whoever only waits."""
    if sessions.installed is not None:
        sessions.installed.close_polling(SETTLING_S)
    for connection in connections.all:
        connection.take_no_more()
        if connection.is_waiting and (passed_s > FRESH_GRACE_S or connection.state != FRESH):
            connection.stop_reading()
        elif connection.websocket is not None:
            send_away(connection, time.monotonic())


def send_away(connection: Connection, now: float) -> None:
    """A WebSocket: told once, and cut off when it has been told."""
    assert connection.websocket is not None
    if connection.sent_away_s is None and now - connection.opened_s > SETTLING_S:
        connection.sent_away_s = now
        gevent.spawn(connection.websocket.close, GOING_AWAY, "the server is restarting")
    elif connection.sent_away_s is not None and now - connection.sent_away_s > GRACE_S and connection.websocket.closed:
        connection.abort()


def end(connections: Connections) -> None:
    """Cut off what did not finish in time."""
    if not connections.all:
        return
    log.warning("%d connections did not end within the graceful timeout and were cut off", len(connections.all))
    greenlets = []
    for connection in connections.all:
        connection.abort()
        greenlets.append(connection.greenlet)
    gevent.killall(greenlets, block=True, timeout=GRACE_S)
