"""One result of a conversion: what it is to be, by its options and the opened picture, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from PIL import Image

from backend.codec.encoders.encoder import Encoded, Encoder, Facts
from backend.codec.encoders.quality_scale import with_equal_look, with_native_quality
from backend.codec.encoders.registry import encoder_for
from backend.codec.geometry import IntBox, Size, check_geometry
from backend.codec.image import colour, originals, placeholder, steps
from backend.codec.image.notes import metadata
from backend.codec.image.notes.notes import Notes
from backend.codec.image.orientation import as_stored
from backend.codec.image.planning import View, plan_for
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Mark, Plan, Traits
from backend.codec.image.trim import Trimmer
from backend.codec.native.source import Source
from backend.codec.result_file import write
from backend.core.conversion import Conversion, Converted
from backend.core.options import is_meaningless


class Output:
    """Made once the picture is open, before its pixels are read. ``conversion`` is a plain one, of one result."""

    def __init__(self, picture: Picture, source: Source, conversion: Conversion, mark: Mark | None = None) -> None:
        self.conversion = conversion
        self.options = with_equal_look(with_native_quality(conversion.options), conversion.chosen_method)
        self.encoder: Encoder = encoder_for(conversion.output)
        self._picture, self._source, self._mark = picture, source, mark
        self._applied = picture.applied_orientation
        self._placeholder: Facts = {}

    @property
    def keeps_frames(self) -> bool:
        return self.conversion.shape.frames > 1 and self.options.animation == "keep" and self.conversion.output.has_animation

    def keeps_sixteen_bits(self, plan: Plan) -> bool:
        """Where the source and the format have them, and nothing is computed on the way but colours. Scaling is done in 8 bits."""
        mode = self._picture.pair_mode if self.conversion.output.has_sixteen_bits and self.options.colors is None else None
        if mode is None or plan.is_open or plan.seeks:
            return False
        given = plan if not colour.changes_colours(mode, plan.profile) else replace(plan, profile=None)
        return steps.keep_samples(Traits(self._picture.size, mode), given) and (given is plan or colour.has_pair_for(mode, plan.profile))

    def plan(self, kept: IntBox | None = None, *, is_certain: bool = True) -> Plan:
        """Raises ``InvalidOption`` (side, crop_outside) and ``TooManyPixels``."""
        plan = replace(plan_for(self.conversion, self._view(is_certain=is_certain), kept), mark=self._mark)
        if not plan.is_open:
            check_geometry(plan.geometry, self.conversion.output, self.conversion.limits)
        return plan

    def _view(self, *, is_certain: bool = True) -> View:
        picture = self._picture
        return View(picture.size, picture.exif_orientation, self._applied, picture.profile or None, is_certain=is_certain)

    def trimmer(self) -> Trimmer:
        assert self.options.trim is not None
        view = self._view()
        box = view.part(self.options)
        return Trimmer(box, view.first_corner(box, self.options), self.options.trim)

    def carry_notes(self) -> metadata.Carried:
        """To be called once the pixels are read, or for a JPEG."""
        is_wanted = self.options.metadata != "none"
        return metadata.carry(self._picture.notes if is_wanted else Notes(extras=self._picture.extras), self.options)

    def note_placeholder(self, facts: Facts) -> None:
        """That of the first picture counts."""
        self._placeholder = self._placeholder or facts

    def note_pixels(self, result: Image.Image) -> None:
        """``result`` is what will be encoded."""
        if not self._placeholder:
            self._placeholder = placeholder.of_image(result)

    def write(self, result_fd: int, encoded: Encoded, plan: Plan, carried: metadata.Carried, seconds: dict[str, float], start: int = 0) -> Converted:
        """Write the result from ``start`` on. ``seconds``, by stage, are told with it."""
        own = self._original(encoded, plan)
        given, dropped = (own.encoded, own.dropped) if own else (encoded, carried.dropped)
        written_bytes = write(result_fd, given.parts, start)
        facts = {**({} if own else self._decided(given.facts)), **given.facts, **({"dropped": list(dropped)} if dropped else {}), **self._placeholder}
        return Converted(written_bytes, *plan.geometry.canvas, given.frame_count, {**facts, "seconds": seconds})

    def _decided(self, facts: Facts) -> Facts:
        """What the client did not ask for by a number of the format's own. A file without loss has no quality (``facts``)."""
        is_scaled = self.options.quality != self.conversion.options.quality and facts.get("lossless") is not True
        scaled = {"quality": self.options.quality} if is_scaled else {}
        has_method = self.conversion.chosen_method is not None and not is_meaningless("method", self.options.format)
        return {**scaled, **({"method": self.conversion.chosen_method} if has_method else {})}

    def _original(self, encoded: Encoded, plan: Plan) -> originals.Original | None:
        """The source's own file, where ``encoded`` is larger and it may be given instead."""
        if not self.conversion.may_give_original or sum(map(len, encoded.parts)) <= self._source.size_bytes:
            return None
        return originals.original_for(self._picture, self._source, plan, self.conversion)


def reduced(picture: Picture, plans: Iterable[Plan]) -> list[Plan]:
    """Have the picture decoded at a fraction of its size, where that is enough for all; the plans for what comes of it."""
    given = list(plans)
    width, height = picture.size
    needed = [_needed(picture.size, plan) for plan in given]
    whole = picture.reduce((max(each[0] for each in needed), max(each[1] for each in needed)))
    if whole is None:
        return given
    across, down = whole[2] / width, whole[3] / height
    return [replace(plan, box=_scaled(plan.box or (0, 0, width, height), across, down)) for plan in given]


def _needed(size: Size, plan: Plan) -> Size:
    """How large the whole picture must be, so that the part that is used has as many pixels as the result."""
    width, height = size
    left, top, right, bottom = plan.box or (0, 0, width, height)
    scaled = as_stored(plan.geometry.scaled, plan.orientation)
    return math.ceil(scaled[0] * width / (right - left)), math.ceil(scaled[1] * height / (bottom - top))


def _scaled(box: tuple[float, float, float, float], across: float, down: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left * across, top * down, right * across, bottom * down
