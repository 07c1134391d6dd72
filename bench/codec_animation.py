"""Animated GIFs against ``gif2webp -min_size`` (bytes) and libvips (time), in alternation, at the same quality and method.

    python -m bench.codec_animation $ANIMATED/*.gif [--rounds 5]

Each side works in a process of its own that is started before and stays: ours is the codec with its sealed child, libvips' is pyvips with one thread.
Reading the source and making the file are timed; medians are quoted. Timing and loops are read back by webpmux and compared with gif2webp's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import declared
from tests.unit.codec.encoders.test_animation import timing

ROOMY = Limits(pixels=400_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    end, far = multiprocessing.get_context("spawn").Pipe()
    peer = multiprocessing.get_context("spawn").Process(target=libvips, args=(far,), daemon=True)
    peer.start()
    codec = SealedCodec(sandbox="prefer")
    codec.start()
    try:
        for path in wanted.paths:
            compare(path, codec, end, wanted.rounds)
    finally:
        codec.close()
        end.send(None)
        peer.join()


def compare(path: Path, codec: SealedCodec, end: multiprocessing.connection.Connection, rounds: int) -> None:
    source, times = path.read_bytes(), ([], [], [])
    by_vips = by_google = b""
    ours(codec, source)
    ask(end, path)
    for _round in range(rounds):
        mine = timed_run(times[0], lambda: ours(codec, source))
        by_vips = timed_run(times[1], lambda: ask(end, path))
        by_google = timed_run(times[2], lambda: gif2webp(path))
    with tempfile.TemporaryDirectory() as folder:
        is_same = timing(mine, Path(folder)) == timing(by_google, Path(folder))
    mine_s, vips_s, google_s = (statistics.median(each) for each in times)
    print(
        f"{path.name}: {len(mine)} bytes, {mine_s:.3f} s; gif2webp -min_size {len(by_google)}, {google_s:.3f}; libvips {len(by_vips)}, {vips_s:.3f}"
    )
    print(f"  bytes over gif2webp's {len(mine) / len(by_google):.4f}, time over libvips' {mine_s / vips_s:.3f}", end="; ")
    print("timing and loops " + ("as gif2webp's" if is_same else "DIFFER from gif2webp's"))


def timed_run(times: list[float], work: Callable[[], bytes]) -> bytes:
    begun = time.monotonic()
    data = work()
    times.append(time.monotonic() - begun)
    return data


def ours(codec: SealedCodec, source: bytes) -> bytes:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(source)
        given.flush()
        conversion = Conversion(declared(source, ROOMY), Options(), ROOMY, 600.0)
        converted = codec.convert(given.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)
        return os.pread(result.fileno(), converted.bytes, 0)


def ask(end: multiprocessing.connection.Connection, path: Path) -> bytes:
    end.send(str(path))
    return end.recv_bytes()


def libvips(end: multiprocessing.connection.Connection) -> None:
    os.environ["VIPS_CONCURRENCY"] = "1"
    import pyvips

    pyvips.cache_set_max(0)
    for path in iter(end.recv, None):
        end.send_bytes(pyvips.Image.new_from_file(path, n=-1, access="sequential").webpsave_buffer(Q=80, effort=4, kmin=2**31 - 2, kmax=2**31 - 1))


def gif2webp(path: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["gif2webp", "-quiet", "-lossy", "-q", "80", "-m", "4", "-min_size", path, "-o", f"{folder}/a.webp"], check=True)
        return Path(folder, "a.webp").read_bytes()


if __name__ == "__main__":
    main()
