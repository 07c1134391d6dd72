"""A connection to another server, in plain text or TLS. The socket never blocks: every wait is the deadline's."""

from __future__ import annotations

import errno
import math
import os
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from backend.adapters.http.deadline import Deadline
from backend.adapters.http.failures import Late, NotReached

T = TypeVar("T")
CONNECT_S = 5.0
"""For each of a name's addresses."""
RECEIVE_BYTES = 1 << 16
OF_THIS_MACHINE = frozenset((errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM, errno.ENETDOWN))
"""No port is free, there is no memory, or the interface is down (connect(2)): the other server has nothing to do with it."""


class Wire(Protocol):
    """Methods raise ``OSError`` and ``Late``."""

    def send(self, data: bytes) -> None: ...

    def receive(self) -> bytes:
        """What has come, ``RECEIVE_BYTES`` at most. Waits for it; empty at the end."""

    def close(self) -> None: ...


def connect(addresses: Sequence[str], port: int, deadline: Deadline) -> TcpWire:
    """To the first IP address that answers. Raises ``NotReached``, and ``OSError`` where this machine has no socket for it."""
    failure: Exception | None = None
    for address in addresses:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        wire = TcpWire(sock, deadline)
        try:
            wire.connect((address, port))
            return wire
        except (OSError, Late) as error:
            wire.close()
            if isinstance(error, OSError) and error.errno in OF_THIS_MACHINE:
                raise
            failure = error
        except BaseException:
            wire.close()
            raise
    raise NotReached(repr(failure)) from failure


class TcpWire:
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        sock.setblocking(False)

    def connect(self, address: tuple[str, int]) -> None:
        """Raises ``OSError``, ``Late``."""
        number = self._sock.connect_ex(address)
        if number == errno.EINPROGRESS:
            self._wait(select.POLLOUT, CONNECT_S)
            number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._deadline.check()
            try:
                rest = rest[self._sock.send(rest) :]
            except BlockingIOError:
                self._wait(select.POLLOUT)

    def receive(self) -> bytes:
        while True:
            self._deadline.check()
            try:
                return self._sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                self._wait(select.POLLIN)

    def _wait(self, events: int, *most_s: float) -> None:
        poll = select.poll()
        poll.register(self._sock, events)
        self._deadline.wait(lambda seconds: poll.poll(math.ceil(seconds * 1000)), *most_s)

    def close(self) -> None:
        self._sock.close()


class TlsWire:
    """TLS over buffers in memory. An ``SSLSocket`` would read on, without a turn for others, as long as records come that carry no data."""

    def __init__(self, tcp: TcpWire, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        """Shake hands, and verify the certificate against ``host``. Raises ``OSError``, ``ValueError`` and ``Late``."""
        self._tcp, self._deadline = tcp, deadline
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._run(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        self._run(lambda: self._tls.write(data))

    def receive(self) -> bytes:
        try:
            return self._run(lambda: self._tls.read(RECEIVE_BYTES))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _run(self, step: Callable[[], T]) -> T:
        """A step sees only what was received before it, so it ends soon."""
        while True:
            self._deadline.check()
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                self._flush()
                return result

    def _exchange(self) -> None:
        self._flush()
        if received := self._tcp.receive():
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._tcp.send(self._outgoing.read())

    def close(self) -> None:
        self._tcp.close()
