"""Memory, as proportional set size: idle, for each watcher, for each upload under way, for each encode; the gateway's and the peers'.

    python -m bench.memory [--watchers 300] [--uploads 100] [--out FILE]

What one of many costs is the growth of the whole family over so many, after a warm-up. An encode is the peak of the family over its idle while one
24-megapixel photograph is converted.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.convert import ONLY_AT, PEERS, Peak
from bench.kit import machine, pictures, servers

MIB = 1 << 20
LARGE_MP, SMALL_MP = 24, 0.6
SENT_BYTES = 1 << 20
SETTLED_S = 1.0
MOST_UPLOADS = {"Flask sync": machine.CORES, "Flask gthread": 30}
"""So many are read at once; the others wait in the kernel."""
ROLES = {
    "gunicorn": "Gunicorn's master and workers", "redis": "Redis", "zygote": "codecs: zygotes and the children that wait",
    "celery": "Celery's master and pool processes", "-m backend": "supervisor",
}  # fmt: skip
Row = dict[str, Any]


def family_bytes(server: servers.Server) -> int:
    time.sleep(SETTLED_S)
    return machine.pss_bytes(server.family())


def by_role(server: servers.Server) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in server.family():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            words = " ".join(each.cmdline())
            role = next((name for word, name in ROLES.items() if word in words), "other")
            found[role] = found.get(role, 0.0) + each.memory_full_info().pss / MIB
    return {name: round(amount, 1) for name, amount in found.items()}


def convert(server: servers.Server, file: Path) -> None:
    method, path = server.target(file.name, None)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.request(method, path, body=file.read_bytes() if method == "POST" else None)
    response = connection.getresponse()
    assert response.read() and response.status == 200, response.status
    connection.close()


def encode_mib(server: servers.Server, idle_bytes: int) -> float:
    peak = Peak(server, every_s=0.03)
    peak.start()
    convert(server, pictures.nearest(LARGE_MP))
    peak.over.set()
    peak.join()
    return (peak.bytes - idle_bytes) / MIB


@contextmanager
def sockets(server: servers.Server, count: int, begin: Callable[[socket.socket], None]) -> Iterator[None]:
    opened = []
    try:
        for _ in range(count):
            place = urlsplit(server.url)
            opened.append(socket.create_connection((place.hostname or "", place.port or 80), 30))
            begin(opened[-1])
        yield
    finally:
        for each in opened:
            each.close()


def per_socket_kib(server: servers.Server, count: int, begin: Callable[[socket.socket], None]) -> float:
    """Once before, for what the first few leave behind."""
    with sockets(server, count // 5, begin):
        time.sleep(SETTLED_S)
    before = family_bytes(server)
    with sockets(server, count, begin):
        return (family_bytes(server) - before) / count / 1024


def upload_kib(server: servers.Server, count: int) -> float | None:
    """The first of ten megabytes has arrived. None for who takes no uploads."""
    method, path = server.target(pictures.nearest(LARGE_MP).name, None)
    if method != "POST":
        return None
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10 * MIB}\r\n\r\n".encode()
    body = pictures.nearest(LARGE_MP).read_bytes()[:SENT_BYTES]
    return per_socket_kib(server, count, lambda each: each.sendall(head + body))


def watcher_kib(server: servers.Server, count: int) -> float:
    """Server-Sent Events of one job that waits, for the encoders are made to stand still."""
    family = [(each, " ".join(each.cmdline())) for each in server.family()]
    encoders = [each for each, words in family if "celery" in words or "zygote" in words]
    for each in encoders:
        each.suspend()
    try:
        request = f"GET {posted(server)['links']['events']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        return per_socket_kib(server, count, lambda each: each.sendall(request))
    finally:
        for each in encoders:
            each.resume()


def posted(server: servers.Server) -> Row:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.request("POST", "/api/jobs", body=pictures.nearest(SMALL_MP).read_bytes())
    return dict(json.loads(connection.getresponse().read()))


def measured(name: str, watchers: int, uploads: int) -> Row:
    given = {"GATEWAY_CONNECTIONS_PER_ADDRESS": "0", "GUNICORN_MAX_REQUESTS": "0"} if name == "gateway" else {}
    with PEERS[name](pictures.folder(), **given) as server:
        for _ in range(2):
            convert(server, pictures.nearest(SMALL_MP))
        idle = family_bytes(server)
        found: Row = {"name": name, "idle_mib": idle / MIB, "encode_mib": encode_mib(server, idle)}
        found["upload_kib"] = upload_kib(server, MOST_UPLOADS.get(name, uploads))
        if name == "gateway":
            found |= {"roles": by_role(server), "watcher_kib": watcher_kib(server, watchers)}
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=300)
    parser.add_argument("--uploads", type=int, default=100)
    parser.add_argument("--peers", type=lambda text: text.split(";"), default=[name for name in PEERS if name not in {"gateway, jobs", *ONLY_AT}])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.peers:
        try:
            rows.append(measured(name, options.watchers, options.uploads))
        except (RuntimeError, OSError, AssertionError, http.client.HTTPException) as error:
            rows.append({"name": name, "error": str(error)[-300:]})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        if options.out:
            options.out.write_text(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
