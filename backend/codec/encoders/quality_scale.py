"""Qualities of other formats that look like those of WebP (``quality_scale.json``, which ``bench/codec_look.py`` makes), and of WebP with less
effort that look like those with full effort (``bench/codec_effort.py``)."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path

from backend.codec.resource_limits import is_lossless
from backend.core.effort import EASED
from backend.core.options import Options

_TABLE: dict[str, list[float]] = {
    name: row for name, row in json.loads((Path(__file__).parent / "quality_scale.json").read_text(encoding="utf-8")).items() if name != "about"
}
_MASTER = "webp"
_GIVEN, _EASED = (75, 80, 85, 90), (75.0, 80.3, 85.8, 91.0)
"""Of WebP: mean SSIMULACRA2 is the same with methods 4 and 2. Below, the same quality looks as good or better: it is never less than asked for."""


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


def eased_quality(quality: float) -> float:
    """WebP's quality that looks with less effort as ``quality`` does with full effort. Linear between the rows of the table."""
    if not _GIVEN[0] <= quality <= _GIVEN[-1]:
        return quality
    after = max(1, bisect_left(_GIVEN, quality))
    share = (quality - _GIVEN[after - 1]) / (_GIVEN[after] - _GIVEN[after - 1])
    return round(_EASED[after - 1] + share * (_EASED[after] - _EASED[after - 1]), 1)


def with_equal_look(options: Options, chosen_method: int | None) -> Options:
    """With the quality that looks as it was asked for, where less effort was chosen for the client."""
    if chosen_method != EASED or options.format != _MASTER or options.quality == "auto" or is_lossless(options):
        return options
    return replace(options, quality=eased_quality(options.quality))
