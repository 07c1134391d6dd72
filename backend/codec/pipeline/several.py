"""Several results from one decode.

They are made the cheapest first, so that the first is there long before the last. What another way of decoding is for (an animation, 16 bits a
sample, a single result) is converted by itself, after the others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from backend.codec.image import saliency, stage_costs, steps
from backend.codec.image.cascade import Cascade, upright
from backend.codec.image.readers import open_picture
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Mark, Plan, Traits
from backend.codec.native.source import Source
from backend.codec.pipeline.output import Output, reduced
from backend.codec.pipeline.single import OnProgress, Single, trimmed_box
from backend.codec.progress.meter import EncodeMeter, Meter
from backend.codec.result_file import write
from backend.core.conversion import Conversion, Converted, Made, Progress, Stage
from backend.core.variants import conversions

OnMade = Callable[[Made], None]


@dataclass(slots=True)
class _Variant:
    number: int
    output: Output
    plan: Plan
    cost_ms: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        return self.plan.geometry.scaled

    @property
    def is_apart(self) -> bool:
        return self.output.keeps_frames or self.output.keeps_sixteen_bits(self.plan)

    def is_first_in(self, variants: list[_Variant]) -> bool:
        return next(each for each in variants if each.gives_the_same(self)) is self

    def gives_the_same(self, other: _Variant) -> bool:
        """Of two widths that the picture does not have, each gives the width that it has."""
        is_alike = replace(self.output.options, width=None) == replace(other.output.options, width=None)
        return self is other or (is_alike and not self.plan.is_open and self.plan.geometry == other.plan.geometry)


class Several:
    """A conversion with variants."""

    def __init__(
        self, source: Source, result_fd: int, conversion: Conversion, on_progress: OnProgress, on_made: OnMade, mark: Mark | None = None
    ) -> None:
        """All results are written into one file, one after the other."""
        self._source, self._result_fd, self._conversion = source, result_fd, conversion
        self._on_progress, self._on_made, self._mark = on_progress, on_made, mark
        self._began_s = time.monotonic()
        self._written_bytes = 0
        self._made: dict[int, Made] = {}

    def convert(self) -> Converted:
        """The first of them, in the order asked for."""
        picture = open_picture(self._source, self._conversion.shape, self._conversion.limits)
        outputs = [Output(picture, self._source, each, self._mark) for each in conversions(self._conversion)]
        variants = [_Variant(n, each, each.plan(is_certain=picture.is_reducible)) for n, each in enumerate(outputs)]
        own, copies = _split(variants, lambda each: each.is_first_in(variants))
        together, apart = _split(own, lambda each: not each.is_apart)
        if len(together) == 1:
            together, apart = [], own
        meter = self._meter(picture, together, apart)
        done_ms = self._convert_together(picture, together, meter) if together else 0.0
        self._convert_apart(apart, meter, done_ms)
        self._copy(copies, own)
        return self._made[0].converted

    def _meter(self, picture: Picture, together: list[_Variant], apart: list[_Variant]) -> Meter:
        """Sets what each variant costs, in the stage ``encode``."""
        shape = self._conversion.shape
        for each in together:
            each.cost_ms = _encode_ms(each, picture.traits)
        for each in apart:
            each.cost_ms = sum(stage_costs.of_still(shape, picture.traits, each.plan, each.output.encoder).values()) * shape.frames
        costs: dict[Stage, float] = {}
        if together:
            largest = _largest(together)
            costs = stage_costs.of_still(shape, picture.traits, largest.plan, largest.output.encoder, is_progressive=picture.is_progressive)
        costs["encode"] = sum(each.cost_ms for each in (*together, *apart))
        return Meter(costs, self._on_progress, self._conversion.report_every_s)

    # Stills: one decode.

    def _convert_together(self, picture: Picture, variants: list[_Variant], meter: Meter) -> float:
        """What of the stage ``encode`` is done then, as the variants' costs are counted."""
        if all(steps.may_decode_smaller(picture.traits, each.plan) for each in variants):
            for each, plan in zip(variants, reduced(picture, [each.plan for each in variants]), strict=True):
                each.plan = plan
        meter.advance("decode", 0.0)
        decoded = picture.read(lambda share: meter.advance("decode", share))
        meter.advance("transform", 0.0)
        self._settle(picture, variants, decoded, meter)
        cascade = self._scale(decoded, variants, meter)
        meter.advance("encode", 0.0)
        self._check_time(variants, cascade)
        return self._encode(variants, cascade, meter)

    def _settle(self, picture: Picture, variants: list[_Variant], decoded: Image.Image, meter: Meter) -> None:
        """The final plans."""
        first = variants[0]
        if first.plan.is_open:
            kept = trimmed_box(first.output, decoded, first.plan, meter)
            for each in variants:
                each.plan = each.output.plan(kept)
        elif not picture.is_reducible:
            for each in variants:
                each.plan = each.output.plan()

    def _scale(self, decoded: Image.Image, variants: list[_Variant], meter: Meter) -> Cascade:
        """What a gravity finds in the largest holds for all: the results of one picture show one part of it."""
        cascade = Cascade(decoded, _largest(variants).plan)
        sizes = {each.size: each.plan for each in variants}
        for number, size in enumerate(cascade.make(sizes.values()), start=1):
            meter.advance("transform", number / len(sizes))
            if number == 1:
                self._place(variants, cascade.image(size))
        for each in variants:
            each.plan = upright(each.plan)
        return cascade

    def _place(self, variants: list[_Variant], image: Image.Image) -> None:
        seeking = [each for each in variants if each.plan.seeks]
        if not seeking:
            return
        largest = _largest(seeking)
        assert largest.plan.seeks is not None
        centre = saliency.centre_of(saliency.placed(image, largest.plan.geometry, largest.plan.seeks))
        for each in seeking:
            each.plan = replace(each.plan, geometry=saliency.placed_at(each.plan.geometry, centre), seeks=None)

    def _check_time(self, variants: list[_Variant], cascade: Cascade) -> None:
        """Refuse at once what cannot end in time, and not when most of the results are made."""
        total_ms = sum(each.cost_ms for each in variants)
        for output_format in {each.output.conversion.output.name for each in variants}:
            slowest = max((each for each in variants if each.output.conversion.output.name == output_format), key=lambda each: each.cost_ms)
            share = slowest.cost_ms / total_ms
            slowest.output.encoder.check_time(cascade.image(slowest.size), slowest.output.options, share, self._left_s())

    def _encode(self, variants: list[_Variant], cascade: Cascade, meter: Meter) -> float:
        total_ms, done_ms = meter.cost_ms("encode"), 0.0
        ordered = sorted(variants, key=lambda each: each.cost_ms)
        for place, each in enumerate(ordered):
            is_last = all(other.size != each.size for other in ordered[place + 1 :])
            image = cascade.take(each.size) if is_last else cascade.image(each.size).copy()
            limit_s = self._left_s() * (each.cost_ms / (total_ms - done_ms) if _is_search(each.output) else 1.0)
            part = EncodeMeter(meter, limit_s).part(done_ms / total_ms, each.cost_ms / total_ms)
            self._encode_one(each, image, part)
            done_ms += each.cost_ms
        return done_ms

    def _encode_one(self, variant: _Variant, image: Image.Image, part: EncodeMeter) -> None:
        output, plan = variant.output, variant.plan
        finish_share = min(0.9, steps.finish_ms(Traits.of(image), plan) / variant.cost_ms)
        result = steps.finished(image, plan, lambda share: part(finish_share * share))
        output.note_pixels(result)
        carried = output.carry_notes()
        rest = part.part(finish_share, 1 - finish_share)
        with output.encoder.encode_still(result, carried.metadata, output.options, rest) as encoded:
            part(1.0)
            self._note(variant.number, output.write(self._result_fd, encoded, plan, carried, part.meter.lap(), self._written_bytes))

    # Each by itself.

    def _convert_apart(self, variants: list[_Variant], meter: Meter, done_ms: float) -> None:
        total_ms = meter.cost_ms("encode")
        for each in sorted(variants, key=lambda each: each.cost_ms):
            conversion = replace(each.output.conversion, timeout_s=self._left_s())
            report = partial(_report_part, meter, done_ms / total_ms, each.cost_ms / total_ms)
            converted = Single(self._source, self._result_fd, conversion, report, self._written_bytes, self._mark).convert()
            self._note(each.number, converted)
            done_ms += each.cost_ms

    def _copy(self, copies: list[_Variant], own: list[_Variant]) -> None:
        for each in copies:
            like = self._made[next(other.number for other in own if other.gives_the_same(each))]
            write(self._result_fd, [os.pread(self._result_fd, like.converted.bytes, like.at)], self._written_bytes)
            facts = {name: value for name, value in like.converted.facts.items() if name != "seconds"}
            self._note(each.number, replace(like.converted, facts=facts))

    def _note(self, number: int, converted: Converted) -> None:
        self._made[number] = Made(number, self._written_bytes, converted)
        self._on_made(self._made[number])
        self._written_bytes += converted.bytes

    def _left_s(self) -> float:
        return max(0.1, self._conversion.timeout_s - (time.monotonic() - self._began_s))


