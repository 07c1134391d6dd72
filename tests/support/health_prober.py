"""``python -m tests.support.health_prober URL`` asks it again and again on new connections, until its input ends; then it prints the milliseconds
that each answer took, as JSON. A process of its own, so that nothing but the gateway is measured."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

EVERY_S = 0.02
GIVEN_UP_S = 30.0


def main() -> None:
    parts = urlsplit(sys.argv[1])
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    took_ms: list[float] = []
    asking: list[threading.Thread] = []

    def ask() -> None:
        begun = time.monotonic()
        with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=GIVEN_UP_S) as connection:
            connection.sendall(request)
            while connection.recv(1 << 16):
                pass
        took_ms.append(1000 * (time.monotonic() - begun))

    while not is_over.wait(EVERY_S):  # a request that waits keeps none of the others
        asking.append(threading.Thread(target=ask))
        asking[-1].start()
    for each in asking:
        each.join()
    print(json.dumps(took_ms))


if __name__ == "__main__":
    main()
