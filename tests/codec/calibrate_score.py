"""Fit ``backend/codec/score.py`` to SSIMULACRA2 (PyPI ``ssimulacra2``): prints weights and agreement.

    python -m tests.codec.calibrate_score ../shared/corpus/photos/*.jpg ../shared/corpus/orientation/1.jpg > samples.json
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from backend.codec import score

QUALITIES = (20, 35, 50, 60, 70, 78, 84, 89, 93, 97)


def pictures(path: str):
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    for side in (1400, 700):
        reduced = image.copy()
        reduced.thumbnail((side, side), Image.Resampling.LANCZOS)
        yield f"{Path(path).stem}@{side}", reduced
    left, top = (image.width - 1000) // 2, (image.height - 750) // 2
    if left > 0 and top > 0:
        yield f"{Path(path).stem}@crop", image.crop((left, top, left + 1000, top + 750))
        yield f"{Path(path).stem}@corner", image.crop((0, top, 800, top + 700))


def main() -> None:
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        for path in sys.argv[1:]:
            for name, image in pictures(path):
                image.save(f"{folder}/one.png", compress_level=1)
                tiles = score.mosaic(image)
                for quality in QUALITIES:
                    coded = through(image, quality)
                    coded.save(f"{folder}/other.png", compress_level=1)
                    true = compute_ssimulacra2(f"{folder}/one.png", f"{folder}/other.png")
                    samples.append({"name": name, "quality": quality, "true": true, "features": score.features(tiles, through(tiles, quality))})
                print(name, [round(each["true"], 1) for each in samples[-len(QUALITIES):]], file=sys.stderr, flush=True)
    json.dump(samples, sys.stdout)


def through(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    return Image.open(buffer).convert("RGB")


if __name__ == "__main__":
    main()
