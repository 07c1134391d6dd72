"""Fit ``backend/codec/score.py`` to SSIMULACRA2 (PyPI ``ssimulacra2``): prints weights and agreement.

    python -m bench.codec_score ../shared/corpus/photos/*.jpg ../shared/corpus/orientation/1.jpg

The weights in use come from these seven and from seven that scikit-image and scikit-learn bring (astronaut, chelsea, coffee, motorcycle, rocket;
china, flower). Takes minutes: the reference is slow.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from backend.codec import score

QUALITIES = (20, 35, 50, 60, 70, 78, 84, 89, 93, 97)
NEAR = 60, 80
"""Scores around the one that is looked for: only there must the line be right."""


def pictures(path: str) -> Iterator[tuple[str, Image.Image]]:
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
                    through(image, quality).save(f"{folder}/other.png", compress_level=1)
                    true = float(compute_ssimulacra2(f"{folder}/one.png", f"{folder}/other.png"))
                    if NEAR[0] < true < NEAR[1]:
                        samples.append((Path(path).stem, true, score.features(tiles, through(tiles, quality))))
                print(name, len(samples), file=sys.stderr, flush=True)
    fit(samples)


def fit(samples: list[tuple[str, float, list[float]]]) -> None:
    """Least squares; agreement is of each photograph with a line fitted to the others."""
    names, true = np.array([each[0] for each in samples]), np.array([each[1] for each in samples])
    table = np.array([[1.0, *each[2]] for each in samples])
    misses = np.zeros(len(true))
    for name in set(names):
        others = names != name
        line = np.linalg.lstsq(table[others], true[others], rcond=None)[0]
        misses[~others] = true[~others] - table[~others] @ line
    line = np.linalg.lstsq(table, true, rcond=None)[0]
    print("WEIGHTS =", tuple(round(float(weight), 3) for weight in line))
    print(
        f"{len(true)} samples: {np.sqrt((misses**2).mean()):.2f} points (root mean square), 5th percentile {np.percentile(misses, 5):.2f}, "
        f"correlation {np.corrcoef(true, table @ line)[0, 1]:.3f}"
    )


def through(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    return Image.open(buffer).convert("RGB")


if __name__ == "__main__":
    main()
