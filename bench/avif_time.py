"""What an AVIF takes by speed, and how well a sample foretells it: the numbers of ``core/encode_time.py`` and ``encoders/avif/forecast.py``.

    tests/.venv/bin/python -m bench.avif_time $PHOTOS/*.jpg --speeds 4 6 8

For each photograph and speed: milliseconds of processor time a megapixel; and the forecast's share of the real cost, 1 where they are the same.
Processor time hardly minds what else the machine does. At the end the medians, which are the table by speed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from PIL import Image

from backend.codec.encoders.avif import aom
from backend.codec.encoders.avif.forecast import forecast
from backend.core.options import Options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--speeds", nargs="*", type=int, default=range(11))
    parser.add_argument("--side", type=int, default=0, help="the longer side that larger images are shrunk to; 0: none is")
    wanted = parser.parse_args()
    for speed in wanted.speeds:
        pairs = [measure(path, speed, wanted.side) for path in wanted.images]
        costs, shares = zip(*pairs, strict=True)
        print(f"speed {speed}: {statistics.median(costs):.0f} ms a megapixel; forecast {min(shares):.2f} to {max(shares):.2f}", flush=True)


def measure(path: Path, speed: int, side: int) -> tuple[float, float]:
    with Image.open(path) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    if side:
        image.thumbnail((side, side))
    options, pixels = Options(format="avif", speed=speed), image.width * image.height
    foretold = forecast(image, options)
    began_s = time.process_time()
    data = aom.Pixels(image).encode(aom.NOTHING, options, 80)
    cost_s = time.process_time() - began_s
    share = foretold.encode_s / cost_s
    print(
        f"{path.name} {image.width} × {image.height} speed {speed}: {1e9 * cost_s / pixels:.0f} {share:.2f} {8 * len(data) / pixels:.2f} bits",
        flush=True,
    )
    return 1e9 * cost_s / pixels, share


if __name__ == "__main__":
    main()
