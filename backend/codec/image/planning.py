"""What is known of an opened picture, and the plan that follows from it and the options."""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.codec.geometry import IntBox, Point, Size, crop_box, geometry_for
from backend.codec.image.orientation import as_stored, box_as_stored, orientation_for, turned_point
from backend.codec.image.steps.step import Plan
from backend.core.conversion import Conversion
from backend.core.options import SOUGHT, Options


@dataclass(frozen=True, slots=True)
class View:
    """A picture as stored. ``exif`` is its orientation, ``applied`` the part of that which its decoder carries out by itself.

    ``is_certain``: size and orientation are final; some formats tell them only once the pixels are read.
    """

    size: Size
    exif: int = 1
    applied: int = 1
    profile: bytes | None = None
    is_certain: bool = True

    def part(self, options: Options) -> IntBox:
        """What ``crop`` leaves. Its pixels are counted in the picture as ``auto_orient`` leaves it, before it is flipped, flopped and rotated.

        Raises ``InvalidOption`` (crop_outside), where the picture is certain.
        """
        if options.crop is None:
            return 0, 0, *self.size
        upright = self._upright(options)
        try:
            return box_as_stored(crop_box(as_stored(self.size, upright), options.crop), self.size, upright)
        except errors.InvalidOption:
            if self.is_certain:
                raise
            return 0, 0, *self.size

    def first_corner(self, box: IntBox, options: Options) -> IntBox:
        """The pixel of ``box`` that lies at the left and top once the picture is upright."""
        a, b, c, d = self._upright(options)
        left = box[0] if a + c > 0 else box[2] - 1
        top = box[1] if b + d > 0 else box[3] - 1
        return left, top, left + 1, top + 1

    def _upright(self, options: Options) -> tuple[int, int, int, int]:
        return orientation_for(Options(auto_orient=options.auto_orient), self.exif, self.applied)


def plan_for(conversion: Conversion, view: View, kept: IntBox | None = None) -> Plan:
    """``kept`` is what ``trim`` leaves, as stored, once that is known. Until then, sizes are those that it has at most.

    Raises ``InvalidOption`` (crop_outside), where the view is certain.
    """
    options = conversion.options
    orientation = orientation_for(options, view.exif, view.applied)
    box = kept or view.part(options)
    geometry = geometry_for(as_stored((box[2] - box[0], box[3] - box[1]), orientation), options, _focus(options))
    is_open = options.trim is not None and kept is None
    is_whole = box == (0, 0, *view.size)
    seeks = options.gravity if options.gravity in SOUGHT and options.fit == "cover" else None
    return Plan(options, conversion.output, geometry, orientation, None if is_whole else box, view.profile, is_open=is_open, seeks=seeks)


def _focus(options: Options) -> Point | None:
    """In the result's directions: it follows the picture when that is flipped, flopped or rotated."""
    if options.focus is None:
        return None
    x, y = map(float, options.focus.split(","))
    return turned_point((x, y), orientation_for(options, exif=1))
