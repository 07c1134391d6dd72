"""An animation from its source's frames to one file, once or as often as a size takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from backend.codec.encoders import quality, quality_search, still
from backend.codec.encoders.anim_encoder import animation
from backend.codec.encoders.quality import Facts
from backend.codec.geometry import Geometry
from backend.codec.image.frames import frames, plays
from backend.codec.image.orientation import Turn
from backend.codec.image.transform import transformed
from backend.codec.resource_limits import is_lossless
from backend.core.conversion import Conversion

OnShare = Callable[[float], None]


class Moving:
    """``image`` is opened at its first frame. A frame's share of the work is its share of the number of frames."""

    def __init__(self, image: Image.Image, conversion: Conversion, geometry: Geometry, turn: Turn, on_share: OnShare) -> None:
        self._image, self._conversion, self._options = image, conversion, conversion.options
        self._geometry, self._turn = geometry, turn
        self._on_share = on_share

    @contextmanager
    def encoded(self) -> Iterator[tuple[memoryview, Facts]]:
        """The file, valid until the context ends, and what the result reports."""
        options = self._options
        if options.target_bytes is not None and not is_lossless(options):
            found = self._for_size(options.target_bytes)
            yield memoryview(found.best.data), quality.facts_of(found)
            return
        facts: Facts = {}
        chosen = quality.fixed_quality(options)
        if quality.is_auto(options):
            seen = quality.for_look(self._shown(next(frames(self._image, self._conversion.limits)).image), options, lambda _share: None)
            chosen, facts = seen.best.quality, quality.facts_of_look(seen)
        with self._encoded(chosen, self._on_share) as webp:
            yield webp, facts

    def _for_size(self, target_bytes: int) -> quality_search.Found:
        number = 0

        def encode(chosen: float) -> bytes:
            nonlocal number
            with self._encoded(chosen, lambda share: self._on_share(quality.share_of_pass(number, share))) as webp:
                number += 1
                return bytes(webp)

        return quality_search.for_size(encode, target_bytes)

    @contextmanager
    def _encoded(self, chosen: float, on_share: OnShare) -> Iterator[memoryview]:
        config, total, until_ms = still.config_for(self._options, chosen), self._conversion.shape.frames, 0
        with animation(self._geometry.canvas, plays(self._image), config) as moving:
            for number, frame in enumerate(frames(self._image, self._conversion.limits)):
                moving.add(self._shown(frame.image), frame.at_ms, _within(on_share, number, total))
                until_ms = frame.until_ms
            with moving.finished(until_ms) as webp:
                yield webp

    def _shown(self, frame: Image.Image) -> Image.Image:
        return still.in_layout(transformed(frame, self._geometry, self._turn, self._options, lambda _share: None))


def _within(on_share: OnShare, number: int, total: int) -> Callable[[int], None]:
    return lambda percent: on_share((number + percent / 100) / total)
