"""One conversion from descriptor to descriptor: decode, transform, encode. Runs in the child, sealed or not.

Every stage drops what the one before it held, so that the peak is the largest stage and not their sum.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from backend.codec.encoders import quality, still
from backend.codec.geometry import Geometry, check, plan
from backend.codec.image import decode, jpeg_fast_path, metadata, riff, sixteen_bit, stage_costs
from backend.codec.image.animation import Moving
from backend.codec.image.orientation import Turn, turn_for
from backend.codec.image.transform import as_stored, transformed
from backend.codec.native.source import Source
from backend.codec.progress.meter import Meter
from backend.codec.webp_file import shape_in, write
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
    applied = decode.orientation_applied(image)
    turn, geometry = _planned(image, conversion, applied)
    if jpeg_fast_path.is_for(image, turn, geometry, options):
        return _straight(source, result_fd, conversion, image, turn, tell)
    box = decode.reduce_at_decoding(image, as_stored(geometry.scaled, turn))
    meter = Meter(stage_costs.of_still(conversion.shape, image, geometry, options), tell, conversion.report_every_s)
    decoded = _decoded(source, image, conversion, meter)
    if image.format not in decode.REDUCIBLE:
        turn, geometry = _planned(image, conversion, applied)
    notes = metadata.kept(image, options)
    result = _transformed(decoded, box, geometry, turn, options, meter)
    meter.at("encode", 0.0)
    with quality.encoded(result, options, lambda share: meter.at("encode", share)) as (webp, facts):
        written = write(result_fd, riff.parts(webp, notes, geometry.canvas))
    return Converted(written, *geometry.canvas, 1, {**facts, "seconds": meter.finish()})


def _straight(source: Source, result_fd: int, conversion: Conversion, image: Image.Image, turn: Turn, tell: Tell) -> Converted:
    """Nothing is to be done to the picture but to its colours, row by row, and to turn it: all of it is the stage ``decode``."""
    options, size = conversion.options, as_stored(image.size, turn)
    meter = Meter(stage_costs.of_straight(conversion.shape, image, options), tell, conversion.report_every_s)
    notes = metadata.kept(image, options)
    meter.at("decode", 0.0)
    with jpeg_fast_path.picture_of(source, image, turn, lambda share: meter.at("decode", share)) as picture:
        meter.at("transform", 0.0)
        meter.at("encode", 0.0)
        with quality.encoded_picture(picture, options, lambda share: meter.at("encode", share), has_alpha=False) as (webp, facts):
            written = write(result_fd, riff.parts(webp, notes, size))
    return Converted(written, *size, 1, {**facts, "seconds": meter.finish()})


def _moving(_source: Source, result_fd: int, conversion: Conversion, image: Image.Image, tell: Tell) -> Converted:
    """Frame by frame, so that one canvas is in memory and not all. Decoding runs along, so all of it is the stage ``encode``."""
    meter = Meter({"encode": 1.0}, tell, conversion.report_every_s)
    meter.at("encode", 0.0)
    decode.load(image)
    turn, geometry = _planned(image, conversion, 1)
    work = Moving(image, conversion, geometry, turn, lambda share: meter.at("encode", share))
    with work.encoded() as (webp, facts):
        written = write(result_fd, riff.parts(webp, metadata.kept(image, conversion.options), geometry.canvas))
        return Converted(written, *geometry.canvas, shape_in(webp).frames, {**facts, "seconds": meter.finish()})


def _planned(image: Image.Image, conversion: Conversion, applied: int) -> tuple[Turn, Geometry]:
    """Raises ``InvalidOption`` (side) and ``TooManyPixels``. Some formats tell their orientation only once they are read."""
    turn = turn_for(conversion.options, decode.orientation(image), applied)
    geometry = plan(as_stored(image.size, turn), conversion.options)
    check(geometry, conversion.limits)
    return turn, geometry


def _decoded(source: Source, image: Image.Image, conversion: Conversion, meter: Meter) -> Image.Image:
    meter.at("decode", 0.0)
    if sixteen_bit.is_deep_grey(image):
        sixteen_bit.take_as_bytes(image)
        _read(source, image, lambda share: meter.at("decode", share))
        return sixteen_bit.from_bytes(image)
    if not sixteen_bit.is_deep(image):
        _read(source, image, lambda share: meter.at("decode", share))
        return image
    low = decode.opened(source.buffered(), conversion.shape, conversion.limits)
    sixteen_bit.exchange_bytes(low)
    _read(source, image, lambda share: meter.at("decode", share / 2))
    _read(source, low, lambda share: meter.at("decode", (1 + share) / 2))
    return sixteen_bit.rounded(image, low)


def _read(source: Source, image: Image.Image, on_share: Callable[[float], None]) -> None:
    source.on_read = on_share if image.format in stage_costs.READ_AS_DECODED else None
    decode.load(image)
    source.on_read = None


def _transformed(image: Image.Image, box: decode.Box | None, geometry: Geometry, turn: Turn, options: Options, meter: Meter) -> Image.Image:
    meter.at("transform", 0.0)
    return still.in_layout(transformed(image, geometry, turn, options, lambda share: meter.at("transform", share), box))
