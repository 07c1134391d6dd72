"""A JPEG into the encoder's planes, a strip at a time: the picture never lies in memory as a whole in RGB.

It is for what most people send, a photograph that keeps its size: every step of the transform is idle but two, which are done here. Colours are
converted in each strip, which stays in the processor's cache meanwhile; the orientation is applied to the planes. The result's bytes are those of
the normal path.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable

from backend import errors
from backend.codec.encoders.encoder import Encoder, Planes
from backend.codec.geometry import Size
from backend.codec.image import colour, steps
from backend.codec.image.jpeg.pixels import Shares
from backend.codec.image.orientation import UPRIGHT, Orientation, orient, swaps_sides
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Plan, Traits
from backend.codec.native import libjpeg, libjpeg_abi, littlecms
from backend.codec.native.source import Source

OnShare = Callable[[float], None]
STEPS_DONE_HERE = frozenset(("colour", "orientation"))
STRIP_BYTES = 256 << 10
RGB_BYTES = 3
"""Of a pixel."""
MIN_ROWS = 16
"""The tallest row of blocks in a JPEG. Always an even count, since chroma is taken from two rows."""


def is_for(picture: Picture, plan: Plan, encoder: Encoder) -> bool:
    """``picture`` is not read yet."""
    return picture.is_reducible and libjpeg_abi.library() is not None and suits(picture.traits, plan, encoder)


def suits(traits: Traits, plan: Plan, encoder: Encoder) -> bool:
    """Whether nothing is to be done to a JPEG with these traits that cannot be done here."""
    is_turnable = _keeps_chroma_pairs(traits.size, plan.orientation)
    return traits.mode == "RGB" and encoder.accepts_planes(plan.options) and is_turnable and steps.busy(traits, plan) <= STEPS_DONE_HERE


def _keeps_chroma_pairs(size: Size, orientation: Orientation) -> bool:
    """Chroma is taken from two rows and columns, counted from the first: they stay together where a side that is mirrored is even."""
    across, down = min(orientation[0], orientation[2]), min(orientation[1], orientation[3])
    return not ((across < 0 and size[0] % 2) or (down < 0 and size[1] % 2))


def read_into(planes: Planes, source: Source, picture: Picture, plan: Plan, on_share: OnShare) -> None:
    """Decode the whole picture. Raises ``DamagedImage``, ``MemoryError``."""
    shares = Shares(source, picture.is_progressive, on_share)
    recolour = colour.recolour_for(plan.profile)
    with libjpeg.open_rows(source, libjpeg.RGB if recolour is None else libjpeg.RGBX) as rows:
        if (rows.width, rows.height) != picture.size:
            raise errors.DamagedImage(private=f"libjpeg: {rows.width} × {rows.height}, the header: {picture.size}")
        _read_strips(planes, rows, recolour, shares.on_rows)
        rows.finish()
    if plan.orientation != UPRIGHT:
        planes.turn(lambda plane: orient(plane, plan.orientation), swaps_sides=swaps_sides(plan.orientation))


def _read_strips(planes: Planes, rows: libjpeg.Rows, recolour: littlecms.Recolour | None, on_share: OnShare) -> None:
    """Three bytes a pixel, which encoders import quicker; four where LittleCMS is to read them."""
    bytes_a_pixel = RGB_BYTES if recolour is None else littlecms.BYTES_A_PIXEL
    stride_bytes = rows.width * bytes_a_pixel
    strip_rows = max(MIN_ROWS, STRIP_BYTES // stride_bytes & ~1)
    strip = c.create_string_buffer(strip_rows * stride_bytes)
    begin = c.addressof(strip)
    addresses = (c.c_void_p * strip_rows)(*range(begin, begin + strip_rows * stride_bytes, stride_bytes))
    for top in range(0, rows.height, strip_rows):
        count = min(strip_rows, rows.height - top)
        rows.read_into(addresses, count)
        if recolour is not None:
            recolour(begin, count * rows.width)
        planes.add_strip(begin, stride_bytes, bytes_a_pixel, count)
        on_share((top + count) / rows.height)
