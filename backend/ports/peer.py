"""What the web may ask of the client at the other end of a request's connection.

The server puts a ``Peer`` into the WSGI environment under ``KEY``. A server that is not ours puts none there; the web then uses its own
stand-in, which knows nothing of the connection (``web/request/peer.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

KEY = "gateway.peer"

Note = Literal["request", "route", "code"]
"""The request's id; its route's template, never a path, since a client may make up any; and the error code that it is answered with."""


Hold = Literal["streams", "sessions", "websockets"]
"""What a client may keep open for long: answers without an end and long polls; Socket.IO sessions that poll; WebSockets."""


class SocketChunk(Protocol):
    """The next bytes of a request's body while they are still in the kernel's socket buffer."""

    @property
    def received_bytes(self) -> int:
        """What ``receive_into`` returned; 0 before it was called."""

    def receive_into(self, take: Callable[[int, int], int], most_bytes: int) -> int:
        """Calls ``take(source_fd, most_bytes)`` at most once and returns how many bytes it took. After 0, read the body as usual."""


class WebSocket(Protocol):
    """A WebSocket (RFC 6455). The handshake is answered by the first ``receive``, ``send`` or ``ping``."""

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""

    def settimeout(self, seconds: float | None) -> None:
        """Give the client up after so many seconds without a byte of its own."""

    def receive(self) -> str | bytes | None:
        """The next message. None once the connection has ended, for whatever reason."""

    def send(self, message: str) -> None:
        """Raises ``ConnectionError`` when the client cannot be reached any more."""

    def ping(self) -> None:
        """Raises as ``send``."""

    def close(self, code: int) -> None:
        """Send a close frame, unless one was sent."""


class Peer(Protocol):
    """The client of one request. All methods may be called from any thread, also after the request's handler has returned."""

    @property
    def is_draining(self) -> bool:
        """Whether this worker is about to stop. A long answer then ends early, and its client goes on at another worker."""

    @property
    def listener_port(self) -> int | None:
        """The port at which the connection came in; None for a unix socket."""

    @property
    def websocket(self) -> WebSocket | None:
        """None where the request asked for no upgrade."""

    @property
    def received_bytes(self) -> int:
        """How much of the request's body has come in."""

    @property
    def is_waiting(self) -> bool:
        """Whether a read of the body waits for the client right now."""

    def can_hold(self, kind: Hold) -> bool:
        """Whether this server can keep that open, at little cost, for many clients at once."""

    def has_left(self) -> bool:
        """Whether the client has closed its connection."""

    def read(self, most_bytes: int) -> bytes:
        """What has come of the body, at least one byte; empty at its end. Raises ``BadRequest`` when it breaks off or is too slow."""

    def next_chunk(self, *, is_fast: bool) -> SocketChunk | None:
        """A way around ``read`` for the body's next bytes. None where there is none, or too little is left to be worth it.

        A fast sender's chunk is what has come by now. A slow sender's is waited for until there is enough of it to be worth a thread's turn.
        """

    def stop_reading(self) -> None:
        """End the body here, as if the client had closed its side: a ``read`` that waits raises ``BadRequest``."""

    def note(self, name: Note, value: str) -> None:
        """Tell the server what its metrics and its access log say of this request."""
