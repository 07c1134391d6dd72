"""``quality=auto``: the lowest quality at which this picture still looks as good as promised."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PIL import Image

from backend.codec import score, search, still
from backend.core.options import Options

TARGET = 70.0
"""SSIMULACRA2: 'high quality', where somebody who compares side by side begins to see nothing (the metric's own scale)."""

CAUTIOUS = 75.0
"""Least for drawings, screenshots and cut-outs: the score was fitted to photographs, and is too kind to large plain areas."""


def quality_for(image: Image.Image, options: Options, on_share: Callable[[float], None]) -> tuple[float, dict[str, Any]]:
    """The quality, and what the result reports: ``quality``, ``score``, ``probes``. Transparency is judged on white."""
    tiles = score.mosaic(_opaque(image))
    probes: list[float] = []

    def judge(quality: float) -> float:
        on_share(len(probes) / search.MAX_PROBES)
        probes.append(quality)
        return score.predicted(tiles, _coded(tiles, options, quality))

    quality, reached = search.for_score(judge, TARGET + score.MARGIN)
    if quality < CAUTIOUS and not score.is_photograph(tiles):
        quality, reached = CAUTIOUS, judge(CAUTIOUS)
    return quality, {"quality": round(quality, 1), "score": round(reached - score.MARGIN, 1), "probes": len(probes)}


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _coded(tiles: Image.Image, options: Options, quality: float) -> Image.Image:
    config = still.config_for(replace(options, method=min(options.method, 4)), quality)
    with (
        still.picture_of(tiles, argb=bool(config.use_sharp_yuv)) as picture,
        still.encoded(picture, config, lambda _percent: None) as webp,
    ):
        return Image.open(io.BytesIO(webp), formats=["WEBP"]).convert("RGB")
