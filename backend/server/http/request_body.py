"""What comes in: gunicorn's own request parser, reading the socket at a bounded pace, and a body that cannot end silently.

Law of the body: what arrived is handed out first; then its end, or the reason why there is none. ``read()`` without a size
raises instead of returning a part. A body of known length that breaks off is ``BadRequest("incomplete_body")``, one that
crawls is ``BadRequest("slow_body")``, a malformed chunk is ``BadRequest``: never a silent end of file, never a 500.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.socket
from gunicorn.http import errors as parse_errors
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader

from backend.errors import BadRequest, GatewayError
from backend.server.connection_limits import KIB, MIB, Bounds
from backend.server.http.read_timeouts import BodyPace, HeadPace, Pace, TooSlow

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# A sender on the same machine never lets recv() wait, so the loop would never turn without this.
YIELD_EVERY_BYTES = MIB

LEAST_STRETCH_BYTES = MIB
"""What is left of a body has to be worth a thread's turn."""
SIP_BYTES = 128 * KIB
"""A slow sender is left alone until so much of his waits in the socket: that is worth a thread's turn, which takes twice as much at most."""
LULL_S = 0.25
"""Or for so long: then the loop reads what is there."""

MALFORMED = (
    parse_errors.ParseException,
    parse_errors.InvalidChunkSize,
    parse_errors.ChunkMissingTerminator,
    parse_errors.InvalidChunkExtension,
)


class PacedUnreader(SocketUnreader):  # type: ignore[misc]
    """gunicorn's reader of a socket, where every ``recv`` asks the present pace how long it may wait."""

    max_body_chunk = 256 * KIB  # gunicorn's own is 1 MiB: hashed in one go, on the loop, that is milliseconds

    def __init__(self, sock: Any, pace: Pace, resting_timeout_s: float, pending: bytes = b"") -> None:
        super().__init__(sock)
        self.pace = pace
        self.is_last = False
        self.is_waiting = False
        """For the peer."""
        self._resting_timeout_s = resting_timeout_s
        self._since_yield = 0
        sock.settimeout(resting_timeout_s)
        if pending:
            self.unread(pending)

    @property
    def is_plain(self) -> bool:
        """Whether the socket's bytes are the peer's own, and not TLS records."""
        return not isinstance(self.sock, ssl.SSLSocket)

    @property
    def can_wait(self) -> bool:
        """Whether the kernel wakes nobody before so many bytes have come as are asked for."""
        return self.sock.family in (socket.AF_INET, socket.AF_INET6)

    @property
    def buffered_bytes(self) -> int:
        return int(self.buf.getbuffer().nbytes)

    def chunk(self, size_hint: int | None = None) -> bytes:
        self.sock.settimeout(self.pace.wait_s())
        begun = time.monotonic()
        self.is_waiting = True
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise TooSlow from None
        finally:
            self.is_waiting = False
            self.sock.settimeout(self._resting_timeout_s)
        self.pace.received(len(data), time.monotonic() - begun)
        self._let_others_run(len(data))
        return data

    def wait_for(self, count: int) -> bool:
        """Whether so many bytes wait in the socket, or its end, before ``LULL_S`` is over. It reads nothing."""
        sock, begun = self.sock, time.monotonic()
        self.is_waiting = True
        try:
            wait_s = min(LULL_S, self.pace.wait_s())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
            try:
                gevent.socket.wait(sock._read_event, wait_s, TimeoutError())
            finally:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            return True
        except (TooSlow, OSError):  # TimeoutError is one; of what else it may be, whoever reads on learns
            return False
        finally:
            self.is_waiting = False
            self.pace.received(0, time.monotonic() - begun)

    def _let_others_run(self, count: int) -> None:
        self._since_yield += count
        if self._since_yield >= YIELD_EVERY_BYTES:
            self._since_yield = 0
            gevent.sleep(0)


