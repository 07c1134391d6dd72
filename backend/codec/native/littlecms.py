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


class Recolour:
    """``transform`` belongs to LittleCMS, and lives as long as the process."""

    def __init__(self, transform: int) -> None:
        self._transform = transform

    def __call__(self, address: int, pixels: int) -> None:
        """Convert in place; each pixel's fourth byte stays as it is."""
        before = address - 1
        _library().cmsDoTransform(self._transform, before, before, pixels)


def recolour_to_srgb(profile: bytes, intent: int) -> Recolour | None:
    """From RGB with this ``profile``. ``None`` for a profile that cannot be used."""
    library = _library()
    given = library.cmsOpenProfileFromMem(profile, len(profile))
    if not given:
        return None
    srgb = library.cmsCreate_sRGBProfile()
    transform = library.cmsCreateTransform(given, XRGB, srgb, XRGB, intent, 0)
    for each in (given, srgb):
        library.cmsCloseProfile(each)
    return Recolour(transform) if transform else None


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
