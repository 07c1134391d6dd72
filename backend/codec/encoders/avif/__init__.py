"""AVIF. The encoder tells nothing of its progress, so each encode is announced with what it will cost: see ``forecast``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from PIL import Image, _avif

from backend.codec.encoders import still_passes
from backend.codec.encoders.avif import aom
from backend.codec.encoders.avif.animation import encode_animation
from backend.codec.encoders.avif.forecast import Forecast, forecast
from backend.codec.encoders.avif.passes import Passes, Schedule, schedule
from backend.codec.encoders.encoder import Animation, Encoded, EncodeProgress, Encoder, Facts, Metadata
from backend.codec.encoders.registry import register
from backend.codec.result_file import shape_in
from backend.core import encode_time
from backend.core.formats import OUTPUT
from backend.core.options import Options

ROW = OUTPUT["avif"]


class AvifEncoder(Encoder):
    def preload(self) -> None:
        _avif.codec_versions()

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: EncodeProgress) -> Iterator[Encoded]:
        cost = forecast(image, options)
        planned = schedule(options, cost.encode_s, image.width, image.width * image.height, on_share.limit_s)
        data, facts = _encode(image, metadata, replace(options, speed=planned.speed), planned, cost, on_share)
        image.close()
        yield Encoded([data], facts={**facts, **planned.facts(options)})

    @contextmanager
    def encode_animation(self, source: Animation, metadata: Metadata, options: Options, on_share: EncodeProgress) -> Iterator[Encoded]:
        data, facts = encode_animation(source, metadata, options, on_share)
        yield Encoded([data], shape_in(memoryview(data), ROW).frames, facts)

    def check_time(self, image: Image.Image, options: Options, share: float, limit_s: float) -> None:
        schedule(options, forecast(image, options).encode_s / share, image.width, image.width * image.height, limit_s)

    def cost_ms(self, options: Options, pixels: int, *, has_alpha: bool) -> float:
        return 1000 * encode_time.encode_s(options.speed, pixels)


def _encode(
    image: Image.Image, metadata: Metadata, options: Options, planned: Schedule, cost: Forecast, progress: EncodeProgress
) -> tuple[bytes, Facts]:
    pixels = aom.Pixels(image)
    if not planned.is_search:
        image.close()  # libaom needs the memory
    begun = cost.spent_s / (cost.spent_s + cost.encode_s)
    encode = Passes(lambda quality: pixels.encode(metadata, options, quality), planned, progress, begun)
    ms, passes = 1000 * planned.pass_s, planned.max_passes
    return still_passes.encode(image, options, encode, aom.decode, progress, encode_ms=ms, max_passes=passes)


register(ROW.name, AvifEncoder())
