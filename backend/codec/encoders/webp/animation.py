"""An animation into a WebP file: encoded once, or as often as a size needs. Every pass decodes all frames again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from backend.codec.encoders import quality, quality_search
from backend.codec.encoders.encoder import Animation, Facts, OnShare
from backend.codec.encoders.webp import bitstream, riff, smaller, still
from backend.codec.encoders.webp.anim_encoder import open_anim_encoder
from backend.codec.resource_limits import is_lossless
from backend.core.options import Options

MAX_FRAME_MS, MAX_TOTAL_MS = (1 << 24) - 1, (1 << 31) - 1
"""Of a frame, 4.6 hours (RFC 9649 §2.7.1.1); of all, what libwebpmux counts in. An APNG may show one frame for 18 hours."""


@contextmanager
def encode_animation(source: Animation, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """The file, valid until the context ends, and what the result reports. ``quality=auto`` takes the quality of the first frame.

    With ``lossless=auto``, the first frame decides whether frames are tried without loss too; then libwebpmux keeps the smaller of each.
    """
    is_mixed = options.lossless == "auto" and _looks_drawn(source, options)
    facts: Facts = {}
    chosen = still.fixed_quality(options)
    if quality.is_auto(options):
        scored = still.quality_by_score(_first_frame(source), options)
        chosen, facts = scored.best.quality, quality.facts_of_score(scored)
    encode = _Encode(source, options, on_share, is_mixed=is_mixed)
    if options.target_bytes is not None and not is_lossless(options):
        first = quality_search.Pass(chosen, encode.at(chosen))
        found = quality_search.search_by_size(encode.at, options.target_bytes, first)
        yield memoryview(found.best.data), _with_kind(quality.facts_of_size(found), memoryview(found.best.data), options)
        return
    with encode.once(chosen, on_share) as webp:
        yield webp, _with_kind(facts, webp, options)


def _first_frame(source: Animation) -> Image.Image:
    return next(source.read_frames()).image


def _looks_drawn(source: Animation, options: Options) -> bool:
    pixels = source.size[0] * source.size[1] * source.frame_count
    return smaller.may_try_frames(options, pixels) and smaller.looks_drawn(_first_frame(source), options)


def _with_kind(facts: Facts, webp: memoryview, options: Options) -> Facts:
    """With ``lossless`` where it was the encoder's choice. A quality says nothing of a file without loss."""
    if options.lossless != "auto":
        return facts
    if riff.is_lossless(webp):
        return {"lossless": True, **({"target_met": facts["target_met"]} if "target_met" in facts else {})}
    return {**facts, "lossless": False}


class _Encode:
    """Encodes an animation as often as a search needs."""

    def __init__(self, source: Animation, options: Options, on_share: OnShare, *, is_mixed: bool) -> None:
        self._source, self._options, self._is_mixed, self._on_share = source, options, is_mixed, on_share
        self._passes = 0

    def at(self, chosen: float) -> bytes:
        """One pass of a search."""
        number = self._passes
        with self.once(chosen, lambda share: self._on_share(quality.share_of_pass(number, share))) as webp:
            self._passes += 1
            return bytes(webp)

    @contextmanager
    def once(self, chosen: float, on_share: OnShare) -> Iterator[memoryview]:
        """A frame's share of the work is its share of the number of frames."""
        source, config, until_ms = self._source, bitstream.config_for(self._options, chosen), 0
        with open_anim_encoder(source.size, source.plays, config, is_mixed=self._is_mixed) as encoder:
            for number, frame in enumerate(source.read_frames()):
                encoder.add(frame.image, until_ms, _share_of_frame(on_share, number, source.frame_count))
                until_ms += min(frame.until_ms - frame.at_ms, MAX_FRAME_MS, MAX_TOTAL_MS // source.frame_count)
            with encoder.assemble(until_ms) as webp:
                yield webp


def _share_of_frame(on_share: OnShare, number: int, total: int) -> Callable[[int], None]:
    return lambda percent: on_share((number + percent / 100) / total)
