"""What WebP takes with less effort, at an equal look: the numbers of ``backend/codec/encoders/quality_scale.py``.

    tests/.venv/bin/python -m bench.codec_effort $PHOTOS/*.jpg [--side 1000] [--methods 2]

For each quality: the one with less effort that has the mean SSIMULACRA2 of the reference at method 4, and what the file and the processor time then
are beside method 4, as means over the photographs. ``as table``: the same for the quality that the table gives. Processor time hardly minds what else
the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from backend.codec.encoders.quality_scale import eased_quality
from backend.codec.encoders.webp import bitstream
from backend.codec.native import libwebp
from backend.core.effort import EASED, FULL
from backend.core.options import Options
from bench.codec_look import interpolate, rising
from bench.kit.look import reference_score
from tests.unit.codec.conftest import saved

QUALITIES = (40, 60, 70, 75, 80, 85, 90, 95)
STEPS = (30, 40, 50, 60, 66, 70, 74, 78, 81, 84, 87, 90, 92, 94, 96, 98)


@dataclass(frozen=True, slots=True)
class Encoded:
    bytes: int
    cpu_s: float
    score: float


Curves = dict[int, dict[int, list[Encoded]]]
"""By method and quality: one for each photograph."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--side", type=int, default=1000, help="the longer side that larger photographs are shrunk to")
    parser.add_argument("--methods", nargs="*", type=int, default=[EASED])
    wanted = parser.parse_args()
    found: Curves = {method: {} for method in (FULL, *wanted.methods)}
    for photo in wanted.photos:
        measure(photo, wanted.side, found)
    for method in wanted.methods:
        print(f"method {method}, {len(wanted.photos)} photographs\n| quality | equal look at | bytes | time | as table | score | bytes |")
        print("|---" * 7 + "|", *(line(found, method, quality) for quality in QUALITIES), sep="\n")


def measure(photo: Path, side: int, found: Curves) -> None:
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    source = saved(image, "PNG", compress_level=1, icc_profile=None)
    with bitstream.import_picture(image, argb=False) as picture:
        for method, curve in found.items():
            for quality in QUALITIES if method == FULL else STEPS:
                curve.setdefault(quality, []).append(encoded(picture, source, method, quality))


def encoded(picture: libwebp.Picture, source: bytes, method: int, quality: float) -> Encoded:
    config = bitstream.config_for(Options(method=method), quality)
    begun_s = time.process_time()
    with bitstream.encode(picture, config, lambda _percent: None) as webp:
        spent_s, data = time.process_time() - begun_s, bytes(webp)
    return Encoded(len(data), spent_s, reference_score(source, data))


def line(found: Curves, method: int, quality: int) -> str:
    full = found[FULL][quality]
    score = statistics.mean(each.score for each in full)
    equal = interpolate(rising([_mean(found[method][step], "score") for step in STEPS]), STEPS, score)
    given = eased_quality(quality)
    size, cost = (_ratio(found[method], name, equal, full) for name in ("bytes", "cpu_s"))
    gain = interpolate(STEPS, [_mean(found[method][step], "score") for step in STEPS], given) - score
    return f"| {quality} | {equal:.1f} | {size:.3f} | {cost:.2f} | {given:g} | {gain:+.1f} | {_ratio(found[method], 'bytes', given, full):.3f} |"


def _ratio(curve: dict[int, list[Encoded]], name: str, quality: float, full: list[Encoded]) -> float:
    """Of the same photographs, by those with full effort."""
    of_each = ([getattr(curve[step][number], name) for step in STEPS] for number in range(len(full)))
    return statistics.mean(interpolate(STEPS, values, quality) / getattr(each, name) for values, each in zip(of_each, full, strict=True))


def _mean(of: list[Encoded], name: str) -> float:
    return statistics.mean(getattr(each, name) for each in of)


if __name__ == "__main__":
    main()
