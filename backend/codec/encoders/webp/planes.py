"""A picture in libwebp's YUV planes, imported strip by strip: it never lies in memory as a whole in RGB."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from PIL import Image

from backend.codec.encoders.encoder import Encoded, Metadata, OnShare
from backend.codec.encoders.webp import riff, still
from backend.codec.geometry import Size
from backend.codec.native import libwebp
from backend.core.options import Options

IMPORTERS = {3: "RGB", 4: "RGBX"}
"""libwebp's layouts by bytes a pixel. For three bytes its import is quicker."""


class WebpPlanes:
    """See ``encoder.Planes``. All memory is freed when ``stack`` is closed."""

    def __init__(self, size: Size, options: Options, stack: ExitStack) -> None:
        self._options, self._stack = options, stack
        self._picture = stack.enter_context(_allocate(size))
        self._strip = stack.enter_context(_empty())
        self._top = 0

    def add_strip(self, address: int, stride_bytes: int, bytes_a_pixel: int, rows: int) -> None:
        """Raises ``MemoryError``."""
        self._strip.width, self._strip.height, self._strip.use_argb = self._picture.width, rows, 0
        if not libwebp.importer(IMPORTERS[bytes_a_pixel])(c.byref(self._strip), address, stride_bytes):
            raise MemoryError("libwebp has no memory for a strip")
        _copy_rows(self._strip, self._picture, self._top, rows)
        self._top += rows

    def turn(self, turn_plane: Callable[[Image.Image], Image.Image], *, swaps_sides: bool) -> None:
        stored = self._picture
        size = (stored.height, stored.width) if swaps_sides else (stored.width, stored.height)
        self._picture = self._stack.enter_context(_allocate(size))
        _turn_planes(stored, self._picture, turn_plane)
        libwebp.encoder().WebPPictureFree(c.byref(stored))

    @contextmanager
    def encode(self, metadata: Metadata, on_share: OnShare) -> Iterator[Encoded]:
        libwebp.encoder().WebPPictureFree(c.byref(self._strip))
        options = riff.within_target(self._options, metadata)
        with still.encode_picture(self._picture, options, on_share, has_alpha=False) as (webp, facts):
            yield Encoded(riff.parts(webp, metadata, (self._picture.width, self._picture.height)), facts=facts)


@contextmanager
def open_planes(size: Size, options: Options) -> Iterator[WebpPlanes]:
    """Raises ``MemoryError``."""
    with ExitStack() as stack:
        yield WebpPlanes(size, options, stack)


@contextmanager
def _allocate(size: Size) -> Iterator[libwebp.Picture]:
    with _empty() as picture:
        picture.width, picture.height, picture.use_argb = *size, 0
        if not libwebp.encoder().WebPPictureAlloc(c.byref(picture)):
            raise MemoryError("libwebp has no memory for the picture")
        yield picture


@contextmanager
def _empty() -> Iterator[libwebp.Picture]:
    """Freeing it twice does no harm: libwebp empties what it frees."""
    picture = libwebp.new_picture()
    try:
        yield picture
    finally:
        libwebp.encoder().WebPPictureFree(c.byref(picture))


def _copy_rows(strip: libwebp.Picture, picture: libwebp.Picture, top: int, rows: int) -> None:
    """Both are as wide, so their rows are as far apart. Chroma has half the rows, rounded up."""
    assert (picture.y_stride, picture.uv_stride) == (strip.y_stride, strip.uv_stride) == (picture.width, (picture.width + 1) // 2)
    c.memmove(picture.y + top * picture.y_stride, strip.y, rows * strip.y_stride)
    for whole, part in ((picture.u, strip.u), (picture.v, strip.v)):
        c.memmove(whole + top // 2 * picture.uv_stride, part, (rows + 1) // 2 * strip.uv_stride)


def _turn_planes(stored: libwebp.Picture, upright: libwebp.Picture, turn_plane: Callable[[Image.Image], Image.Image]) -> None:
    half = (stored.width + 1) // 2, (stored.height + 1) // 2
    for source, target, (width, height) in (
        (stored.y, upright.y, (stored.width, stored.height)),
        (stored.u, upright.u, half),
        (stored.v, upright.v, half),
    ):
        plane = (c.c_ubyte * (width * height)).from_address(source)
        with Image.frombuffer("L", (width, height), plane, "raw", "L", 0, 1) as image, turn_plane(image) as result:
            data = result.tobytes()
        c.memmove(target, data, len(data))
