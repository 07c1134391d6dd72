"""One conversion from descriptor to descriptor: decode, transform, encode. Runs in the child, sealed or not.

Every stage drops what the one before it held, so that the peak of memory is the largest stage's and not the sum of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from PIL import Image

from backend.codec.encoders.encoder import Animation, Encoded, Encoder, Frame
from backend.codec.encoders.registry import encoder_for
from backend.codec.encoders.registry import preload as preload_encoders
from backend.codec.geometry import Size, check_geometry, geometry_for
from backend.codec.image import decode, jpeg_fast_path, metadata, sixteen_bit, stage_costs, steps
from backend.codec.image.frames import play_count, read_frames
from backend.codec.image.orientation import as_stored, orientation_for
from backend.codec.image.steps.step import Plan, Traits
from backend.codec.native.source import Source
from backend.codec.progress.meter import Meter
from backend.codec.result_file import write
from backend.core.conversion import Conversion, Converted, Progress, Stage

OnProgress = Callable[[Progress], None]


def preload() -> None:
    """Load every decoder, step and encoder: a sealed child can open no file."""
    decode.preload()
    steps.load()
    preload_encoders()


def convert(source: Source, result_fd: int, conversion: Conversion, on_progress: OnProgress) -> Converted:
    """Raises errors of the contract, and what a decoder raises while it opens the file."""
    return _Pipeline(source, result_fd, conversion, on_progress).convert()


class _Pipeline:
    def __init__(self, source: Source, result_fd: int, conversion: Conversion, on_progress: OnProgress) -> None:
        self._source, self._result_fd, self._on_progress = source, result_fd, on_progress
        self._conversion, self._options = conversion, conversion.options
        self._encoder: Encoder = encoder_for(conversion.output)
        self._image = decode.open_image(source.buffered(), conversion.shape, conversion.limits)
        self._applied = decode.orientation_applied_by_pillow(self._image)

    def convert(self) -> Converted:
        keeps_frames = self._options.animation == "keep" and self._conversion.output.has_animation
        if self._conversion.shape.frames > 1 and keeps_frames:
            return self._convert_animation()
        plan = self._plan()
        if jpeg_fast_path.is_for(self._image, plan, self._encoder):
            return self._convert_by_fast_path(plan)
        return self._convert_still(plan)

    def _plan(self) -> Plan:
        """Raises ``InvalidOption`` (side) and ``TooManyPixels``. Some formats tell their orientation only once they are read."""
        orientation = orientation_for(self._options, decode.exif_orientation(self._image), self._applied)
        geometry = geometry_for(as_stored(self._image.size, orientation), self._options)
        check_geometry(geometry, self._conversion.output, self._conversion.limits)
        return Plan(self._options, self._conversion.output, geometry, orientation, profile=self._image.info.get("icc_profile"))

    def _convert_still(self, plan: Plan) -> Converted:
        if steps.may_decode_smaller(Traits.of(self._image), plan):
            plan = replace(plan, box=decode.reduce_at_decoding(self._image, as_stored(plan.geometry.scaled, plan.orientation)))
        meter = self._meter(stage_costs.of_still(self._conversion.shape, self._image, plan, self._encoder))
        decoded = self._decode(meter)
        if self._image.format not in decode.REDUCIBLE:
            plan = self._plan()
        notes = metadata.metadata_for(self._image, self._options)
        meter.advance("transform", 0.0)
        result = steps.transform(decoded, plan, lambda share: meter.advance("transform", share))
        meter.advance("encode", 0.0)
        with self._encoder.encode_still(result, notes, self._options, lambda share: meter.advance("encode", share)) as encoded:
            return self._write(encoded, plan.geometry.canvas, meter)

    def _convert_by_fast_path(self, plan: Plan) -> Converted:
        """Colours and orientation are a part of the stage ``decode``; the stage ``transform`` is empty."""
        meter = self._meter(stage_costs.of_fast_path(self._conversion.shape, self._image, plan, self._encoder))
        notes = metadata.metadata_for(self._image, self._options)
        meter.advance("decode", 0.0)
        with self._encoder.open_planes(self._image.size, self._options) as planes:
            jpeg_fast_path.read_into(planes, self._source, self._image, plan, lambda share: meter.advance("decode", share))
            meter.advance("transform", 0.0)
            meter.advance("encode", 0.0)
            with planes.encode(notes, lambda share: meter.advance("encode", share)) as encoded:
                return self._write(encoded, plan.geometry.canvas, meter)

    def _convert_animation(self) -> Converted:
        """Frame by frame, so that one canvas is in memory and not all. Frames are decoded in between, so all of it is the stage ``encode``."""
        meter = self._meter({"encode": 1.0})
        meter.advance("encode", 0.0)
        decode.load(self._image)
        plan = self._plan()
        animation = Animation(plan.geometry.canvas, play_count(self._image), self._conversion.shape.frames, lambda: self._read_frames(plan))
        notes = metadata.metadata_for(self._image, self._options)
        with self._encoder.encode_animation(animation, notes, self._options, lambda share: meter.advance("encode", share)) as encoded:
            return self._write(encoded, plan.geometry.canvas, meter)

    def _read_frames(self, plan: Plan) -> Iterator[Frame]:
        for frame in read_frames(self._image, self._conversion.limits):
            yield replace(frame, image=steps.transform(frame.image, plan, lambda _share: None))

    def _meter(self, costs: Mapping[Stage, float]) -> Meter:
        return Meter(costs, self._on_progress, self._conversion.report_every_s)

    def _write(self, encoded: Encoded, size: Size, meter: Meter) -> Converted:
        written_bytes = write(self._result_fd, encoded.parts)
        return Converted(written_bytes, *size, encoded.frame_count, {**encoded.facts, "seconds": meter.finish()})

    def _decode(self, meter: Meter) -> Image.Image:
        image = self._image
        meter.advance("decode", 0.0)
        if sixteen_bit.is_grey_with_alpha(image):
            sixteen_bit.decode_as_bytes(image)
            self._read(image, lambda share: meter.advance("decode", share))
            return sixteen_bit.merge_bytes(image)
        if not sixteen_bit.is_colour(image):
            self._read(image, lambda share: meter.advance("decode", share))
            return image
        low = decode.open_image(self._source.buffered(), self._conversion.shape, self._conversion.limits)
        sixteen_bit.exchange_bytes(low)
        self._read(image, lambda share: meter.advance("decode", share / 2))
        self._read(low, lambda share: meter.advance("decode", (1 + share) / 2))
        return sixteen_bit.round_to_eight_bits(image, low)

    def _read(self, image: Image.Image, on_share: Callable[[float], None]) -> None:
        self._source.on_read = on_share if image.format in stage_costs.READ_AS_DECODED else None
        decode.load(image)
        self._source.on_read = None
