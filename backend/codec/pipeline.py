"""One conversion from descriptor to descriptor: decode, transform, encode. Runs in the child, sealed or not.

Every stage drops what the one before it held, so that the peak is the largest stage and not their sum.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from backend.codec import costs, curves, decode, still
from backend.codec.animation import animation
from backend.codec.frames import frames, plays
from backend.codec.geometry import Geometry, check, plan
from backend.codec.meter import Meter
from backend.codec.result import shape_in, write
from backend.codec.source import Source
from backend.codec.still import OnPercent
from backend.codec.transform import as_stored, transformed
from backend.codec.turning import Turn, turn_for
from backend.core.conversion import Conversion, Converted, Progress
from backend.core.options import Options

Tell = Callable[[Progress], None]


def convert(source: Source, result_fd: int, conversion: Conversion, tell: Tell) -> Converted:
    """Raises errors of the contract, and whatever a decoder throws while it opens the file."""
    image = decode.opened(source.buffered(), conversion.shape, conversion.limits)
    is_moving = conversion.shape.frames > 1 and conversion.options.animation == "keep"
    return (_moving if is_moving else _still)(source, result_fd, conversion, image, tell)


def _still(source: Source, result_fd: int, conversion: Conversion, image: Image.Image, tell: Tell) -> Converted:
    options = conversion.options
    turn, geometry = _planned(image, conversion)
    decode.reduce_at_decoding(image, as_stored(geometry.scaled, turn))
    meter = Meter(costs.of_still(conversion.shape, image, geometry, options), tell)
    _decode(source, image, meter)
    if image.format not in decode.REDUCIBLE:
        turn, geometry = _planned(image, conversion)
    result = _transformed(image, geometry, turn, options, meter)
    size = result.size
    written = _encoded(result, result_fd, options, meter)
    return Converted(written, *size, 1, {"seconds": meter.finish()})


def _moving(_source: Source, result_fd: int, conversion: Conversion, image: Image.Image, tell: Tell) -> Converted:
    """Frame by frame, so that one canvas is in memory and not all. Decoding runs along, so all of it is the stage ``encode``."""
    options, total = conversion.options, conversion.shape.frames
    turn, geometry = _planned(image, conversion)
    meter = Meter({"encode": 1.0}, tell)
    config = still.config_for(options, float(options.quality if options.quality != "auto" else 80))
    number, until_ms = 0, 0
    with animation(geometry.canvas, plays(image), config) as moving:
        for number, frame in enumerate(frames(image, conversion.limits)):
            picture = still.in_layout(transformed(frame.image, geometry, turn, options, lambda _share: None))
            moving.add(picture, frame.at_ms, _frame_percent(meter, number, total))
            until_ms = frame.until_ms
        with moving.finished(until_ms) as webp:
            return Converted(write(result_fd, webp), *geometry.canvas, shape_in(webp).frames, {"seconds": meter.finish()})


def _frame_percent(meter: Meter, number: int, total: int) -> OnPercent:
    return lambda percent: meter.at("encode", (number + percent / 100) / total)


def _planned(image: Image.Image, conversion: Conversion) -> tuple[Turn, Geometry]:
    """Raises ``InvalidOption`` (side) and ``TooManyPixels``. Some formats tell their orientation only once they are read."""
    turn = turn_for(conversion.options, decode.orientation(image))
    geometry = plan(as_stored(image.size, turn), conversion.options)
    check(geometry, conversion.limits)
    return turn, geometry


def _decode(source: Source, image: Image.Image, meter: Meter) -> None:
    meter.at("decode", 0.0)
    if image.format in costs.READ_AS_DECODED:
        source.on_read = lambda share: meter.at("decode", share)
    decode.load(image)
    source.on_read = None


def _transformed(image: Image.Image, geometry: Geometry, turn: Turn, options: Options, meter: Meter) -> Image.Image:
    meter.at("transform", 0.0)
    return still.in_layout(transformed(image, geometry, turn, options, lambda share: meter.at("transform", share)))


def _encoded(image: Image.Image, result_fd: int, options: Options, meter: Meter) -> int:
    meter.at("encode", 0.0)
    config = still.config_for(options, float(options.quality if options.quality != "auto" else 80))
    curve = curves.of(options, has_alpha=image.mode == "RGBA")
    with still.picture_of(image, argb=bool(config.lossless or config.use_sharp_yuv)) as picture:
        image.close()
        with still.encoded(picture, config, lambda percent: meter.at("encode", curve(percent))) as webp:
            return write(result_fd, webp)
