"""A JPEG straight into libwebp's planes, a strip at a time: the picture never lies in memory as a whole in RGB.

For what most people send, a photograph that keeps its size. A strip stays in the processor's cache while it is decoded, brought to sRGB and imported;
planes are turned as such. The bytes that come out are those of the longer way.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from backend import errors
from backend.codec.geometry import Geometry, Size
from backend.codec.image import colour
from backend.codec.image.decode import REDUCIBLE
from backend.codec.image.orientation import UPRIGHT, Turn, turned
from backend.codec.image.transform import as_stored
from backend.codec.native import libjpeg, libwebp, littlecms
from backend.codec.native.source import Source
from backend.codec.resource_limits import is_lossless
from backend.core.options import Options

OnShare = Callable[[float], None]
STRIP_BYTES = 256 << 10
RGB_BYTES = 3
"""Of a pixel."""
LEAST_ROWS = 16
"""The tallest row of blocks in a JPEG. Always an even count, since chroma is taken from two rows."""


def is_for(image: Image.Image, turn: Turn, geometry: Geometry, options: Options) -> bool:
    """``image`` is opened, and not read yet."""
    is_whole = geometry.scaled == geometry.canvas == as_stored(image.size, turn) and _keeps_pairs(image.size, turn)
    return image.format in REDUCIBLE and image.mode == "RGB" and is_whole and suits(options) and libjpeg.library() is not None


def suits(options: Options) -> bool:
    """Whether nothing but planes is asked for."""
    return not (is_lossless(options) or options.sharp_yuv or options.quality == "auto")


def _keeps_pairs(size: Size, turn: Turn) -> bool:
    """Chroma is taken from two rows and columns, counted from the first: they stay together where a side that is mirrored is even."""
    across, down = min(turn[0], turn[2]), min(turn[1], turn[3])
    return not ((across < 0 and size[0] % 2) or (down < 0 and size[1] % 2))


@contextmanager
def picture_of(source: Source, image: Image.Image, turn: Turn, on_share: OnShare) -> Iterator[libwebp.Picture]:
    """libwebp's planes, valid until the context ends. Raises ``DamagedImage``, ``MemoryError``."""
    with _planes(image.size) as picture:
        shown = _Shares(source, bool(image.info.get("progressive")), on_share)
        recolour = colour.recolour(image.info.get("icc_profile"))
        with libjpeg.rows_of(source, libjpeg.RGB if recolour is None else libjpeg.RGBX) as rows:
            if (rows.width, rows.height) != image.size:
                raise errors.DamagedImage(private=f"libjpeg: {rows.width} × {rows.height}, Pillow: {image.size}")
            _fill(picture, rows, recolour, shown.rows)
            rows.finish()
        if turn == UPRIGHT:
            yield picture
            return
        with _planes(as_stored(image.size, turn)) as upright:
            _turn(picture, upright, turn)
            libwebp.encoder().WebPPictureFree(c.byref(picture))
            yield upright


@contextmanager
def _planes(size: Size) -> Iterator[libwebp.Picture]:
    picture = libwebp.new_picture()
    picture.width, picture.height, picture.use_argb = *size, 0
    try:
        if not libwebp.encoder().WebPPictureAlloc(c.byref(picture)):
            raise MemoryError("libwebp has no memory for the picture")
        yield picture
    finally:
        libwebp.encoder().WebPPictureFree(c.byref(picture))


class _Shares:
    """Rows tell how much is done; a progressive file is read as a whole before the first of them, which is half of the time."""

    def __init__(self, source: Source, is_progressive: bool, on_share: OnShare) -> None:
        self._from, self._on_share = (0.5 if is_progressive else 0.0), on_share
        source.on_read = (lambda share: on_share(share / 2)) if is_progressive else None

    def rows(self, share: float) -> None:
        self._on_share(self._from + (1 - self._from) * share)


def _fill(picture: libwebp.Picture, rows: libjpeg.Rows, recolour: littlecms.Recolour | None, on_share: OnShare) -> None:
    """Three bytes a pixel, for which libwebp's import is quicker; four where LittleCMS is to read them."""
    stride = rows.width * (RGB_BYTES if recolour is None else littlecms.BYTES_A_PIXEL)
    take = libwebp.encoder().WebPPictureImportRGB if recolour is None else libwebp.encoder().WebPPictureImportRGBX
    most = max(LEAST_ROWS, STRIP_BYTES // stride & ~1)
    strip = c.create_string_buffer(most * stride)
    begin = c.addressof(strip)
    addresses = (c.c_void_p * most)(*range(begin, begin + most * stride, stride))
    part = libwebp.new_picture()
    try:
        for top in range(0, rows.height, most):
            count = min(most, rows.height - top)
            rows.into(addresses, count)
            if recolour is not None:
                recolour(begin, count * rows.width)
            part.width, part.height, part.use_argb = rows.width, count, 0
            if not take(c.byref(part), begin, stride):
                raise MemoryError("libwebp has no memory for a strip")
            _join(picture, part, top, count)
            on_share((top + count) / rows.height)
    finally:
        libwebp.encoder().WebPPictureFree(c.byref(part))


def _join(picture: libwebp.Picture, part: libwebp.Picture, top: int, count: int) -> None:
    """Both are as wide, so their rows are as far apart."""
    assert (picture.y_stride, picture.uv_stride) == (part.y_stride, part.uv_stride) == (picture.width, (picture.width + 1) // 2)
    c.memmove(picture.y + top * picture.y_stride, part.y, count * part.y_stride)
    for whole, piece in ((picture.u, part.u), (picture.v, part.v)):
        c.memmove(whole + top // 2 * picture.uv_stride, piece, (count + 1) // 2 * part.uv_stride)


def _turn(stored: libwebp.Picture, upright: libwebp.Picture, turn: Turn) -> None:
    half = (stored.width + 1) // 2, (stored.height + 1) // 2
    for name, (width, height) in (("y", (stored.width, stored.height)), ("u", half), ("v", half)):
        plane = (c.c_ubyte * (width * height)).from_address(getattr(stored, name))
        with Image.frombuffer("L", (width, height), plane, "raw", "L", 0, 1) as image, turned(image, turn) as result:
            data = result.tobytes()
        c.memmove(getattr(upright, name), data, len(data))
