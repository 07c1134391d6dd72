"""A TCP proxy that mistreats what passes: it resets, stalls and slices connections, at random but by a seed."""

from __future__ import annotations

import random
import select
import socket
import struct
import threading
import time


class Proxy:
    """Listens on ``port`` and passes on to ``target_port`` until ``close``. ``cuts`` counts the connections that it broke."""

    def __init__(self, target_port: int, seed: int = 1) -> None:
        self._target_port = target_port
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._is_open = True
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut_one(self) -> bool:
        """Break a connection that is there: half of the time by a reset, half of the time by plain silence and then an end."""
        with self._lock:
            if not self._pairs:
                return False
            pair = self._random.choice(sorted(self._pairs, key=lambda each: each[0].fileno()))
            if self._random.random() < 0.5:
                for end in pair:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for end in pair:
                self._shut(end)
            self.cuts += 1
        return True

    def close(self) -> None:
        self._is_open = False
        self._listener.close()
        with self._lock:
            for pair in self._pairs:
                for end in pair:
                    self._shut(end)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while self._is_open:
            ready, _, _ = select.select([self._listener], [], [], 0.1) if self._listener.fileno() >= 0 else ([], [], [])
            if not ready:
                continue
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            thread = threading.Thread(target=self._carry, args=(pair,))
            self._threads.append(thread)
            thread.start()

    def _carry(self, pair: tuple[socket.socket, socket.socket]) -> None:
        try:
            while True:
                ready, _, _ = select.select(pair, [], [], 30)
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    self._pass_on(data, pair[1] if end is pair[0] else pair[0])
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._pairs.discard(pair)
                for end in pair:
                    end.close()

    def _pass_on(self, data: bytes, target: socket.socket) -> None:
        chance = self._random.random()
        if chance < 0.05:
            time.sleep(0.02)
        if chance < 0.3 and len(data) > 2:
            middle = self._random.randrange(1, len(data))
            target.sendall(data[:middle])
            data = data[middle:]
        target.sendall(data)

    def _shut(self, end: socket.socket) -> None:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
