"""Measure libwebp's percent against time, by kind, method and size, and make ``backend/codec/progress/curves.json`` of it.

    python -m bench.codec_curves measure $PHOTOS/*.jpg --transparent $GRAPHICS/*.png >> var/curves.jsonl
    python -m bench.codec_curves table var/curves.jsonl > var/curves.json && mv var/curves.json backend/codec/progress/

For each kind, method and size: every image is encoded, each call of the progress hook noted with the processor time spent so far; the median share of
the time over the images is taken at each percent, and as few knots are kept as hold the line within one part in a hundred. Processor time hardly
minds what else the machine does. All of it takes more than half an hour.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from backend.codec.encoders.webp import bitstream
from backend.codec.native import arrow_buffer
from backend.core.options import Options

SIDES = (500, 1000, 1600, 2600, 4000, 6000)
"""The longer one of what is measured; images of less than nine tenths of it stay out of that size."""
QUALITY = 80.0
KINDS = {"lossy": {}, "lossless": {"lossless": True}, "near_lossless": {"near_lossless": 60}, "sharp": {"sharp_yuv": True}, "alpha": {}}
Knots = tuple[tuple[int, float], ...]

ABOUT = (
    "When libwebp reaches each percent (knots: percent, percent of the time), and what an encode costs, by kind, megapixels and method. "
    "Made by python -m bench.codec_curves, not by hand: medians over six photographs and three transparent graphics at up to six sizes; "
    "quality 80, libwebp 1.6.0."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    measuring = ways.add_parser("measure")
    measuring.add_argument("photos", nargs="+")
    measuring.add_argument("--transparent", nargs="*", default=[])
    measuring.add_argument("--methods", nargs="*", type=int, default=range(7))
    measuring.add_argument("--kinds", nargs="*", default=list(KINDS))
    measuring.add_argument("--sides", nargs="*", type=int, default=SIDES)
    making = ways.add_parser("table")
    making.add_argument("runs", type=Path)
    wanted = parser.parse_args()
    if wanted.way == "table":
        table([json.loads(line) for line in wanted.runs.read_text(encoding="utf-8").splitlines()])
        return
    arrow_buffer.allocate_in_one_block()
    for kind in wanted.kinds:
        for side in wanted.sides:
            for path in wanted.transparent if kind == "alpha" else wanted.photos:
                measure(kind, side, path, wanted.methods)


def measure(kind: str, side: int, path: str, methods: Sequence[int]) -> None:
    """One line for each method: kind, side, method, name, pixels, milliseconds a megapixel, share of the time at each percent."""
    image = Image.open(path)
    if max(image.size) < 0.9 * side:
        return
    image.thumbnail((side, side))
    image = image.convert("RGBA" if kind == "alpha" else "RGB")
    for method in methods:
        run, cost_ms = time_encode(image, Options(method=method, **KINDS[kind]))
        print(json.dumps([kind, side, method, Path(path).name, image.width * image.height, cost_ms, run]), flush=True)


def time_encode(image: Image.Image, options: Options) -> tuple[dict[int, float], float]:
    """Share of the time at which each percent was first reached, and milliseconds a megapixel."""
    config, at = bitstream.config_for(options, QUALITY), {0: 0.0}
    began = time.process_time()
    with (
        bitstream.import_picture(image, argb=bool(config.lossless or config.use_sharp_yuv)) as picture,
        bitstream.encode(picture, config, lambda percent: at.setdefault(percent, time.process_time() - began) and None),
    ):
        total = time.process_time() - began
    return {percent: seconds / total for percent, seconds in at.items()} | {100: 1.0}, 1e9 * total / (image.width * image.height)


def table(runs: list[list]) -> None:
    knots_by_kind, costs_by_kind = {}, {}
    for kind in KINDS:
        measured = dict(sizes(runs, kind))
        knots_by_kind[kind] = {size: [knots(median([_shares(run) for run in each])) for each in by_method] for size, by_method in measured.items()}
        costs_by_kind[kind] = {size: [round(statistics.median(run[5] for run in each)) for each in by_method] for size, by_method in measured.items()}
    print(as_text(knots_by_kind, costs_by_kind))


def as_text(knots_by_kind: dict, costs_by_kind: dict) -> str:
    """JSON with one line a method's knots and one line a size's costs, so that a change can be read."""

    def lines(by_size: dict, of_size: Callable[[list], str]) -> str:
        return ",\n".join(f"      {json.dumps(str(size))}: {of_size(values)}" for size, values in by_size.items())

    def of_kinds(by_kind: dict, of_size: Callable[[list], str]) -> str:
        return ",\n".join(f"    {json.dumps(kind)}: {{\n{lines(by_size, of_size)}\n    }}" for kind, by_size in by_kind.items())

    def methods(values: list) -> str:
        return "[\n" + ",\n".join(f"        {json.dumps(each)}" for each in values) + "\n      ]"

    return (
        f'{{\n  "about": {json.dumps(ABOUT)},\n  "knots": {{\n{of_kinds(knots_by_kind, methods)}\n  }},\n'
        f'  "ms_per_megapixel": {{\n{of_kinds(costs_by_kind, json.dumps)}\n  }}\n}}'
    )


def _shares(run: list) -> dict[int, float]:
    return {int(percent): share for percent, share in run[6].items()}


def sizes(runs: list[list], kind: str) -> Iterator[tuple[float, list[list[list]]]]:
    """By rising size: megapixels, and the runs of each method."""
    for side in sorted({run[1] for run in runs if run[0] == kind}):
        of_side = [run for run in runs if run[0] == kind and run[1] == side]
        by_method = [[run for run in of_side if run[2] == method] for method in range(7)]
        missing = [method for method, each in enumerate(by_method) if not each]
        if missing:
            sys.exit(f"{kind} at {side}: nothing measured for method {missing}")
        yield round(statistics.median(run[4] for run in of_side) / 1e6, 2), by_method


def median(runs: Sequence[dict[int, float]]) -> list[float]:
    """The share of the time at each whole percent: 0 to 100."""
    return [statistics.median(_reached(run, percent) for run in runs) for percent in range(101)]


def _reached(run: dict[int, float], percent: int) -> float:
    """Between two calls the earlier one's time holds until the later."""
    known = sorted(run)
    before = max(each for each in known if each <= percent)
    after = min((each for each in known if each >= percent), default=100)
    return run[before] if after == before else run[before] + (run[after] - run[before]) * (percent - before) / (after - before)


def knots(line: list[float], within: float = 0.01) -> Knots:
    """Ramer–Douglas–Peucker."""

    def split(first: int, last: int) -> list[int]:
        def off(each: int) -> float:
            return abs(line[each] - (line[first] + (line[last] - line[first]) * (each - first) / (last - first)))

        worst = max(range(first + 1, last), key=off, default=first)
        if worst == first or off(worst) <= within:
            return [last]
        return split(first, worst) + split(worst, last)

    return tuple((each, round(100 * line[each], 1)) for each in split(0, 100)[:-1])


if __name__ == "__main__":
    main()
