"""How well ``target_bytes`` is met, and in how many passes: each picture at two sizes, for nine targets from 0.15 to 2.5 times its quality 80.

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
SHARES = (0.15, 0.3, 0.5, 0.7, 0.9, 1.0, 1.3, 1.8, 2.5)


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
                is_near = 0.9 * target <= found.best.size <= target
                met[is_near] += 1
                if not is_near:
                    print(f"{path.name} at {side}, {share} of quality 80: {found.best.size} of {target} bytes, {found.passes} passes")
    print(f"{met[True]} of {met.total()} within +0/-10 %; passes: mean {statistics.mean(passes):.2f}, {sorted(collections.Counter(passes).items())}")


def searches(path: Path, side: int, options: Options):
    """Of targets that lie between the smallest and the largest file."""
    with Image.open(path) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    config = bitstream.config_for(options, 80.0)
    with bitstream.import_picture(image, argb=False) as picture:

        def encode(quality: float) -> bytes:
            config.quality = quality
            with bitstream.encode(picture, config, lambda _percent: None) as webp:
                return bytes(webp)

        smallest, usual, largest = (len(encode(quality)) for quality in (0.0, 80.0, 100.0))
        for share in SHARES:
            target = round(share * usual)
            if smallest <= target <= largest:
                yield share, quality_search.search_by_size(encode, target), target


if __name__ == "__main__":
    main()
