"""How fast bytes become durable: an upload of 64 MiB until its ``202``, and ``cp`` with ``sync`` of the same file, in turns in one run.

    ./bench/run.sh ingest [--mib 64] [--rounds 9] [--way raw|multipart|tus] [--target 0.6]

Both write to the same file system, from the page cache, and count only when the bytes are on the disk (``sync FILE`` for the copy: its data and
its inode, not the whole machine's). Both delete what they wrote before the next begins, and take turns at being first: pages that a machine has
never touched are dearer than those just given back. The pair of each round shares its weather, so the ratio is the median over rounds; with
``--target`` the exit code says whether it was reached. The client is a socket and sendfile(2): what it costs is small, and is counted. Encoders
stand idle.
"""

from __future__ import annotations

import argparse
import http.client
import io
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402

from bench.live import Servers, free_port  # noqa: E402

BOUNDARY = "a-boundary-that-no-image-holds"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--way", choices=tuple(HEADS), default="raw")
    parser.add_argument("--target", type=float)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as folder:
        ratio = measure(Path(folder), chosen.mib << 20, chosen.rounds, chosen.way)
    return int(chosen.target is not None and ratio < chosen.target)


def measure(folder: Path, size_bytes: int, rounds: int, way: str) -> float:
    os.environ["GATEWAY_MAX_UPLOAD_BYTES"] = str(size_bytes)
    servers = Servers(folder / "data", free_port())
    pairs = []
    try:
        for number in range(rounds + 1):
            source = folder / "source.png"
            paint(source, size_bytes)
            copy, upload = partial(copied_s, source, folder / "copy"), partial(uploaded_s, servers.url, source, way)
            took = {each: each() for each in ((copy, upload) if number % 2 else (upload, copy))}
            if number:  # the first makes connections and wakes threads
                pairs.append((took[copy], took[upload]))
    finally:
        servers.stop()
    return tell(size_bytes, way, pairs)


def tell(size_bytes: int, way: str, pairs: list[tuple[float, float]]) -> float:
    mib = size_bytes / (1 << 20)
    for name, times in zip(("cp and sync", f"gateway, {way}"), zip(*pairs, strict=True), strict=True):
        median = statistics.median(times)
        print(f"{name:<20} {mib / median:7.0f} MiB/s   median {1000 * median:6.0f} ms, {1000 * min(times):.0f} to {1000 * max(times):.0f}")
    ratio = statistics.median(copied / uploaded for copied, uploaded in pairs)
    print(f"{'ratio':<20} {ratio:7.2f}         median of {len(pairs)} pairs")
    return ratio


def paint(path: Path, size_bytes: int) -> None:
    """A small PNG, then bytes that a decoder never reaches and that no other round has."""
    image = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(image, "PNG")
    path.write_bytes(image.getvalue() + secrets.token_bytes(size_bytes - image.tell()))
    os.sync()


def copied_s(source: Path, target: Path) -> float:
    begun = time.monotonic()
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sync", target, target.parent], check=True)
    seconds = time.monotonic() - begun
    target.unlink()
    return seconds


def raw(size_bytes: int) -> tuple[str, bytes, bytes]:
    return f"POST /api/jobs HTTP/1.1\r\nContent-Length: {size_bytes}\r\n", b"", b""


def multipart(size_bytes: int) -> tuple[str, bytes, bytes]:
    before = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode()
    after = f"\r\n--{BOUNDARY}--\r\n".encode()
    length = len(before) + size_bytes + len(after)
    return f"POST /api/jobs HTTP/1.1\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n", before, after


def tus(size_bytes: int) -> tuple[str, bytes, bytes]:
    head = f"POST /api/uploads HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Length: {size_bytes}\r\n"
    return f"{head}Content-Length: {size_bytes}\r\n", b"", b""


HEADS = {"raw": raw, "multipart": multipart, "tus": tus}


def uploaded_s(url: str, source: Path, way: str) -> float:
    """Until the answer that acknowledges it. Fails on any other."""
    host, port = str(urlsplit(url).hostname), int(urlsplit(url).port or 80)
    head, before, after = HEADS[way](source.stat().st_size)
    begun = time.monotonic()
    with socket.create_connection((host, port)) as connection, source.open("rb") as file:
        connection.sendall(f"{head}Host: {host}\r\nConnection: close\r\n\r\n".encode() + before)
        connection.sendfile(file)
        connection.sendall(after)
        answer = connection.makefile("rb").read()
    seconds = time.monotonic() - begun
    status = answer.split(b" ", 2)[1]
    assert status == (b"201" if way == "tus" else b"202"), answer[:500]
    for path in sorted(set(re.findall(rb"/api/(?:jobs|uploads)/[\w-]{22}", answer.partition(b"\r\n\r\n")[0]))):
        delete(host, port, path.decode())
    return seconds


def delete(host: str, port: int, path: str) -> None:
    connection = http.client.HTTPConnection(host, port)
    connection.request("DELETE", path, headers={"Tus-Resumable": "1.0.0"})
    response = connection.getresponse()
    assert response.status == 204, response.read()
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
