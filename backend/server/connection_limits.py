"""Every limit that this room puts on a connection, each with a name, a unit and a reason.

The composition root calls ``install`` before the worker runs. A connection takes ``current()`` when it begins.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class ConnectionLimits:
    """What one client may cost. A zero in ``connections_per_address`` turns that limit off."""

    # A head fits into a few packets. The time runs over the whole head, so that a byte now and then does not prolong it (slowloris).
    header_timeout_s: float = 5.0

    # Request line and headers together; browsers send a few KiB, nginx takes 32. It bounds a chunked body's trailers too.
    head_bytes: int = 64 * KIB

    # What a chunked body may have in chunk headers and extensions, beyond as much again as its data. A client that writes byte by byte has five
    # bytes of them for each; a body of 250 KB still passes.
    chunk_overhead_bytes: int = MIB

    # A phone that changes cells is silent for some seconds; longer than this, and it has gone.
    body_idle_timeout_s: float = 15.0

    # OWASP's minimum ingress rate. 10 KB/s is a bad mobile connection; slower, and an upload holds its slot for hours.
    body_min_bytes_per_s: int = 10_000

    # TCP's slow start, a radio that wakes up: for so long a body may stay below the minimum rate.
    body_grace_s: float = 5.0

    # A client may read an early 413 or 503 only after it has sent everything, and never if its connection is reset. So what it still sends is read
    # and thrown away. A body that says it is larger than ``linger_most_bytes`` cannot be waited for; of such a one ``linger_bytes`` are taken, the
    # size that would have been accepted.
    linger_most_bytes: int = 512 * MIB
    linger_bytes: int = 65 * MIB
    linger_s: float = 30.0  # and longer at the rate that is asked of every body, up to:
    linger_most_s: float = 300.0
    linger_idle_s: float = 2.0

    # 64 KiB in 30 s, for every kind of answer: files, archives, chunks.
    response_min_bytes_per_s: int = 2184

    # A client that takes nothing for so long no longer reads. Its system tells of free space in steps of up to 110 KB (Linux, 128 KiB of receive
    # buffer), which at the minimum rate is 50 s of silence. Below TCP_USER_TIMEOUT, after which the kernel gives up.
    response_idle_timeout_s: float = 55.0

    # OWASP's figure for one message. Images go by HTTP, never through a WebSocket.
    websocket_message_bytes: int = 64 * KIB

    # Twice the messages that a session may send. A client pings every few seconds; browsers cannot. Above them a WebSocket is closed with 1008.
    websocket_frames: int = 4800
    websocket_control_frames: int = 200
    websocket_frames_window_s: float = 10.0

    # How long a frame may wait in the peer's closed TCP window before the peer is cut off.
    websocket_write_timeout_s: float = 30.0

    # A page on which a thousand images are dropped subscribes a thousand times. The application refuses an excess long before this ends the session.
    session_messages: int = 2400
    session_messages_window_s: float = 10.0

    # An Engine.IO session that has joined no namespace by then is ended (Node's server: ``connectTimeout``, 45 s).
    session_connect_timeout_s: float = 20.0

    # Leaves room for plain requests, health checks among them, beside the WebSockets. None: 80 % of ``--worker-connections``.
    websockets_per_worker: int | None = None

    # No address takes more than half of a worker. Set it to 0 behind a proxy, where all clients share one address.
    connections_per_address: int = 1000


_installed = ConnectionLimits()


def install(limits: ConnectionLimits) -> None:
    """Replace the defaults, once, before the worker serves its first connection."""
    global _installed
    _installed = limits


def current() -> ConnectionLimits:
    return _installed
