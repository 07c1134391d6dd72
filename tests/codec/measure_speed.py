"""Throughput of the sealed codec against bare loops, alternating in one run; peak memory of a child against Pillow's.

    python -m tests.codec.measure_speed ../shared/corpus/photos/*.jpg [--rounds 5] [--processes 2] [--width 1600]

'pillow' opens, loads (with ``draft`` where shrinking) and saves with Pillow; 'bare' is the same without Pillow's copies: this codec's own pipeline,
with no child, seal or hook between. Each process takes every image once a round; processor time of others is shown.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from PIL import Image

from backend.codec import pixels, still
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.limits import Limits
from backend.core.options import Options
from tests.codec.conftest import declared

LIMITS = Limits(pixels=200_000_000)


def pillow(path: Path, width: int | None) -> None:
    with Image.open(path) as image:
        if width and image.width > width:
            height = round(image.height * width / image.width)
            image.draft(image.mode, (width, height))
            image = image.resize((width, height), Image.Resampling.LANCZOS)  # noqa: PLW2901
        image.save(io.BytesIO(), "WEBP", quality=80, method=4)


def bare(path: Path, width: int | None) -> None:
    with Image.open(path) as image:
        if width and image.width > width:
            height = round(image.height * width / image.width)
            image.draft(image.mode, (width, height))
            image = image.resize((width, height), Image.Resampling.LANCZOS)  # noqa: PLW2901
        image.load()
        with (
            still.picture_of(image, argb=False) as picture,
            still.encoded(picture, still.config_for(Options(), 80.0), lambda _percent: None) as webp,
        ):
            len(webp)


def worker(kind: str, paths: list[Path], width: int | None, start, done) -> None:
    codec = SealedCodec()
    if kind == "sealed":
        codec.start()
    if kind == "bare":
        pixels.keep_in_one_piece()
    shapes = {path: declared(path.read_bytes(), LIMITS) for path in paths}
    while start.get():
        began = time.monotonic()
        for path in paths:
            if kind == "sealed":
                sealed(codec, path, shapes[path], width)
            else:
                {"pillow": pillow, "bare": bare}[kind](path, width)
        done.put(time.monotonic() - began)
    codec.close()


def sealed(codec: SealedCodec, path: Path, shape, width: int | None) -> None:
    with path.open("rb") as source, tempfile.TemporaryFile() as result:
        conversion = Conversion(shape, Options(width=width), LIMITS)
        codec.convert(source.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--width", type=int)
    wanted = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    crews = {}
    for kind in ("pillow", "bare", "sealed"):
        queues = [(context.Queue(), context.Queue()) for _ in range(wanted.processes)]
        turned = [wanted.paths[n:] + wanted.paths[:n] for n in range(wanted.processes)]
        crew = [context.Process(target=worker, args=(kind, turned[n], wanted.width, *queues[n])) for n in range(wanted.processes)]
        for each in crew:
            each.start()
        crews[kind] = (queues, crew)
    took: dict[str, list[float]] = {kind: [] for kind in crews}
    for number in range(wanted.rounds + 1):
        for kind, (queues, _crew) in crews.items():
            began, busy = time.monotonic(), psutil.cpu_times()
            for start, _done in queues:
                start.put(True)
            for _start, done in queues:
                done.get()
            if number:
                took[kind].append(time.monotonic() - began)
            after = psutil.cpu_times()
            used = (after.user + after.system + after.nice - busy.user - busy.system - busy.nice) / (time.monotonic() - began)
            print(f"round {number} {kind}: {time.monotonic() - began:.2f} s, {used:.2f} cores busy", flush=True)
    for kind, seconds in took.items():
        ratios = [one / other for one, other in zip(took["pillow"], seconds, strict=True)]
        bares = [one / other for one, other in zip(took["bare"], seconds, strict=True)]
        print(f"{kind}: {statistics.median(seconds):.2f} s, {statistics.median(ratios):.3f} of pillow, {statistics.median(bares):.3f} of bare")
    for queues, crew in crews.values():
        for (start, _done), each in zip(queues, crew, strict=True):
            start.put(False)
            each.join()


if __name__ == "__main__":
    main()
