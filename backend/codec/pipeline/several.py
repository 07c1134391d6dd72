"""Several results from one decode.

They are made the cheapest first, so that the first is there long before the last. What another way of decoding is for (an animation, 16 bits a
sample, a single result) is converted by itself, after the others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PIL import Image

from backend.codec.image import saliency, stage_costs, steps
from backend.codec.image.cascade import Cascade, upright
from backend.codec.image.readers import open_picture
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Mark, Traits
from backend.codec.native.source import Source
from backend.codec.pipeline.output import Output, reduced
from backend.codec.pipeline.single import OnProgress, Single, trimmed_box
from backend.codec.pipeline.variant import Variant, largest, split
from backend.codec.progress.meter import EncodeMeter, Meter
from backend.codec.result_file import write
from backend.core.conversion import Conversion, Converted, Made, Progress, Stage
from backend.core.variants import conversions


class FailedIn(Exception):
    """A conversion that is a part of another one has failed in this stage of its own. The cause is what it raised."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.stage = stage


OnMade = Callable[[Made], None]


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
        variants = [Variant(n, each, each.plan(is_certain=picture.is_reducible)) for n, each in enumerate(outputs)]
        together, apart = split(variants, lambda each: not each.is_apart)
        if len(together) == 1:
            together, apart = [], variants
        meter = self._meter(picture, together, apart)
        done_ms = self._convert_together(picture, together, meter) if together else 0.0
        self._convert_apart(apart, meter, done_ms)
        return self._made[0].converted

    def _meter(self, picture: Picture, together: list[Variant], apart: list[Variant]) -> Meter:
        """Sets what each variant costs, in the stage ``encode``."""
        shape = self._conversion.shape
        for each in together:
            each.cost_ms = each.encode_ms(picture.traits)
        for each in apart:
            each.cost_ms = sum(stage_costs.of_still(shape, picture.traits, each.plan, each.output.encoder).values()) * shape.frames
        costs: dict[Stage, float] = {}
        if together:
            first = largest(together)
            costs = stage_costs.of_still(shape, picture.traits, first.plan, first.output.encoder, is_progressive=picture.is_progressive)
        costs["encode"] = sum(each.cost_ms for each in (*together, *apart))
        return Meter(costs, self._on_progress, self._conversion.report_every_s)

    # Stills: one decode.

    def _convert_together(self, picture: Picture, variants: list[Variant], meter: Meter) -> float:
        """What of the stage ``encode`` is done then, as the variants' costs are counted."""
        if all(steps.may_decode_smaller(picture.traits, each.plan) for each in variants):
            for each, plan in zip(variants, reduced(picture, [each.plan for each in variants]), strict=True):
                each.plan = plan
        meter.advance("decode", 0.0)
        decoded = picture.read(lambda share: meter.advance("decode", share))
        meter.advance("transform", 0.0)
        self._settle(picture, variants, decoded, meter)
        own, copies = split(variants, lambda each: each.is_first_in(variants))
        likes = {each.number: next(first.number for first in own if first.gives_the_same(each)) for each in copies}
        cascade = self._scale(decoded, own, meter)
        meter.advance("encode", 0.0)
        self._check_time(own, cascade)
        done_ms = self._encode(own, cascade, meter)
        self._copy(likes)
        return done_ms + sum(each.cost_ms for each in copies)

    def _settle(self, picture: Picture, variants: list[Variant], decoded: Image.Image, meter: Meter) -> None:
        """The final plans."""
        first = variants[0]
        if first.plan.is_open:
            kept = trimmed_box(first.output, decoded, first.plan, meter)
            for each in variants:
                each.plan = each.output.plan(kept)
        elif not picture.is_reducible:
            for each in variants:
                each.plan = each.output.plan()

    def _scale(self, decoded: Image.Image, variants: list[Variant], meter: Meter) -> Cascade:
        """What a gravity finds in the largest holds for all: the results of one picture show one part of it."""
        cascade = Cascade(decoded, largest(variants).plan)
        sizes = {each.size: each.plan for each in variants}
        for number, size in enumerate(cascade.make(sizes.values()), start=1):
            meter.advance("transform", number / len(sizes))
            if number == 1:
                self._place(variants, cascade.image(size))
        for each in variants:
            each.plan = upright(each.plan)
        return cascade

    def _place(self, variants: list[Variant], image: Image.Image) -> None:
        seeking = [each for each in variants if each.plan.seeks]
        if not seeking:
            return
        plan = largest(seeking).plan
        assert plan.seeks is not None
        centre = saliency.centre_of(saliency.placed(image, plan.geometry, plan.seeks))
        for each in seeking:
            each.plan = replace(each.plan, geometry=saliency.placed_at(each.plan.geometry, centre), seeks=None)

    def _check_time(self, variants: list[Variant], cascade: Cascade) -> None:
        """Refuse at once what cannot end in time, and not when most of the results are made."""
        total_ms = sum(each.cost_ms for each in variants)
        for output_format in {each.output.conversion.output.name for each in variants}:
            slowest = max((each for each in variants if each.output.conversion.output.name == output_format), key=lambda each: each.cost_ms)
            share = slowest.cost_ms / total_ms
            slowest.output.encoder.check_time(cascade.image(slowest.size), slowest.output.options, share, self._left_s())

    def _encode(self, variants: list[Variant], cascade: Cascade, meter: Meter) -> float:
        total_ms, done_ms = meter.cost_ms("encode"), 0.0
        ordered = sorted(variants, key=lambda each: each.cost_ms)
        for place, each in enumerate(ordered):
            is_last = all(other.size != each.size for other in ordered[place + 1 :])
            image = cascade.take(each.size) if is_last else cascade.image(each.size).copy()
            limit_s = self._left_s() * (each.cost_ms / (total_ms - done_ms) if each.is_search else 1.0)
            part = EncodeMeter(meter, limit_s).part(done_ms / total_ms, each.cost_ms / total_ms)
            self._encode_one(each, image, part)
            done_ms += each.cost_ms
        return done_ms

    def _encode_one(self, variant: Variant, image: Image.Image, part: EncodeMeter) -> None:
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

    def _convert_apart(self, variants: list[Variant], meter: Meter, done_ms: float) -> None:
        total_ms = meter.cost_ms("encode")
        for each in sorted(variants, key=lambda each: each.cost_ms):
            conversion = replace(each.output.conversion, timeout_s=self._left_s())
            report = partial(_report_part, meter, done_ms / total_ms, each.cost_ms / total_ms)
            self._note(each.number, self._convert_by_itself(conversion, report))
            done_ms += each.cost_ms

    def _convert_by_itself(self, conversion: Conversion, report: OnProgress) -> Converted:
        """From a file of its own, since a decoder closes the one that it is given. Raises ``FailedIn``."""
        stage: Stage = "decode"

        def note(progress: Progress) -> None:
            nonlocal stage
            stage = progress.stage
            report(progress)

        again = self._source.part(0, self._source.size_bytes)
        try:
            return Single(again, self._result_fd, conversion, note, self._written_bytes, self._mark).convert()
        except Exception as error:  # whatever it is: only the stage is added
            raise FailedIn(stage) from error

    def _copy(self, likes: dict[int, int]) -> None:
        """By the number of the copy: the number of the variant that it is like."""
        for number, like in likes.items():
            made = self._made[like]
            write(self._result_fd, [os.pread(self._result_fd, made.converted.bytes, made.at)], self._written_bytes)
            facts = {name: value for name, value in made.converted.facts.items() if name != "seconds"}
            self._note(number, replace(made.converted, facts=facts))

    def _note(self, number: int, converted: Converted) -> None:
        self._made[number] = Made(number, self._written_bytes, converted)
        self._on_made(self._made[number])
        self._written_bytes += converted.bytes

    def _left_s(self) -> float:
        return max(0.1, self._conversion.timeout_s - (time.monotonic() - self._began_s))


def _report_part(meter: Meter, start: float, width: float, progress: Progress) -> None:
    """A whole conversion as a part of the stage ``encode``."""
    share = start + width * progress.percent / 100
    if progress.silence is None:
        meter.advance("encode", share)
    else:
        meter.announce("encode", share, start + width * progress.silence.until_percent / 100, progress.silence.cpu_s)