class SocketChunk:
    """The next bytes of a body while they are still in its socket: much of a fast sender's, a sip of a slow one's."""

    def __init__(self, body: Body, unreader: PacedUnreader, left_bytes: int, is_fast: bool) -> None:
        self._body, self._unreader, self._left_bytes, self.is_fast = body, unreader, left_bytes, is_fast
        self.drawn_bytes = 0

    def receive_into(self, take: Callable[[int, int], int], most_bytes: int) -> int:
        """How many ``take(source_fd, most_bytes)`` took. A fast sender is waited for no longer than an instant, so no pace is asked."""
        if not self.is_fast:
            most_bytes = 2 * SIP_BYTES
            if not self._unreader.wait_for(SIP_BYTES):
                return 0
        self.drawn_bytes = take(self._unreader.sock.fileno(), min(self._left_bytes, most_bytes))
        self._body.was_drawn(self.drawn_bytes)
        return self.drawn_bytes


class Body:
    """``wsgi.input`` of one request."""

    def __init__(self, unreader: PacedUnreader, reader: LengthReader | ChunkedReader, bounds: Bounds, expects_continue: bool) -> None:
        self._unreader = unreader
        self._bounds = bounds
        self._buffer = bytearray()
        self._declared: int | None = None
        self._owes_continue = expects_continue
        self._failure: GatewayError | None = None
        self._has_ended = False
        self.received_bytes = 0
        self.connection: Any = None
        if isinstance(reader, LengthReader):
            self._declared = reader.length
            self._has_ended = reader.length == 0
            self._pieces = self._pieces_of_length()
        else:
            self._pieces = reader.parser

    @property
    def failed(self) -> bool:
        """gunicorn's parser asks this: whether it is unknown where the next request begins."""
        return self._failure is not None

    @property
    def is_waiting(self) -> bool:
        """For the peer."""
        return self._unreader.is_waiting

    @property
    def has_unread(self) -> bool:
        """Whether the peer still has to send some of it, so that the connection cannot serve another request."""
        if self.failed:
            return True
        if self._has_ended or self._declared is None:
            return not self._has_ended
        return self._declared - self.received_bytes > self._unreader.buffered_bytes

    def withdraw_continue(self) -> None:
        """The response has begun: a ``100 Continue`` would land in the middle of it."""
        self._owes_continue = False

    def release(self) -> bytes:
        """Give up the connection's read-ahead, for a protocol that takes over after this request."""
        pending: bytes = self._unreader.take_buffered()
        self._unreader.is_last = True
        return pending

    def read(self, size: int | None = None) -> bytes:
        wanted = -1 if size is None else size
        while not self._is_over and (wanted < 0 or len(self._buffer) < wanted):
            self._fill()
        if self._failure and (wanted < 0 or not self._buffer):
            raise self._failure
        return self._take(len(self._buffer) if wanted < 0 else wanted)

    def read1(self, size: int) -> bytes:
        """What is there by now, at least one byte and at most ``size``: a slow sender's bytes wait nowhere. Empty at the end."""
        if not self._buffer and not self._is_over:
            piece = self._next_piece()
            if len(piece) <= size and not self._is_over:
                return piece
            self._buffer += piece
        if self._failure and not self._buffer:
            raise self._failure
        return self._take(size)

    def stretch(self, is_fast: bool = True) -> SocketChunk | None:
        """What the socket may give away without its coming by here; None where the body has no known length, or little is left of it."""
        if self._declared is None or self._is_over or self._owes_continue or self._buffer or self._unreader.buffered_bytes:
            return None
        left_bytes = self._declared - self.received_bytes
        if left_bytes < (LEAST_STRETCH_BYTES if is_fast else 2 * SIP_BYTES) or not self._unreader.is_plain:
            return None
        if not is_fast and not self._unreader.can_wait:
            return None
        return SocketChunk(self, self._unreader, left_bytes, is_fast)

    def was_drawn(self, count: int) -> None:
        self.received_bytes += count
        self._has_ended = self.received_bytes == self._declared
        if count:
            self._unreader.pace.received(count, 0.0)

    def readline(self, size: int | None = None) -> bytes:
        limit = -1 if size is None else size
        searched = 0
        while (end := self._buffer.find(b"\n", searched) + 1) == 0 and not self._is_over and not 0 <= limit <= len(self._buffer):
            searched = len(self._buffer)
            self._fill()
        if self._failure and not self._buffer:
            raise self._failure
        length = end or len(self._buffer)
        return self._take(length if limit < 0 else min(length, limit))

    def readlines(self, hint: int | None = None) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @property
    def _is_over(self) -> bool:
        return self._has_ended or self.failed

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        self._buffer += self._next_piece()

    def _next_piece(self) -> bytes:
        """Empty when there is none any more: ``_is_over`` then."""
        self._send_continue()
        try:
            piece: bytes = next(self._pieces)
        except StopIteration:
            self._has_ended = True
        except TooSlow:
            self._failure = BadRequest("slow_body", min_bytes_per_s=self._bounds.body_min_bytes_per_s)
        except (parse_errors.NoMoreData, OSError):  # EBADF among them: gevent's word for a wait that ``Connection.wake`` or ``abort`` ended
            self._failure = BadRequest("incomplete_body", received_bytes=self.received_bytes)
        except MALFORMED as error:
            self._failure = BadRequest(private=f"malformed chunked body: {error}")
        else:
            self.received_bytes += len(piece)
            return piece
        return b""

    def _send_continue(self) -> None:
        if self._owes_continue:
            self._owes_continue = False
            if not self._unreader.buffered_bytes:
                self._unreader.sock.sendall(CONTINUE)

    def _pieces_of_length(self) -> Iterator[bytes]:
        while remaining := (self._declared or 0) - self.received_bytes:
            data = self._unreader.read(None, read_ahead=remaining)
            if not data:
                raise parse_errors.NoMoreData()
            piece, next_request = data[:remaining], data[remaining:]
            if next_request:
                self._unreader.unread(next_request)
            yield piece


