"""One result from one source: decode, transform, encode.

Every stage drops what the one before it held, so that the peak of memory is the largest stage's and not the sum of all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from PIL import Image

from backend.codec.encoders.encoder import Animation, BytePair, Encoded, Frame
from backend.codec.geometry import IntBox
from backend.codec.image import colour, jpeg_fast_path, placeholder, stage_costs, steps
from backend.codec.image.notes import metadata
from backend.codec.image.readers import open_picture
from backend.codec.image.steps.step import Mark, Plan, Traits
from backend.codec.native.source import Source
from backend.codec.pipeline.output import Output, reduced
from backend.codec.progress.meter import EncodeMeter, Meter
from backend.core.conversion import Conversion, Converted, Progress, Stage

OnProgress = Callable[[Progress], None]


class Single:
    """A conversion with one result."""

    def __init__(
        self, source: Source, result_fd: int, conversion: Conversion, on_progress: OnProgress, start: int = 0, mark: Mark | None = None
    ) -> None:
        """The result is written from ``start`` on."""
        self._source, self._result_fd, self._start, self._on_progress = source, result_fd, start, on_progress
        self._began_s = time.monotonic()
        self._conversion = conversion
        self._picture = open_picture(source, conversion.shape, conversion.limits)
        self._output = Output(self._picture, source, conversion, mark)
        self._encoder, self._options = self._output.encoder, self._output.options

    def convert(self) -> Converted:
        if self._output.keeps_frames:
            return self._convert_animation()
        plan = self._output.plan(is_certain=self._picture.is_reducible)
        if jpeg_fast_path.is_for(self._picture, plan, self._encoder):
            return self._convert_by_fast_path(plan)
        if self._output.keeps_sixteen_bits(plan):
            return self._convert_sixteen_bits(plan)
        return self._convert_still(plan)

    def _convert_still(self, plan: Plan) -> Converted:
        if steps.may_decode_smaller(self._picture.traits, plan):
            (plan,) = reduced(self._picture, [plan])
        picture, shape = self._picture, self._conversion.shape
        meter = self._meter(stage_costs.of_still(shape, picture.traits, plan, self._encoder, is_progressive=picture.is_progressive))
        meter.advance("decode", 0.0)
        decoded = picture.read(lambda share: meter.advance("decode", share))
        if not picture.is_reducible:
            plan = self._output.plan()
        carried = self._output.carry_notes()
        meter.advance("transform", 0.0)
        looked = 0.0
        if plan.is_open:
            looked = stage_costs.share_of_trim(Traits.of(decoded), plan)
            plan = self._output.plan(trimmed_box(self._output, decoded, plan, meter))
        result = steps.transform(decoded, plan, lambda share: meter.advance("transform", looked + (1 - looked) * share))
        self._output.note_pixels(result)
        meter.advance("encode", 0.0)
        with self._encoder.encode_still(result, carried.metadata, self._options, self._encode_meter(meter)) as encoded:
            return self._write(encoded, plan, carried, meter)

    def _convert_sixteen_bits(self, plan: Plan) -> Converted:
        """The high and the low bytes are two pictures until they are written."""
        picture = self._picture
        meter = self._meter(stage_costs.of_still(self._conversion.shape, picture.traits, plan, self._encoder))
        meter.advance("decode", 0.0)
        pair = picture.read_pair(lambda share: meter.advance("decode", share))
        carried = self._output.carry_notes()
        meter.advance("transform", 0.0)
        if colour.changes_colours(pair.high.mode, plan.profile):
            colour.pair_to_srgb(pair, plan.profile, lambda share: meter.advance("transform", share / 2))
            plan = replace(plan, profile=None)
        high = steps.transform(pair.high, plan, lambda share: meter.advance("transform", (2 + share) / 4))
        low = steps.transform(pair.low, plan, lambda share: meter.advance("transform", (3 + share) / 4))
        self._output.note_pixels(high)
        meter.advance("encode", 0.0)
        with self._encoder.encode_sixteen_bits(BytePair(high, low), carried.metadata, lambda share: meter.advance("encode", share)) as encoded:
            return self._write(encoded, plan, carried, meter)

    def _convert_by_fast_path(self, plan: Plan) -> Converted:
        """Scaling, colours and orientation are a part of the stage ``decode``; the stage ``transform`` is empty."""
        (plan,) = reduced(self._picture, [plan])
        picture, shape = self._picture, self._conversion.shape
        meter = self._meter(stage_costs.of_fast_path(shape, picture.traits, plan, self._encoder, is_progressive=picture.is_progressive))
        carried = self._output.carry_notes()
        meter.advance("decode", 0.0)
        with self._encoder.open_planes(jpeg_fast_path.stored_size(plan), self._options) as planes:
            jpeg_fast_path.read_into(planes, self._source, picture, plan, lambda share: meter.advance("decode", share))
            meter.advance("transform", 0.0)
            self._output.note_placeholder(placeholder.of_planes(planes, plan.geometry.canvas))
            meter.advance("encode", 0.0)
            with planes.encode(carried.metadata, lambda share: meter.advance("encode", share)) as encoded:
                return self._write(encoded, plan, carried, meter)

    def _convert_animation(self) -> Converted:
        """Frame by frame, so that one canvas is in memory and not all. Frames are decoded in between, as a part of the stage ``encode``."""
        self._picture.learn()
        plan = self._output.plan()
        meter = self._meter(stage_costs.of_animation(self._conversion.shape, self._picture.traits, plan))
        plan = self._settle(plan, meter)
        meter.advance("encode", 0.0)
        animation = Animation(plan.geometry.canvas, self._picture.play_count, self._conversion.shape.frames, lambda: self._read_frames(plan))
        carried = self._output.carry_notes()
        with self._encoder.encode_animation(animation, carried.metadata, self._options, self._encode_meter(meter)) as encoded:
            return self._write(encoded, plan, carried, meter)

    def _settle(self, plan: Plan, meter: Meter) -> Plan:
        """One place for all frames: what ``trim`` leaves by a look at each of them, and what a gravity finds in the first."""
        if plan.is_open:
            meter.advance("decode", 0.0)
            trimmer, frames = self._output.trimmer(), self._conversion.shape.frames
            for number, frame in enumerate(self._picture.read_frames(), start=1):
                with frame.image:
                    trimmer.look(frame.image, lambda _share: None)
                meter.advance("decode", number / frames)
            plan = self._output.plan(trimmer.kept)
        return steps.settled(next(self._picture.read_frames()).image, plan) if plan.seeks else plan

    def _read_frames(self, plan: Plan) -> Iterator[Frame]:
        """The placeholder is that of the first one."""
        for frame in self._picture.read_frames():
            image = steps.transform(frame.image, plan, lambda _share: None)
            self._output.note_pixels(image)
            yield replace(frame, image=image)

    def _meter(self, costs: Mapping[Stage, float]) -> Meter:
        return Meter(costs, self._on_progress, self._conversion.report_every_s)

    def _encode_meter(self, meter: Meter) -> EncodeMeter:
        return EncodeMeter(meter, self._conversion.timeout_s - (time.monotonic() - self._began_s))

    def _write(self, encoded: Encoded, plan: Plan, carried: metadata.Carried, meter: Meter) -> Converted:
        return self._output.write(self._result_fd, encoded, plan, carried, meter.lap(), self._start)


def trimmed_box(output: Output, decoded: Image.Image, plan: Plan, meter: Meter) -> IntBox:
    """What ``trim`` leaves. To know it is a part of the stage ``transform``."""
    look_share = stage_costs.share_of_trim(Traits.of(decoded), plan)
    trimmer = output.trimmer()
    trimmer.look(decoded, lambda share: meter.advance("transform", look_share * share))
    return trimmer.kept
