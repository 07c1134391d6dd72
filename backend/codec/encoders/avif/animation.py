"""An animation into an AVIF sequence: frames go in one by one, and libaom holds back as many as it looks ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from backend.codec.encoders import auto_quality, quality, quality_search, still_passes
from backend.codec.encoders.avif import aom
from backend.codec.encoders.avif.boxes import with_plays
from backend.codec.encoders.avif.forecast import Forecast, forecast
from backend.codec.encoders.avif.passes import Passes, schedule
from backend.codec.encoders.encoder import Animation, EncodeProgress, Facts, Metadata
from backend.codec.geometry import Size
from backend.codec.resource_limits import AVIF_LOOK_AHEAD_PIXELS
from backend.core import encode_time
from backend.core.options import Options

LOOK_AHEAD = 35
"""Frames that libaom takes before it encodes the first one (``g_lag_in_frames``, aom/aom_encoder.h)."""
DONE_AHEAD = 16
"""Frames that it has encoded ahead of the one that comes out, in the mean: it begins a group of 32 with those that the others refer to."""
FAST_SPEED = 7
"""From here on libavif asks for no look-ahead. It asks for none where there is alpha, either, so that both tracks keep step."""


def encode_animation(source: Animation, metadata: Metadata, options: Options, progress: EncodeProgress) -> tuple[bytes, Facts]:
    """The file, and what the result reports. ``quality=auto`` takes the quality of the first frame. Raises ``InvalidOption`` for want of time."""
    asked, options = options, _within_memory(options, source.size)
    first, mode = next(source.read_frames()).image, "RGBA" if _has_alpha(source) else "RGB"
    cost, (width, height) = forecast(first.convert(mode), options, source.frame_count), source.size
    all_s = encode_time.FRAME_COST * source.frame_count * cost.encode_s
    planned = schedule(options, all_s, width, width * height * source.frame_count, progress.limit_s)
    said, options = planned.facts(asked), replace(options, speed=planned.speed)
    chosen, facts = _quality(first, options, cost)
    run = _Run(source, metadata, options, mode, _unheard if planned.is_search else progress)
    encode = Passes(run.encode, planned, progress)
    data = encode(chosen)
    if options.target_bytes is not None:
        found = quality_search.search_by_size(encode, options.target_bytes, quality_search.Pass(chosen, data), planned.max_passes)
        data, facts = found.best.data, still_passes.as_used(quality.facts_of_size(found))
    return data, {**facts, **said}


def _within_memory(options: Options, size: Size) -> Options:
    """At a speed that does not look ahead, where the canvas is too large for that."""
    is_large = size[0] * size[1] > AVIF_LOOK_AHEAD_PIXELS
    return replace(options, speed=FAST_SPEED) if is_large and options.speed < FAST_SPEED else options


def _has_alpha(source: Animation) -> bool:
    """Whether any frame has: the first one decides which planes all have. Decoding costs little beside libaom."""
    return any(frame.image.mode == "RGBA" and frame.image.getchannel("A").getextrema() != (255, 255) for frame in source.read_frames())


def _quality(first: Image.Image, options: Options, cost: Forecast) -> tuple[float, Facts]:
    if options.quality != "auto":
        return float(options.quality), {}
    pixels = aom.Pixels(first)
    found = auto_quality.search(first, lambda each: pixels.encode(aom.NOTHING, options, round(each)), aom.decode, 1000 * cost.encode_s, lambda: None)
    return found.best.quality, still_passes.as_used(quality.facts_of_score(found))


def _unheard(_share: float) -> None:
    """Within a search, the bar follows the passes."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Encodes all frames, in one ``mode``."""

    source: Animation
    metadata: Metadata
    options: Options
    mode: str
    on_share: Callable[[float], None]

    def encode(self, chosen: int) -> bytes:
        encoder = aom.open_file(self.source.size, self.metadata, self.options, chosen, aom.LIMITED)
        for number, frame in enumerate(self.source.read_frames(), 1):
            with frame.image.convert(self.mode) as image:
                encoder.add(image.tobytes("raw", self.mode), frame.until_ms - frame.at_ms, image.size, self.mode, False)
            self._tell(number)
        return with_plays(aom.closed(encoder), self.source.plays)

    def _tell(self, taken: int) -> None:
        looks_ahead = self.mode == "RGB" and self.options.speed < FAST_SPEED
        if not looks_ahead:
            self.on_share(taken / (self.source.frame_count + 1))
        elif taken > LOOK_AHEAD:
            self.on_share((taken - LOOK_AHEAD + DONE_AHEAD) / (self.source.frame_count + 1))
