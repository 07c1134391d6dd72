"""Every limit that this room puts on a connection: a name, a unit and a reason each.

The composition root calls ``install`` before the worker runs; everything here asks ``current`` when a connection begins.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Bounds:
    """What one client may cost. A zero in ``connections_per_address`` turns that one bound off."""

    # A head fits into a few packets; the time runs over the whole head, so that a byte now and then buys nothing (slowloris).
    header_timeout_s: float = 5.0

    # A phone changing cells is silent for some seconds; longer than this it has gone.
    body_idle_timeout_s: float = 15.0

    # OWASP's minimum ingress rate. 10 KB/s is a bad mobile connection; slower holds a slot for hours.
    body_min_bytes_per_s: int = 10_000

    # Slow start, a radio waking up: so long a body may stay below the minimum rate.
    body_grace_s: float = 5.0

    # A browser reads an early 413 or 503 only when it has sent all, or not at all if it is reset: an upload of the size that is taken elsewhere
    # may finish, at the pace that is asked of every body; an endless one may not.
    linger_bytes: int = 65 * MIB
    linger_s: float = 30.0
    linger_idle_s: float = 2.0

    # A response whose next 64 KiB are not taken in this time has no reader.
    response_idle_timeout_s: float = 30.0

    # OWASP's figure for one message. Images go by HTTP, never through a socket.
    websocket_message_bytes: int = 64 * KIB

    # So long a frame may wait in the peer's closed window before the peer is cut off.
    websocket_write_timeout_s: float = 30.0

    # A page that drops a thousand images subscribes a thousand times; the application answers the excess long before this ends the session.
    session_messages: int = 2400
    session_messages_window_s: float = 10.0

    # An Engine.IO session that has joined no namespace by then is ended (Node's server: ``connectTimeout``, 45 s).
    session_connect_timeout_s: float = 20.0

    # Room for plain requests (health checks among them) beside the sockets. None: 80 % of ``--worker-connections``.
    websockets_per_worker: int | None = None

    # No single address takes more than half of a worker. Set to 0 behind a proxy, where all clients share one address.
    connections_per_address: int = 1000


_installed = Bounds()


def install(bounds: Bounds) -> None:
    """Replace the defaults, once, before the worker serves its first connection."""
    global _installed
    _installed = bounds


def current() -> Bounds:
    return _installed
