"""LittleCMS through ctypes, for pixels of four bytes: Pillow's own calls take 1.5 times as long for the same result.

Pillow declares the layout as RGBX, for which LittleCMS has only its slow, general reader; XRGB has a fast one. So a row is declared as XRGB that
begins one byte earlier: each pixel's X is then the byte before it, which LittleCMS does not touch.
"""

from __future__ import annotations

import ctypes as c
from functools import cache

from PIL import _imagingcms  # noqa: F401  (importing it makes the loader map LittleCMS)

from backend.codec.native import loader

XRGB = 4 << 16 | 1 << 14 | 1 << 7 | 3 << 3 | 1
"""lcms2.h: PT_RGB, SWAPFIRST, one extra channel, three channels of one byte."""
BYTES_A_PIXEL = 4
RGB_16, RGBA_16 = 4 << 16 | 3 << 3 | 2, 4 << 16 | 1 << 7 | 3 << 3 | 2
"""PT_RGB, three channels of two bytes in the machine's order; in the second, one extra channel."""
_NO_OPTIMIZE = 0x0100
"""cmsFLAGS_NOOPTIMIZE: no table of 33 steps a side, which is too coarse for 16 bits."""


class Recolour:
    """``transform`` belongs to LittleCMS, and lives as long as the process."""

    def __init__(self, transform: int) -> None:
        self._transform = transform

    def __call__(self, address: int, pixels: int) -> None:
        """Convert in place; each pixel's fourth byte stays as it is."""
        before = address - 1
        _library().cmsDoTransform(self._transform, before, before, pixels)


class DeepRecolour:
    """As ``Recolour``, for 16 bits a sample."""

    def __init__(self, transform: int) -> None:
        self._transform = transform

    def __call__(self, samples: bytearray, pixels: int) -> None:
        """Convert in place; alpha stays as it is."""
        address = c.addressof(c.c_char.from_buffer(samples))
        _library().cmsDoTransform(self._transform, address, address, pixels)


def recolour_to_srgb(profile: bytes, intent: int) -> Recolour | None:
    """From RGB with this ``profile``. ``None`` for a profile that cannot be used."""
    transform = _transform_to_srgb(profile, XRGB, intent, 0)
    return Recolour(transform) if transform else None


def deep_recolour_to_srgb(profile: bytes, intent: int, *, has_alpha: bool) -> DeepRecolour | None:
    """From RGB or RGBA with this ``profile``. ``None`` for a profile that cannot be used."""
    transform = _transform_to_srgb(profile, RGBA_16 if has_alpha else RGB_16, intent, _NO_OPTIMIZE)
    return DeepRecolour(transform) if transform else None


def _transform_to_srgb(profile: bytes, layout: int, intent: int, flags: int) -> int:
    """0 where there is none."""
    library = _library()
    given = library.cmsOpenProfileFromMem(profile, len(profile))
    if not given:
        return 0
    srgb = library.cmsCreate_sRGBProfile()
    transform = library.cmsCreateTransform(given, layout, srgb, layout, intent, flags)
    for each in (given, srgb):
        library.cmsCloseProfile(each)
    return transform or 0


@cache
def _library() -> c.CDLL:
    library = c.CDLL(loader.path("lcms2"))
    pointer, number = c.c_void_p, c.c_uint32
    loader.declare(library, "cmsOpenProfileFromMem", pointer, c.c_char_p, number)
    loader.declare(library, "cmsCreate_sRGBProfile", pointer)
    loader.declare(library, "cmsCreateTransform", pointer, pointer, number, pointer, number, number, number)
    loader.declare(library, "cmsCloseProfile", c.c_int, pointer)
    loader.declare(library, "cmsDoTransform", None, pointer, pointer, pointer, number)
    return library


def preload() -> None:
    _library()
