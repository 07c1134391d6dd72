"""A still encoded once at the quality asked for, or as often as a size or a score needs: for encoders that are one function of a whole quality."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from backend.codec.encoders import auto_quality, quality, quality_scale, quality_search
from backend.codec.encoders.encoder import Facts, OnShare
from backend.core.options import Options

EncodeAt = Callable[[int], bytes]
Decode = Callable[[bytes], Image.Image]


def encode(
    image: Image.Image,
    options: Options,
    encode_at: EncodeAt,
    decode: Decode,
    on_share: OnShare,
    *,
    encode_ms: float,
    max_passes: int = quality_search.MAX_PASSES,
) -> tuple[bytes, Facts]:
    """The file and what the result reports. ``encode_at`` takes about ``encode_ms``, and is called at most ``max_passes`` times."""
    if options.quality != "auto" and options.target_bytes is None:
        return encode_at(int(options.quality)), {}
    counted = _counted(encode_at, on_share)
    if options.quality != "auto":
        return _within(counted, quality_search.Pass(float(options.quality), counted(float(options.quality))), options, max_passes)
    scored = auto_quality.search(image, lambda chosen: counted(_native(chosen, options)), decode, encode_ms, lambda: None, max_passes)
    data, native, target_bytes = scored.best.data, _native(scored.best.quality, options), options.target_bytes
    facts = {**quality.facts_of_score(scored), "quality": native}
    if target_bytes is None:
        return data, facts
    if len(data) <= target_bytes:
        return data, {**facts, "target_met": True}
    return _within(counted, quality_search.Pass(float(native), data), options, 1 + max_passes - scored.probes)


def _native(chosen: float, options: Options) -> int:
    """A search for a score goes along WebP's qualities, for which its numbers were measured."""
    return quality_scale.native_quality(chosen, options.format)


def _within(encode_at: Callable[[float], bytes], first: quality_search.Pass, options: Options, max_passes: int) -> tuple[bytes, Facts]:
    assert options.target_bytes is not None
    found = quality_search.search_by_size(encode_at, options.target_bytes, first, max_passes)
    return found.best.data, as_used(quality.facts_of_size(found))


def as_used(facts: Facts) -> Facts:
    """With the whole quality that was encoded at."""
    return {**facts, "quality": round(facts["quality"])}


def _counted(encode_at: EncodeAt, on_share: OnShare) -> Callable[[float], bytes]:
    """``encode_at`` for a search, whose steps are finer: each whole quality is encoded once. Reports each pass that is done."""
    found: dict[int, bytes] = {}
    number = 0

    def encode(chosen: float) -> bytes:
        nonlocal number
        whole = round(chosen)
        found[whole] = found.get(whole) or encode_at(whole)
        on_share(quality.share_of_pass(number, 1.0))
        number += 1
        return found[whole]

    return encode
