"""``never_larger``: the source's own file in the place of a larger result, where it shows the same picture and no more is told by it.

The file is copied part by part. ``metadata=all`` leaves it as it is. Otherwise what shows nothing is left out: notes, previews, what follows the
picture. Pixels are never touched. ``metadata=copyright`` asks for some of the notes, which is not done here: then only a file without any is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backend import errors
from backend.codec.encoders.encoder import Encoded
from backend.codec.geometry import Geometry, Size
from backend.codec.image import steps
from backend.codec.image.notes.exif import UPRIGHT
from backend.codec.image.orientation import as_stored, orientation_for
from backend.codec.image.originals.gif import gif_parts
from backend.codec.image.originals.jpeg import jpeg_parts
from backend.codec.image.originals.png import png_parts
from backend.codec.image.originals.webp import webp_parts
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Plan
from backend.codec.native.source import Source
from backend.core.conversion import Conversion
from backend.core.formats import BY_NAME
from backend.core.image_headers import declared_bytes
from backend.core.options import Options

Parts = list[bytes | memoryview]
_PARTS: dict[str, Callable[[memoryview], Parts | None]] = {"jpeg": jpeg_parts, "png": png_parts, "gif": gif_parts, "webp": webp_parts}
"""The parts of a file that show its picture; None where they cannot be told from others."""


@dataclass(frozen=True, slots=True)
class Original:
    """``dropped`` as in ``metadata.Carried``."""

    encoded: Encoded
    dropped: tuple[str, ...]


def original_for(picture: Picture, source: Source, plan: Plan, conversion: Conversion) -> Original | None:
    """To be called once the pixels are read. None where the file must not be given, or shows something else than the result."""
    if not _shows_the_same(picture, plan, conversion):
        return None
    data = memoryview(source.read_at(0, source.size_bytes))
    parts = _parts(picture, data, conversion)
    if parts is None:
        return None
    is_whole = sum(map(len, parts)) == len(data)
    return Original(Encoded(parts, conversion.shape.frames, {"original": True}), () if is_whole else tuple(sorted(picture.extras)))


def _shows_the_same(picture: Picture, plan: Plan, conversion: Conversion) -> bool:
    """Whether no option changes the picture. Viewers turn a JPEG by its EXIF themselves; of other formats, not all do."""
    options, exif = plan.options, picture.exif_orientation
    upright: Size = as_stored(picture.size, plan.orientation)
    is_turned_by_viewer = exif == UPRIGHT or conversion.shape.format == "jpeg"
    is_as_usual = plan.orientation == orientation_for(Options(), exif) and is_turned_by_viewer and picture.applied_orientation == UPRIGHT
    keeps_frames = conversion.shape.frames == 1 or (options.animation == "keep" and conversion.output.has_animation)
    is_same_size = plan.geometry == Geometry(upright, upright)
    return is_as_usual and keeps_frames and is_same_size and not steps.changes_canvas(picture.traits, plan)


def _parts(picture: Picture, data: memoryview, conversion: Conversion) -> Parts | None:
    image_format, wanted = BY_NAME[conversion.shape.format], conversion.options.metadata
    end = declared_bytes(image_format, lambda at, length: bytes(data[at : at + length]), len(data)) or len(data)
    if wanted == "all":
        return [data[:end]]
    try:
        parts = _PARTS[image_format.name](data[:end]) if image_format.name in _PARTS else _whole_without_notes(picture, data)
    except errors.DamagedImage:
        return None
    return parts if parts is not None and (wanted == "none" or sum(map(len, parts)) == len(data)) else None


def _whole_without_notes(picture: Picture, data: memoryview) -> Parts | None:
    """Of a format that is not taken apart here."""
    notes = picture.notes
    return None if notes.exif or notes.xmp or notes.iptc or notes.extras else [data]
