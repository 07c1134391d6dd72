"""What every format's search for a quality shares: when there is one, its progress, and what the result reports of it."""

from __future__ import annotations

from backend.codec.encoders.encoder import Facts
from backend.codec.encoders.quality_search import ScoreResult, SizeResult
from backend.codec.resource_limits import is_lossless
from backend.core.options import Options

ENCODE_SHARE = 0.7
"""The encode's share of a pass whose result is scored afterwards, measured from 0.7 to 12 megapixels."""
PASS_SHARE = 0.55
"""How many passes a size takes is not known before: each pass gets this share of what is left, so that the bar slows down and never stands."""


def is_auto(options: Options) -> bool:
    return options.quality == "auto" and not is_lossless(options)


def share_of_pass(number: int, share: float) -> float:
    """Of all passes together, when pass ``number`` (from 0) is at ``share``."""
    return 1 - (1 - PASS_SHARE) ** number * (1 - PASS_SHARE * share)


def facts_of_size(found: SizeResult) -> Facts:
    return {"quality": round(found.best.quality, 1), "passes": found.passes, "target_met": found.is_met}


def facts_of_score(found: ScoreResult) -> Facts:
    return {"quality": round(found.best.quality, 1), "score": round(found.best.score, 1), "probes": found.probes}
