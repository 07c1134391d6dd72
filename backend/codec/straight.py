"""A JPEG straight into libwebp's planes, a strip at a time: the picture never lies in memory as a whole in RGB.

For what most people send, a photograph that is neither scaled nor turned. A strip stays in the processor's cache while it is decoded, brought to sRGB
and imported; the bytes that come out are those of the longer way.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from backend import errors
from backend.codec import colour, libjpeg, libwebp, littlecms
from backend.codec.bounds import is_lossless
from backend.codec.decode import REDUCIBLE
from backend.codec.geometry import Geometry
from backend.codec.source import Source
from backend.codec.turning import UPRIGHT, Turn
from backend.core.options import Options

OnShare = Callable[[float], None]
STRIP_BYTES = 256 << 10
LEAST_ROWS = 16
"""The tallest row of blocks in a JPEG. Always an even count, since chroma is taken from two rows."""


def is_for(image: Image.Image, turn: Turn, geometry: Geometry, options: Options) -> bool:
    """``image`` is opened, and not read yet."""
    is_as_stored = turn == UPRIGHT and geometry.scaled == geometry.canvas == image.size
    is_planes_only = not (is_lossless(options) or options.sharp_yuv or options.quality == "auto")
    return image.format in REDUCIBLE and image.mode == "RGB" and is_as_stored and is_planes_only and libjpeg.library() is not None


@contextmanager
def picture_of(source: Source, image: Image.Image, on_share: OnShare) -> Iterator[libwebp.Picture]:
    """libwebp's planes, valid until the context ends. Raises ``DamagedImage``, ``MemoryError``."""
    picture = libwebp.new_picture()
    picture.width, picture.height, picture.use_argb = *image.size, 0
    try:
        if not libwebp.encoder().WebPPictureAlloc(c.byref(picture)):
            raise MemoryError("libwebp has no memory for the picture")
        shown = _Shares(source, bool(image.info.get("progressive")), on_share)
        recolour = colour.recolour(image.info.get("icc_profile"))
        with libjpeg.rows_of(source) as rows:
            if (rows.width, rows.height) != image.size:
                raise errors.DamagedImage(private=f"libjpeg: {rows.width} × {rows.height}, Pillow: {image.size}")
            _fill(picture, rows, recolour, shown.rows)
            rows.finish()
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
    stride = littlecms.BYTES_A_PIXEL * rows.width
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
            if not libwebp.encoder().WebPPictureImportRGBX(c.byref(part), begin, stride):
                raise MemoryError("libwebp has no memory for a strip")
            _join(picture, part, top, count)
            on_share((top + count) / rows.height)
    finally:
        libwebp.encoder().WebPPictureFree(c.byref(part))


def _join(picture: libwebp.Picture, part: libwebp.Picture, top: int, count: int) -> None:
    """Both are as wide, so their rows are as far apart."""
    assert (picture.y_stride, picture.uv_stride) == (part.y_stride, part.uv_stride)
    c.memmove(picture.y + top * picture.y_stride, part.y, count * part.y_stride)
    for whole, piece in ((picture.u, part.u), (picture.v, part.v)):
        c.memmove(whole + top // 2 * picture.uv_stride, piece, (count + 1) // 2 * part.uv_stride)
