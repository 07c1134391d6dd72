"""How well ``backend/codec/encoders/ssimulacra2.py`` agrees with the reference SSIMULACRA2, where scores lie between 60 and 85.

    python -m bench.codec_score $PHOTOS/*.jpg [--side 1600]        (0: full size)

Nothing is fitted: what differs is the window's shape, the colour of the two finest scales, small terms left out, and, in large pictures, the tiles.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from PIL import Image

from backend.codec.encoders import ssimulacra2
from backend.codec.native import libwebp
from bench.kit.look import reference_score
from tests.unit.codec.conftest import saved

QUALITIES = (65, 75, 85)
NEAR = 60, 85


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--side", type=int, default=1600)
    wanted = parser.parse_args()
    misses = []
    for path in wanted.paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        if wanted.side:
            image.thumbnail((wanted.side, wanted.side), Image.Resampling.LANCZOS)
        source, original = saved(image, "PNG", compress_level=1), ssimulacra2.Original(image)
        for quality in QUALITIES:
            coded = saved(image, "WEBP", quality=quality, method=4)
            begun = time.process_time()
            mine = original.score(libwebp.decode(coded))
            spent_ms = 1000 * (time.process_time() - begun)
            true = reference_score(source, coded)
            if NEAR[0] < true < NEAR[1]:
                misses.append(mine - true)
            print(
                f"{path.stem} at {quality}: {mine:.2f}, is {true:.2f}; {spent_ms:.0f} ms for {image.width * image.height / 1e6:.1f} megapixels",
                flush=True,
            )
    print(f"{len(misses)} pairs: off by {statistics.mean(misses):+.2f} on average, {statistics.pstdev(misses):.2f} around that,", end=" ")
    print(f"{min(misses):+.2f} to {max(misses):+.2f}")


if __name__ == "__main__":
    main()
