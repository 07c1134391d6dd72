"""A request's body, which cannot end silently.

What arrived is handed out first; then comes its end, or an error that says why there is none. ``read()`` without a size raises that error and
never returns a part. All of them are ``BadRequest``: ``incomplete_body`` when a body of known length breaks off, ``slow_body`` when it is below
the minimum rate, without a variant when a chunk is malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gunicorn.http import errors as parse_errors
from gunicorn.http.body import ChunkedReader, LengthReader

from backend.errors import BadRequest, GatewayError
from backend.server.connection_limits import KIB, MIB, ConnectionLimits
from backend.server.http.read_timeouts import TooSlow
from backend.server.http.socket_reader import TimedUnreader
from backend.server.turns import turns

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

MIN_FAST_BYTES = MIB
"""So much has to be left of a fast sender's body: less is not worth a thread's turn."""
SLOW_CHUNK_BYTES = 128 * KIB
"""A slow sender's chunk is taken once so much of it waits in the socket. At most twice as much is taken at once."""
SLOW_WAIT_S = 0.25
"""How long a slow sender's chunk is waited for. Then what there is gets read on the loop."""
SMALL_BODY_BYTES = MIB
"""Bodies up to this size are read on the loop, in such chunks too: a thread's turn for each would cost more than they do."""

MALFORMED = (
    parse_errors.ParseException,
    parse_errors.InvalidChunkSize,
    parse_errors.ChunkMissingTerminator,
    parse_errors.InvalidChunkExtension,
)


class RequestBody:
    """``wsgi.input`` of one request."""

    def __init__(self, unreader: TimedUnreader, reader: LengthReader | ChunkedReader, limits: ConnectionLimits, expects_continue: bool) -> None:
        self._unreader = unreader
        self._limits = limits
        self._buffer = bytearray()
        self._declared_bytes: int | None = None
        self._owes_continue = expects_continue
        self._failure: GatewayError | None = None
        self._has_ended = False
        self.received_bytes = 0
        if isinstance(reader, LengthReader):
            self._declared_bytes = reader.length
            self._has_ended = reader.length == 0
            self._pieces = self._pieces_of_length()
        else:
            self._pieces = bounded_pieces(reader, unreader, limits.chunk_overhead_bytes)

    @property
    def failed(self) -> bool:
        """Gunicorn's parser asks this: after a failure nobody knows where the next request begins."""
        return self._failure is not None

    @property
    def is_waiting(self) -> bool:
        """Whether a read waits for the client right now."""
        return self._unreader.is_waiting

    @property
    def has_unread(self) -> bool:
        """Whether the client still has to send some of it, so that the connection cannot serve another request."""
        if self.failed:
            return True
        if self._has_ended or self._declared_bytes is None:
            return not self._has_ended
        return self._declared_bytes - self.received_bytes > self._unreader.buffered_bytes

    @property
    def left_bytes(self) -> int | None:
        """How much of it has not come yet; None where its length is unknown."""
        return None if self._declared_bytes is None else self._declared_bytes - self.received_bytes

    def withdraw_continue(self) -> None:
        """The response begins: a ``100 Continue`` would land in the middle of it."""
        self._owes_continue = False

    def release_read_ahead(self) -> bytes:
        """What was read beyond the request, for a protocol that takes the connection over. No request follows this one."""
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
        """What has come by now: at least one byte, at most ``size``. Empty at the end."""
        if not self._buffer and not self._is_over:
            piece = self._next_piece()
            if len(piece) <= size and not self._is_over:
                return piece
            self._buffer += piece
        if self._failure and not self._buffer:
            raise self._failure
        return self._take(size)

    def next_chunk(self, *, is_fast: bool) -> SocketChunk | None:
        """As ``ports.peer.Peer.next_chunk``. None also where the body's length is unknown, and over TLS, whose bytes are not the body's."""
        if self._declared_bytes is None or self._is_over or self._owes_continue or self._buffer or self._unreader.buffered_bytes:
            return None
        left_bytes = self._declared_bytes - self.received_bytes
        if left_bytes < (MIN_FAST_BYTES if is_fast else 2 * SLOW_CHUNK_BYTES) or self._unreader.is_tls:
            return None
        if self._declared_bytes <= SMALL_BODY_BYTES:
            return None
        if not is_fast and not self._unreader.has_low_water_mark:
            return None
        return SocketChunk(self, self._unreader, left_bytes, is_fast)

    def add_received(self, count: int) -> None:
        """A ``SocketChunk`` took so many bytes."""
        self.received_bytes += count
        self._has_ended = self.received_bytes == self._declared_bytes
        if count:
            self._unreader.timeout.add_received(count, 0.0)

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
        """Empty when there is none any more; ``_is_over`` then."""
        self._send_continue()
        turns.give_turn()
        try:
            piece: bytes = next(self._pieces)
        except StopIteration:
            self._has_ended = True
        except TooSlow:
            self._failure = BadRequest("slow_body", min_bytes_per_s=self._limits.body_min_bytes_per_s)
        except (parse_errors.NoMoreData, OSError):  # gevent raises EBADF for a wait that ``Connection.stop_reading`` or ``abort`` ended.
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
        while remaining := (self._declared_bytes or 0) - self.received_bytes:
            if SLOW_CHUNK_BYTES < remaining <= SMALL_BODY_BYTES:
                self._unreader.gather(SLOW_CHUNK_BYTES, SLOW_WAIT_S)
            data = self._unreader.read(None, read_ahead=remaining)
            if not data:
                raise parse_errors.NoMoreData()
            piece, next_request = data[:remaining], data[remaining:]
            if next_request:
                self._unreader.unread(next_request)
            yield piece


def bounded_pieces(reader: ChunkedReader, unreader: TimedUnreader, overhead_bytes: int) -> Iterator[bytes]:
    """Of a chunked body. Raises ``InvalidChunkSize`` where chunk headers are more than ``overhead_bytes`` and the data together."""
    begin_bytes, data_bytes = unreader.consumed_bytes, 0
    for piece in reader.parser:
        data_bytes += len(piece)
        header_bytes = unreader.consumed_bytes - begin_bytes - data_bytes
        if header_bytes > overhead_bytes + data_bytes:
            raise parse_errors.InvalidChunkSize(b"%d bytes of chunk headers" % header_bytes)
        yield piece


class SocketChunk:
    """``ports.peer.SocketChunk``: the body's next bytes, still in the socket."""

    def __init__(self, body: RequestBody, unreader: TimedUnreader, left_bytes: int, is_fast: bool) -> None:
        self._body, self._unreader, self._left_bytes, self._is_fast = body, unreader, left_bytes, is_fast
        self.received_bytes = 0

    def receive_into(self, take: Callable[[int, int], int], most_bytes: int) -> int:
        """A fast sender is not waited for, so no timeout applies to it."""
        if not self._is_fast:
            most_bytes = 2 * SLOW_CHUNK_BYTES
            if not self._unreader.wait_for_bytes(SLOW_CHUNK_BYTES, SLOW_WAIT_S):
                return 0
        self.received_bytes = take(self._unreader.sock.fileno(), min(self._left_bytes, most_bytes))
        self._body.add_received(self.received_bytes)
        return self.received_bytes
