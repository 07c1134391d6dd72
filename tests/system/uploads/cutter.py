"""A bad line: a TCP proxy that breaks a connection after so many bytes of a PATCH."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

RESET = struct.pack("ii", 1, 0)


class Cutter:
    """``cuts`` are used up in order, one a connection; what comes after the last goes through."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        self.cuts, self.made = list(cuts), 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._threads:
            each.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                gateway = socket.create_connection(("127.0.0.1", self._target))
                pair = (threading.Thread(target=self._forward, args=(client, gateway)), threading.Thread(target=_pump, args=(gateway, client)))
                self._threads += pair
                for each in pair:
                    each.start()

    def _forward(self, client: socket.socket, gateway: socket.socket) -> None:
        left = None
        with client, gateway, contextlib.suppress(OSError):
            while data := client.recv(4096):
                if left is None and data.startswith(b"PATCH") and self.cuts:
                    left = self.cuts.pop(0)
                if left is not None and len(data) > left:
                    gateway.sendall(data[:left])
                    self.made += 1
                    for each in (client, gateway):
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        each.shutdown(socket.SHUT_RDWR)
                    return
                left = None if left is None else left - len(data)
                gateway.sendall(data)
            gateway.shutdown(socket.SHUT_WR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(port: int, cuts: list[int]) -> Iterator[Cutter]:
    cutter = Cutter(port, cuts)
    try:
        yield cutter
    finally:
        cutter.close()
