"""An animation into a WebP file: encoded once, or as often as a size needs. Every pass decodes all frames again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backend.codec.encoders import quality, quality_search
from backend.codec.encoders.encoder import Animation, Facts, OnShare
from backend.codec.encoders.webp import bitstream, still
from backend.codec.encoders.webp.anim_encoder import open_anim_encoder
from backend.codec.resource_limits import is_lossless
from backend.core.options import Options

MAX_FRAME_MS, MAX_TOTAL_MS = (1 << 24) - 1, (1 << 31) - 1
"""Of a frame, 4.6 hours (RFC 9649 §2.7.1.1); of all, what libwebpmux counts in. An APNG may show one frame for 18 hours."""


@contextmanager
def encode_animation(source: Animation, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """The file, valid until the context ends, and what the result reports. ``quality=auto`` takes the quality of the first frame."""
    if options.target_bytes is not None and not is_lossless(options):
        found = _search_by_size(source, options, on_share, options.target_bytes)
        yield memoryview(found.best.data), quality.facts_of_size(found)
        return
    facts: Facts = {}
    chosen = still.fixed_quality(options)
    if quality.is_auto(options):
        scored = still.search_by_score(next(source.read_frames()).image, options, lambda _share: None)
        chosen, facts = scored.best.quality, quality.facts_of_score(scored)
    with _encode_at(source, options, chosen, on_share) as webp:
        yield webp, facts


def _search_by_size(source: Animation, options: Options, on_share: OnShare, target_bytes: int) -> quality_search.SizeResult:
    number = 0

    def encode_at(chosen: float) -> bytes:
        nonlocal number
        with _encode_at(source, options, chosen, lambda share: on_share(quality.share_of_pass(number, share))) as webp:
            number += 1
            return bytes(webp)

    return quality_search.search_by_size(encode_at, target_bytes)


@contextmanager
def _encode_at(source: Animation, options: Options, chosen: float, on_share: OnShare) -> Iterator[memoryview]:
    """A frame's share of the work is its share of the number of frames."""
    config, until_ms = bitstream.config_for(options, chosen), 0
    with open_anim_encoder(source.size, source.plays, config) as encoder:
        for number, frame in enumerate(source.read_frames()):
            encoder.add(frame.image, until_ms, _share_of_frame(on_share, number, source.frame_count))
            until_ms += min(frame.until_ms - frame.at_ms, MAX_FRAME_MS, MAX_TOTAL_MS // source.frame_count)
        with encoder.assemble(until_ms) as webp:
            yield webp


def _share_of_frame(on_share: OnShare, number: int, total: int) -> Callable[[int], None]:
    return lambda percent: on_share((number + percent / 100) / total)
