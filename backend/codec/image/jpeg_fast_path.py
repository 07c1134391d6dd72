"""A JPEG into the encoder's planes, a strip at a time: the picture never lies in memory as a whole in RGB.

It is for what most people send, a photograph that keeps its shape: every step of the transform is idle but three, which are done here. It is scaled,
and colours are converted, in each strip, which stays in the processor's cache meanwhile; the orientation is applied to the planes. The result's bytes
are those of the normal path.
"""

from __future__ import annotations

import ctypes as c
import math
from collections.abc import Callable

from PIL import Image

from backend import errors
from backend.codec.encoders.encoder import Encoder, Planes
from backend.codec.geometry import Size
from backend.codec.image import colour, resampling, steps
from backend.codec.image.jpeg.pixels import Shares
from backend.codec.image.orientation import UPRIGHT, Orientation, as_stored, orient, swaps_sides
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Plan, Traits
from backend.codec.native import arrow_buffer, libjpeg, libjpeg_abi, littlecms
from backend.codec.native.source import Source

OnShare = Callable[[float], None]
STEPS_DONE_HERE = frozenset(("scale", "colour", "orientation")) if resampling.FAST else frozenset(("colour", "orientation"))
"""Scaling only where it is quick: Pillow's own takes a third longer for the four bytes a pixel that a strip has."""
STRIP_BYTES, BAND_BYTES = 256 << 10, 1 << 20
RGB_BYTES, RGBX_BYTES = 3, 4
"""Of a pixel."""
MIN_REACHES = 8
"""Of a band, how many times as many rows as scaling looks beyond it: those are scaled across twice."""
MIN_ROWS = 16
"""The tallest row of blocks in a JPEG. Always an even count, since chroma is taken from two rows."""


def is_for(picture: Picture, plan: Plan, encoder: Encoder) -> bool:
    """``picture`` is not read yet."""
    return picture.is_reducible and libjpeg_abi.library() is not None and suits(picture.traits, plan, encoder)


def suits(traits: Traits, plan: Plan, encoder: Encoder) -> bool:
    """Whether nothing is to be done to a JPEG with these traits that cannot be done here."""
    is_turnable = _keeps_chroma_pairs(stored_size(plan), plan.orientation)
    return traits.mode == "RGB" and encoder.accepts_planes(plan.options) and is_turnable and steps.busy(traits, plan) <= STEPS_DONE_HERE


def stored_size(plan: Plan) -> Size:
    """Of the planes, before they are turned."""
    return as_stored(plan.geometry.scaled, plan.orientation)


def _keeps_chroma_pairs(size: Size, orientation: Orientation) -> bool:
    """Chroma is taken from two rows and columns, counted from the first: they stay together where a side that is mirrored is even."""
    across, down = min(orientation[0], orientation[2]), min(orientation[1], orientation[3])
    return not ((across < 0 and size[0] % 2) or (down < 0 and size[1] % 2))


def read_into(planes: Planes, source: Source, picture: Picture, plan: Plan, on_share: OnShare) -> None:
    """Decode the whole picture, as far as it is reduced, into planes of ``stored_size``. Raises ``DamagedImage``, ``MemoryError``."""
    shares = Shares(source, picture.is_progressive, on_share)
    recolour, is_scaled = colour.recolour_for(plan.profile), picture.size != stored_size(plan)
    with libjpeg.open_rows(source, libjpeg.RGB if recolour is None and not is_scaled else libjpeg.RGBX, picture.reduced_by) as rows:
        if (rows.width, rows.height) != picture.size:
            raise errors.DamagedImage(private=f"libjpeg: {rows.width} × {rows.height}, the header: {picture.size}")
        if is_scaled:
            _read_bands(planes, rows, plan, recolour, shares.on_rows)
        else:
            _read_strips(planes, rows, recolour, shares.on_rows)
        rows.finish()
    if plan.orientation != UPRIGHT:
        planes.turn(lambda plane: orient(plane, plan.orientation), swaps_sides=swaps_sides(plan.orientation))


def _read_bands(planes: Planes, rows: libjpeg.Rows, plan: Plan, recolour: littlecms.Recolour | None, on_share: OnShare) -> None:
    """Scale a band of rows at a time. Rows beside it, as far as Lanczos looks, are kept for the next one."""
    width, height = stored_size(plan)
    left, first, right, last = plan.box or (0.0, 0.0, float(rows.width), float(rows.height))
    ratio = (last - first) / height
    reach = math.ceil(resampling.REACH * max(1.0, ratio)) + 1
    window = _Window(rows, max(BAND_BYTES // (RGBX_BYTES * rows.width), MIN_REACHES * reach) + 2 * reach)
    band_rows = max(2, int((window.capacity - 2 * reach - 2) / ratio) & ~1)
    for begin in range(0, height, band_rows):
        end = min(height, begin + band_rows)
        top, bottom = first + begin * ratio, last if end == height else first + end * ratio
        band = window.move_to(max(0, math.floor(top) - reach), min(rows.height, math.ceil(bottom) + reach))
        scaled = resampling.resized(band, (width, end - begin), (left, top - window.top, right, bottom - window.top))
        with arrow_buffer.lend(scaled) as lent:
            if recolour is not None:
                recolour(lent.address, width * (end - begin))
            planes.add_strip(lent.address, lent.stride_bytes, RGBX_BYTES, end - begin)
        on_share(window.bottom / rows.height)


class _Window:
    """So many rows of the picture as ``capacity``, from ``top`` to ``bottom``, that goes down over it."""

    def __init__(self, rows: libjpeg.Rows, capacity: int) -> None:
        self._rows, self.capacity, self.top, self.bottom = rows, min(capacity, rows.height), 0, 0
        self._stride_bytes = RGBX_BYTES * rows.width
        self._memory = bytearray(self.capacity * self._stride_bytes)
        self._address = c.addressof((c.c_ubyte * len(self._memory)).from_buffer(self._memory))

    def move_to(self, top: int, bottom: int) -> Image.Image:
        """The rows from ``top`` to ``bottom``, in the window's own memory. CMYK stands for any four bytes a pixel."""
        kept_bytes = (self.bottom - top) * self._stride_bytes
        c.memmove(self._address, self._address + (top - self.top) * self._stride_bytes, kept_bytes)
        begin, end = self._address + kept_bytes, self._address + (bottom - top) * self._stride_bytes
        self._rows.read_into((c.c_void_p * (bottom - self.bottom))(*range(begin, end, self._stride_bytes)), bottom - self.bottom)
        self.top, self.bottom = top, bottom
        return Image.frombuffer("CMYK", (self._rows.width, bottom - top), self._memory, "raw", "CMYK", 0, 1)


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
