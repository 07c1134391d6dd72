"""Measure libwebp's percent against time, for ``backend/codec/curves.py``: prints its tables.

    python -m bench.codec_curves ../shared/corpus/photos/*.jpg --transparent ../shared/corpus/graphics/*.png

For each kind and method: every image is encoded, each call of the progress hook noted with the processor time spent so far; the median share of
the time over the images is taken at each percent, and as few knots are kept as hold the line within one part in a hundred.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

from PIL import Image

from backend.codec import still
from backend.core.options import Options

MAX_SIDE = 2600
KINDS = {"lossy": {}, "lossless": {"lossless": True}, "near_lossless": {"near_lossless": 60}, "sharp": {"sharp_yuv": True}, "alpha": {}}
Knots = tuple[tuple[int, int], ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--transparent", nargs="*", default=[])
    parser.add_argument("--methods", nargs="*", type=int, default=range(7))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    wanted = parser.parse_args()
    for kind in wanted.kinds:
        images = [_image(path, "RGBA" if kind == "alpha" else "RGB") for path in (wanted.transparent if kind == "alpha" else wanted.photos)]
        print(f'    "{kind}": (')
        for method in wanted.methods:
            options = Options(method=method, **KINDS[kind])
            runs = [_timed(image, options) for image in images]
            print(f"        {_knots(_median([run[0] for run in runs]))},")
            costs = [run[1] for run in runs]
            print(f"# method {method}: {statistics.median(costs):.0f} ms a megapixel, {min(costs):.0f}–{max(costs):.0f}", file=sys.stderr)
        print("    ),")


def _image(path: str, mode: str) -> Image.Image:
    image = Image.open(path)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return image.convert(mode)


def _timed(image: Image.Image, options: Options) -> tuple[dict[int, float], float]:
    """Share of the time at which each percent was first reached, and milliseconds a megapixel."""
    config, at = still.config_for(options, 80.0), {0: 0.0}
    began = time.process_time()
    with (
        still.picture_of(image, argb=bool(config.lossless or config.use_sharp_yuv)) as picture,
        still.encoded(picture, config, lambda percent: at.setdefault(percent, time.process_time() - began) and None),
    ):
        total = time.process_time() - began
    return {percent: seconds / total for percent, seconds in at.items()} | {100: 1.0}, 1e9 * total / (image.width * image.height)


def _median(runs: Sequence[dict[int, float]]) -> list[float]:
    """The share of the time at each whole percent: 0 to 100."""
    return [statistics.median(_reached(run, percent) for run in runs) for percent in range(101)]


def _reached(run: dict[int, float], percent: int) -> float:
    """Between two calls the earlier one's time holds until the later."""
    known = sorted(run)
    before = max(each for each in known if each <= percent)
    after = min((each for each in known if each >= percent), default=100)
    return run[before] if after == before else run[before] + (run[after] - run[before]) * (percent - before) / (after - before)


def _knots(line: list[float], within: float = 0.01) -> Knots:
    """Ramer–Douglas–Peucker."""

    def split(first: int, last: int) -> list[int]:
        def off(each: int) -> float:
            return abs(line[each] - (line[first] + (line[last] - line[first]) * (each - first) / (last - first)))

        worst = max(range(first + 1, last), key=off, default=first)
        if worst == first or off(worst) <= within:
            return [last]
        return split(first, worst) + split(worst, last)

    return tuple((each, round(100 * line[each])) for each in split(0, 100)[:-1])


if __name__ == "__main__":
    main()
