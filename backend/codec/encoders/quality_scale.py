"""Qualities of other formats that look like those of WebP (``quality_scale.json``, which ``bench/codec_look.py`` makes)."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path

from backend.core.options import Options

_TABLE: dict[str, list[float]] = {
    name: row for name, row in json.loads((Path(__file__).parent / "quality_scale.json").read_text(encoding="utf-8")).items() if name != "about"
}
_MASTER = "webp"


def native_quality(quality: float, output_format: str) -> int:
    """The format's own quality that looks like ``quality`` does in WebP, as the mean of photographs. Linear between the rows of the table."""
    given, found = _TABLE[_MASTER], _TABLE[output_format]
    after = max(1, bisect_left(given, quality))
    share = (quality - given[after - 1]) / (given[after] - given[after - 1])
    return round(found[after - 1] + share * (found[after] - found[after - 1]))


def with_native_quality(options: Options) -> Options:
    """With the quality that the format's encoder is to have, where ``quality_scale=look`` gives another one."""
    if options.quality_scale != "look" or options.quality == "auto":
        return options
    return replace(options, quality=native_quality(options.quality, options.format), quality_scale="native")