def _split(variants: list[_Variant], is_in_first: Callable[[_Variant], bool]) -> tuple[list[_Variant], list[_Variant]]:
    return [each for each in variants if is_in_first(each)], [each for each in variants if not is_in_first(each)]


def _is_search(output: Output) -> bool:
    """It makes as many passes as its time allows."""
    return output.options.quality == "auto" or output.options.target_bytes is not None


def _largest(variants: Iterable[_Variant]) -> _Variant:
    return max(variants, key=lambda each: each.size[0] * each.size[1])


def _encode_ms(variant: _Variant, traits: Traits) -> float:
    """From the canvas on."""
    has_alpha = traits.mode in stage_costs.TRANSPARENT or traits.has_colour_key
    encode_ms = variant.output.encoder.cost_ms(variant.plan.options, variant.plan.geometry.pixels, has_alpha=has_alpha)
    return max(1e-6, encode_ms + steps.finish_ms(traits, variant.plan))


def _report_part(meter: Meter, start: float, width: float, progress: Progress) -> None:
    """A whole conversion as a part of the stage ``encode``."""
    share = start + width * progress.percent / 100
    if progress.silence is None:
        meter.advance("encode", share)
    else:
        meter.announce("encode", share, start + width * progress.silence.until_percent / 100, progress.silence.cpu_s)