class PacedRequest(Request):  # type: ignore[misc]
    """gunicorn's request with a bounded body; it closes the connection rather than swallow what the application left unread."""

    body: Any
    _expected_100_continue: bool

    def __init__(self, bounds: Bounds, *args: Any) -> None:
        self._bounds = bounds
        super().__init__(*args)

    def set_body_reader(self) -> None:
        super().set_body_reader()
        self.unreader.pace = BodyPace(self._bounds)
        self.body = Body(self.unreader, self.body.reader, self._bounds, self._expected_100_continue)
        self._expected_100_continue = False  # or gunicorn sends it at once, though nobody may ever read the body

    def should_close(self) -> bool:
        """Asked by gunicorn's response as it writes its head, and again at the end of the request."""
        self.body.withdraw_continue()
        return bool(self.unreader.is_last or self.body.has_unread or super().should_close())


class PacedParser(RequestParser):  # type: ignore[misc]
    """The requests of one connection, one after the other."""

    def __init__(self, cfg: Any, unreader: PacedUnreader, address: Any, bounds: Bounds) -> None:
        super().__init__(cfg, unreader.sock, address)
        self.unreader = unreader
        self._bounds = bounds

    def mesg_class(self, *args: Any) -> PacedRequest:
        return PacedRequest(self._bounds, *args)

    def next_request(self, patience_s: float) -> PacedRequest | None:
        """The next request, or ``None`` at a good end. ``TooSlow`` when its first byte or its whole head does not come in time."""
        begun = self.unreader.buffered_bytes > 0
        self.unreader.pace = HeadPace(patience_s, self._bounds.header_timeout_s, begun)
        return next(self, None)

    @property
    def has_begun_head(self) -> bool:
        return isinstance(self.unreader.pace, HeadPace) and self.unreader.pace.has_begun
