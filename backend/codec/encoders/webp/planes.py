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
TO_RGB = (
    *(1.164, 0.0, 1.596, -222.9),
    *(1.164, -0.391, -0.813, 135.6),
    *(1.164, 2.018, 0.0, -276.8),
)
"""From Y, U and V of ITU-R BT.601 in its narrow range (RFC 6386 §9.2), each row with what is added."""


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

    def sample(self, sample_plane: Callable[[Image.Image], Image.Image]) -> Image.Image:
        sampled = [sample_plane(plane) for plane in _planes(self._picture)]
        return Image.merge("RGB", sampled).convert("RGB", TO_RGB)

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


def _planes(picture: libwebp.Picture) -> list[Image.Image]:
    """Y, U and V in the picture's own memory; valid as long as that is."""
    whole = picture.width, picture.height
    half = (picture.width + 1) // 2, (picture.height + 1) // 2
    return [
        Image.frombuffer("L", (width, height), (c.c_ubyte * (width * height)).from_address(address), "raw", "L", 0, 1)
        for address, (width, height) in ((picture.y, whole), (picture.u, half), (picture.v, half))
    ]


def _turn_planes(stored: libwebp.Picture, upright: libwebp.Picture, turn_plane: Callable[[Image.Image], Image.Image]) -> None:
    for plane, target in zip(_planes(stored), (upright.y, upright.u, upright.v), strict=True):
        with plane, turn_plane(plane) as result:
            data = result.tobytes()
        c.memmove(target, data, len(data))
