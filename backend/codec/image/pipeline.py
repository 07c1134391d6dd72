"""One conversion from descriptor to descriptor: decode, transform, encode. Runs in the child, sealed or not.

Every stage drops what the one before it held, so that the peak of memory is the largest stage's and not the sum of all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from PIL import Image

from backend.codec.encoders.encoder import Animation, BytePair, Encoded, Encoder, Facts, Frame
from backend.codec.encoders.quality_scale import with_native_quality
from backend.codec.encoders.registry import encoder_for
from backend.codec.encoders.registry import preload as preload_encoders
from backend.codec.geometry import IntBox, check_geometry
from backend.codec.image import colour, decode, jpeg_fast_path, originals, placeholder, stage_costs, steps
from backend.codec.image.mark import Mark
from backend.codec.image.notes import metadata
from backend.codec.image.notes.notes import Notes
from backend.codec.image.orientation import as_stored
from backend.codec.image.planning import View, plan_for
from backend.codec.image.readers import open_picture
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Plan, Traits
from backend.codec.image.trim import Trimmer
from backend.codec.native.source import Source
from backend.codec.progress.meter import EncodeMeter, Meter
from backend.codec.result_file import write
from backend.core.conversion import Conversion, Converted, Progress, Stage

OnProgress = Callable[[Progress], None]


def preload() -> None:
    """Load every decoder, step and encoder: a sealed child can open no file."""
    decode.preload()
    steps.load()
    preload_encoders()


def convert(source: Source, result_fd: int, conversion: Conversion, on_progress: OnProgress, mark: Source | None = None) -> Converted:
    """``mark`` is the file of the watermark. Raises errors of the contract, and what a decoder raises while it opens the file."""
    watermark, name = conversion.watermark, conversion.options.watermark
    own = Mark(mark, watermark.placement, name) if mark and watermark else None
    return _Pipeline(source, result_fd, conversion, on_progress, own).convert()


class _Pipeline:
    def __init__(self, source: Source, result_fd: int, conversion: Conversion, on_progress: OnProgress, mark: Mark | None) -> None:
        self._source, self._result_fd, self._on_progress, self._mark = source, result_fd, on_progress, mark
        self._began_s = time.monotonic()
        self._conversion, self._options = conversion, with_native_quality(conversion.options)
        self._encoder: Encoder = encoder_for(conversion.output)
        self._picture = open_picture(source, conversion.shape, conversion.limits)
        self._applied = self._picture.applied_orientation
        self._placeholder: Facts = {}

    def convert(self) -> Converted:
        keeps_frames = self._options.animation == "keep" and self._conversion.output.has_animation
        if self._conversion.shape.frames > 1 and keeps_frames:
            return self._convert_animation()
        plan = self._plan(is_certain=self._picture.is_reducible)
        if jpeg_fast_path.is_for(self._picture, plan, self._encoder):
            return self._convert_by_fast_path(plan)
        if self._keeps_sixteen_bits(plan):
            return self._convert_sixteen_bits(plan)
        return self._convert_still(plan)

    def _keeps_sixteen_bits(self, plan: Plan) -> bool:
        """Where the source and the format have them, and nothing is computed on the way but colours. Scaling is done in 8 bits."""
        mode = self._picture.pair_mode if self._conversion.output.has_sixteen_bits and self._options.colors is None else None
        if mode is None or plan.is_open or plan.seeks:
            return False
        given = plan if not colour.changes_colours(mode, plan.profile) else replace(plan, profile=None)
        return steps.keep_samples(Traits(self._picture.size, mode), given) and (given is plan or colour.has_pair_for(mode, plan.profile))

    def _plan(self, kept: IntBox | None = None, *, is_certain: bool = True) -> Plan:
        """Raises ``InvalidOption`` (side, crop_outside) and ``TooManyPixels``."""
        plan = replace(plan_for(self._conversion, self._view(is_certain=is_certain), kept), mark=self._mark)
        if not plan.is_open:
            check_geometry(plan.geometry, self._conversion.output, self._conversion.limits)
        return plan

    def _view(self, *, is_certain: bool = True) -> View:
        picture = self._picture
        return View(picture.size, picture.exif_orientation, self._applied, picture.profile or None, is_certain=is_certain)

    def _convert_still(self, plan: Plan) -> Converted:
        if steps.may_decode_smaller(self._picture.traits, plan):
            plan = _reduced(self._picture, plan)
        picture, shape = self._picture, self._conversion.shape
        meter = self._meter(stage_costs.of_still(shape, picture.traits, plan, self._encoder, is_progressive=picture.is_progressive))
        meter.advance("decode", 0.0)
        decoded = picture.read(lambda share: meter.advance("decode", share))
        if not picture.is_reducible:
            plan = self._plan()
        carried = self._carry_notes()
        meter.advance("transform", 0.0)
        plan, looked = self._trim(decoded, plan, meter)
        result = steps.transform(decoded, plan, lambda share: meter.advance("transform", looked + (1 - looked) * share))
        self._placeholder = placeholder.of_image(result)
        meter.advance("encode", 0.0)
        with self._encoder.encode_still(result, carried.metadata, self._options, self._encode_meter(meter)) as encoded:
            return self._write(encoded, plan, carried, meter)

    def _trim(self, decoded: Image.Image, plan: Plan, meter: Meter) -> tuple[Plan, float]:
        """The final plan, and the share of the stage ``transform`` that it took to know what is trimmed."""
        if not plan.is_open:
            return plan, 0.0
        look_share = stage_costs.share_of_trim(Traits.of(decoded), plan)
        trimmer = self._trimmer()
        trimmer.look(decoded, lambda share: meter.advance("transform", look_share * share))
        return self._plan(trimmer.kept), look_share

    def _trimmer(self) -> Trimmer:
        assert self._options.trim is not None
        view = self._view()
        box = view.part(self._options)
        return Trimmer(box, view.first_corner(box, self._options), self._options.trim)

    def _convert_sixteen_bits(self, plan: Plan) -> Converted:
        """The high and the low bytes are two pictures until they are written."""
        picture = self._picture
        meter = self._meter(stage_costs.of_still(self._conversion.shape, picture.traits, plan, self._encoder))
        meter.advance("decode", 0.0)
        pair = picture.read_pair(lambda share: meter.advance("decode", share))
        carried = self._carry_notes()
        meter.advance("transform", 0.0)
        if colour.changes_colours(pair.high.mode, plan.profile):
            colour.pair_to_srgb(pair, plan.profile, lambda share: meter.advance("transform", share / 2))
            plan = replace(plan, profile=None)
        high = steps.transform(pair.high, plan, lambda share: meter.advance("transform", (2 + share) / 4))
        low = steps.transform(pair.low, plan, lambda share: meter.advance("transform", (3 + share) / 4))
        self._placeholder = placeholder.of_image(high)
        meter.advance("encode", 0.0)
        with self._encoder.encode_sixteen_bits(BytePair(high, low), carried.metadata, lambda share: meter.advance("encode", share)) as encoded:
            return self._write(encoded, plan, carried, meter)

    def _convert_by_fast_path(self, plan: Plan) -> Converted:
        """Colours and orientation are a part of the stage ``decode``; the stage ``transform`` is empty."""
        picture, shape = self._picture, self._conversion.shape
        meter = self._meter(stage_costs.of_fast_path(shape, picture.traits, plan, self._encoder, is_progressive=picture.is_progressive))
        carried = self._carry_notes()
        meter.advance("decode", 0.0)
        with self._encoder.open_planes(picture.size, self._options) as planes:
            jpeg_fast_path.read_into(planes, self._source, picture, plan, lambda share: meter.advance("decode", share))
            meter.advance("transform", 0.0)
            self._placeholder = placeholder.of_planes(planes, plan.geometry.canvas)
            meter.advance("encode", 0.0)
            with planes.encode(carried.metadata, lambda share: meter.advance("encode", share)) as encoded:
                return self._write(encoded, plan, carried, meter)

    def _convert_animation(self) -> Converted:
        """Frame by frame, so that one canvas is in memory and not all. Frames are decoded in between, as a part of the stage ``encode``."""
        self._picture.learn()
        plan = self._plan()
        meter = self._meter(stage_costs.of_animation(self._conversion.shape, self._picture.traits, plan))
        plan = self._settle(plan, meter)
        meter.advance("encode", 0.0)
        animation = Animation(plan.geometry.canvas, self._picture.play_count, self._conversion.shape.frames, lambda: self._read_frames(plan))
        carried = self._carry_notes()
        with self._encoder.encode_animation(animation, carried.metadata, self._options, self._encode_meter(meter)) as encoded:
            return self._write(encoded, plan, carried, meter)

    def _settle(self, plan: Plan, meter: Meter) -> Plan:
        """One place for all frames: what ``trim`` leaves by a look at each of them, and what a gravity finds in the first."""
        if plan.is_open:
            meter.advance("decode", 0.0)
            trimmer, frames = self._trimmer(), self._conversion.shape.frames
            for number, frame in enumerate(self._picture.read_frames(), start=1):
                with frame.image:
                    trimmer.look(frame.image, lambda _share: None)
                meter.advance("decode", number / frames)
            plan = self._plan(trimmer.kept)
        return steps.settled(next(self._picture.read_frames()).image, plan) if plan.seeks else plan

    def _read_frames(self, plan: Plan) -> Iterator[Frame]:
        """The placeholder is that of the first one."""
        for frame in self._picture.read_frames():
            image = steps.transform(frame.image, plan, lambda _share: None)
            self._placeholder = self._placeholder or placeholder.of_image(image)
            yield replace(frame, image=image)

    def _carry_notes(self) -> metadata.Carried:
        """To be called once the pixels are read, or for a JPEG."""
        is_wanted = self._options.metadata != "none"
        return metadata.carry(self._picture.notes if is_wanted else Notes(extras=self._picture.extras), self._options)

    def _meter(self, costs: Mapping[Stage, float]) -> Meter:
        return Meter(costs, self._on_progress, self._conversion.report_every_s)

    def _encode_meter(self, meter: Meter) -> EncodeMeter:
        return EncodeMeter(meter, self._conversion.timeout_s - (time.monotonic() - self._began_s))

    def _write(self, encoded: Encoded, plan: Plan, carried: metadata.Carried, meter: Meter) -> Converted:
        own = self._original(encoded, plan)
        given, dropped = (own.encoded, own.dropped) if own else (encoded, carried.dropped)
        written_bytes = write(self._result_fd, given.parts)
        scaled = {"quality": self._options.quality} if not own and self._options.quality != self._conversion.options.quality else {}
        facts = {**scaled, **given.facts, **({"dropped": list(dropped)} if dropped else {}), **self._placeholder}
        return Converted(written_bytes, *plan.geometry.canvas, given.frame_count, {**facts, "seconds": meter.finish()})

    def _original(self, encoded: Encoded, plan: Plan) -> originals.Original | None:
        """The source's own file, where ``encoded`` is larger and it may be given instead."""
        if not self._conversion.may_give_original or sum(map(len, encoded.parts)) <= self._source.size_bytes:
            return None
        return originals.original_for(self._picture, self._source, plan, self._conversion)


def _reduced(picture: Picture, plan: Plan) -> Plan:
    """Have the picture decoded at a fraction of its size, where that is enough; the plan for what comes of it."""
    width, height = picture.size
    left, top, right, bottom = plan.box or (0, 0, width, height)
    scaled = as_stored(plan.geometry.scaled, plan.orientation)
    whole = picture.reduce((math.ceil(scaled[0] * width / (right - left)), math.ceil(scaled[1] * height / (bottom - top))))
    if whole is None:
        return plan
    across, down = whole[2] / width, whole[3] / height
    return replace(plan, box=(left * across, top * down, right * across, bottom * down))
