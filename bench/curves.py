"""Measures libwebp's percent against time: prints the tables of ``backend/codec/progress.py``.

    .venv/bin/python bench/curves.py IMAGE …

For each method, lossy and lossless: the median over the images of the percent that libwebp had reported at 0, 5, …, 100 % of the encode's time.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from backend.codec import libwebp

STEP = 5


def reports(image: Image.Image, method: int, lossless: int) -> tuple[list[tuple[float, int]], float]:
    seen: list[tuple[float, int]] = []
    begun = time.perf_counter()

    def report(percent: int) -> bool:
        seen.append((time.perf_counter() - begun, percent))
        return True

    libwebp.encode(image, lambda data: None, report, quality=80.0, method=method, lossless=lossless)
    return seen, time.perf_counter() - begun


def curve(images: list[Image.Image], method: int, lossless: int) -> tuple[list[int], float]:
    rows, speeds = [], []
    for image in images:
        seen, whole = reports(image, method, lossless)
        at = [max([percent for when, percent in seen if when <= whole * step / 100] or [0]) for step in range(0, 101, STEP)]
        rows.append(at)
        speeds.append(1000 * whole / (image.width * image.height / 1e6))
    return [round(statistics.median(column)) for column in zip(*rows, strict=True)], statistics.median(speeds)


def main() -> None:
    images = [Image.open(path).convert("RGB") for path in sys.argv[1:]]
    for lossless in (0, 1):
        for method in range(7):
            table, speed = curve(images, method, lossless)
            print(f"{'lossless' if lossless else 'lossy'} {method}: {speed:.0f} ms/MP  ({', '.join(map(str, [*table[:-1], 100]))}),", flush=True)


main()
