"""What zlib's level costs and brings in a PNG: bytes and processor time of each.

    python -m bench.codec_png $PHOTOS/2mp.jpg $GRAPHICS/*.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from unittest import mock

from PIL import Image

from backend.codec.encoders.png import pixels

LEVELS = (1, 3, 5, 6, 7, 9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    images = [whole(path) for path in parser.parse_args().paths]
    megapixels = sum(each.width * each.height for each in images) / 1e6
    for level in LEVELS:
        with mock.patch.object(pixels, "LEVEL", level):
            begun = time.process_time()
            size = sum(sum(map(len, pixels.compress(each))) for each in images)
        print(f"level {level}: {size} bytes, {1000 * (time.process_time() - begun) / megapixels:.0f} ms a megapixel", flush=True)


def whole(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")


if __name__ == "__main__":
    main()
