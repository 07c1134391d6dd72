"""Which quality of JPEG and AVIF looks like which of WebP, and what it costs: makes ``backend/codec/encoders/quality_scale.json``.

    python -m bench.codec_look measure $PHOTOS/*.jpg >> var/look.jsonl
    python -m bench.codec_look table var/look.jsonl > var/scale.json && mv var/scale.json backend/codec/encoders/quality_scale.json
    python -m bench.codec_look check var/look.jsonl
    python -m bench.codec_look bytes var/look.jsonl

Judged by the reference SSIMULACRA2, at the defaults of each format: WebP method 4, AVIF speed 6, chroma at half the resolution. ``table`` makes the
mean score over the photographs equal. ``check`` says how far the scores are apart at ``quality_scale=look``, ``bytes`` gives bytes at equal scores.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from backend.codec.encoders import quality_scale
from backend.codec.encoders.encoder import Metadata
from backend.codec.encoders.registry import encoder_for
from backend.codec.native import arrow_buffer
from backend.core.formats import OUTPUT
from backend.core.options import LOSSY, Options
from bench.kit.look import reference_score
from tests.unit.codec.conftest import saved

SIDE = 1000
QUALITIES = (0, 6, 15, 30, 45, 60, 70, 80, 90, 97, 100)
STEPS = (0, 6, 15, 30, 45, 60, 70, 80, 90, 97, 100)
"""Qualities of WebP that the table has a place for."""
SCORES = (50, 60, 70, 80, 85)
MASTER = "webp"

ABOUT = (
    "Qualities that look the same: at each place of the lists, the mean SSIMULACRA2 of six photographs is equal. Made by python -m bench.codec_look, "
    "not by hand: the longer side 1000 pixels, WebP method 4, AVIF speed 6, chroma at half the resolution."
)


class Point(NamedTuple):
    photo: str
    format: str
    quality: int
    bytes: int
    score: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    measuring = ways.add_parser("measure")
    measuring.add_argument("photos", nargs="+", type=Path)
    measuring.add_argument("--formats", nargs="*", default=LOSSY)
    for name in ("table", "check", "bytes"):
        ways.add_parser(name).add_argument("runs", type=Path)
    wanted = parser.parse_args()
    if wanted.way == "measure":
        arrow_buffer.allocate_in_one_block()
        for photo in wanted.photos:
            measure(photo, wanted.formats)
        return
    points = [Point(*json.loads(line)) for line in wanted.runs.read_text(encoding="utf-8").splitlines()]
    print({"table": table, "check": check, "bytes": bytes_at_equal_scores}[wanted.way](points))


def measure(photo: Path, formats: Sequence[str]) -> None:
    """One line for each format and quality: photo, format, quality, bytes, score."""
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    source = saved(image, "PNG", compress_level=1, icc_profile=None)
    for each in formats:
        for quality in QUALITIES:
            coded = encode(image, Options(format=each, quality=quality))
            print(json.dumps(Point(photo.name, each, quality, len(coded), round(reference_score(source, coded), 3))), flush=True)


def encode(image: Image.Image, options: Options) -> bytes:
    encoder = encoder_for(OUTPUT[options.format])
    with encoder.encode_still(image.copy(), Metadata(), options, lambda _share: None) as encoded:
        return b"".join(bytes(part) for part in encoded.parts)


def table(points: list[Point]) -> str:
    scores = {name: mean_scores(points, name) for name in LOSSY}
    wanted = [interpolate(QUALITIES, scores[MASTER], step) for step in STEPS]
    rows = {name: [round(interpolate(rising(scores[name]), QUALITIES, score), 1) for score in wanted] for name in LOSSY if name != MASTER}
    lines = (f'  "{name}": {json.dumps(row)}' for name, row in {"about": ABOUT, MASTER: STEPS, **rows}.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def check(points: list[Point]) -> str:
    """With the table as the encoders read it, whole qualities and all."""
    scores = {name: mean_scores(points, name) for name in LOSSY}
    lines, worst = [], 0.0
    for quality in QUALITIES:
        meant = {name: quality_scale.native_quality(quality, name) for name in LOSSY}
        found = {name: interpolate(QUALITIES, scores[name], meant[name]) for name in LOSSY}
        spread = max(found.values()) - min(found.values())
        worst = max(worst, spread)
        lines.append(f"{quality:3}: " + ", ".join(f"{name} {meant[name]} → {found[name]:.1f}" for name in LOSSY) + f"; apart {spread:.1f}")
    return "\n".join((*lines, f"worst {worst:.2f}"))


def bytes_at_equal_scores(points: list[Point]) -> str:
    """The bytes of each format as a share of WebP's: geometric means over the photographs, interpolated between qualities."""
    lines = ["| SSIMULACRA2 | " + " | ".join(LOSSY) + " |", "|---" * (1 + len(LOSSY)) + "|"]
    for score in SCORES:
        by_format = {name: [bytes_at(points, photo, name, score) for photo in photos(points)] for name in LOSSY}
        means = {name: statistics.geometric_mean(values) for name, values in by_format.items()}
        ratios = {name: mean / means[MASTER] for name, mean in means.items()}
        lines.append(f"| {score} | " + " | ".join(f"{ratios[name]:.2f}" for name in LOSSY) + " |")
    return "\n".join(lines)


def bytes_at(points: list[Point], photo: str, name: str, score: float) -> float:
    of = sorted((each for each in points if (each.photo, each.format) == (photo, name)), key=lambda each: each.quality)
    return math.exp(interpolate(rising([each.score for each in of]), [math.log(each.bytes) for each in of], score))


def photos(points: list[Point]) -> list[str]:
    return sorted({each.photo for each in points})


def mean_scores(points: list[Point], name: str) -> list[float]:
    """Over the photographs, at each of ``QUALITIES``."""
    return [statistics.mean(each.score for each in points if (each.format, each.quality) == (name, quality)) for quality in QUALITIES]


def rising(values: Sequence[float]) -> list[float]:
    """Each at least a trifle above the one before."""
    result: list[float] = []
    for each in values:
        result.append(max(each, result[-1] + 1e-6) if result else each)
    return result


def interpolate(given: Sequence[float], wanted: Sequence[float], value: float) -> float:
    """Linear between the points of a table, constant beyond its ends."""
    value = min(given[-1], max(given[0], value))
    after = max(1, bisect_left(given, value))
    share = (value - given[after - 1]) / (given[after] - given[after - 1])
    return wanted[after - 1] + share * (wanted[after] - wanted[after - 1])


if __name__ == "__main__":
    main()
