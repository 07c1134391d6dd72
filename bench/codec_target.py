"""How well ``target_bytes`` is met, and in how many passes: each picture at two sizes, for eight targets from 0.15 to 2.5 times its
quality 80. A target is a maximum: from quality 80's size on, the file of quality 80 is right.

python -m bench.codec_target $PHOTOS/*.jpg $GRAPHICS/*.png
"""

from __future__ import annotations

import argparse
import collections
import statistics
from pathlib import Path

from PIL import Image

from backend.codec.encoders import quality_search
from backend.codec.encoders.webp import bitstream
from backend.codec.native import arrow_buffer
from backend.core.options import Options

SIDES = (900, 300)
SHARES = (0.15, 0.3, 0.5, 0.7, 0.9, 1.0, 1.3, 2.5)
QUALITY = 80.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--method", type=int, default=4)
    wanted = parser.parse_args()
    arrow_buffer.allocate_in_one_block()
    passes, met = [], collections.Counter[bool]()
    for path in wanted.paths:
        for side in SIDES:
            for share, found, target in searches(path, side, Options(method=wanted.method)):
                passes.append(found.passes)
                is_right = 0.9 * target <= found.best.size <= target if share < 1 else (found.best.quality, found.passes) == (QUALITY, 1)
                met[is_right] += 1
                if not is_right:
                    print(f"{path.name} at {side}, {share} of quality 80: {found.best.size} of {target} bytes, {found.passes} passes")
    spread = sorted(collections.Counter(passes).items())
    print(f"{met[True]} of {met.total()} within +0/-10 %, or at quality 80; passes: mean {statistics.mean(passes):.2f}, {spread}")


def searches(path: Path, side: int, options: Options):
    """Of targets that are not below the smallest file."""
    with Image.open(path) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    config = bitstream.config_for(options, QUALITY)
    with bitstream.import_picture(image, argb=False) as picture:

        def encode(quality: float) -> bytes:
            config.quality = quality
            with bitstream.encode(picture, config, lambda _percent: None) as webp:
                return bytes(webp)

        smallest, usual = len(encode(0.0)), quality_search.Pass(QUALITY, encode(QUALITY))
        for share in SHARES:
            target = round(share * usual.size)
            if smallest <= target:
                yield share, quality_search.search_by_size(encode, target, usual), target


if __name__ == "__main__":
    main()
