"""Whatever a decoder gives, as 8-bit sRGB: grey, RGB, with alpha where there is transparency."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageChops, ImageCms

from backend.codec.native import arrow_buffer, littlecms

OnShare = Callable[[float], None]

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
SRGB_PROFILE = _SRGB.tobytes()
CMYK_PROFILE = (Path(__file__).parent / "cmyk.icc").read_bytes()
"""What CMYK means where an image does not say: libvips' fallback, cut down by ``tests/codec/make_cmyk_profile.py``. Public domain."""
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
"""Without black point compensation: libvips' default, so the same picture."""

SIXTEEN_TO_EIGHT = [round(value / 257) for value in range(65536)]
"""65535 / 255 = 257, rounded; taking the high byte would darken by up to one step."""

SAME_WITHIN = 1
"""A profile that moves no colour by more than this many steps is sRGB itself, as most are: then nothing is done."""
STRIP_PIXELS = 2_000_000
"""Converted in one go: so that something can be said every 400 ms."""


def working(image: Image.Image) -> Image.Image:
    """A mode that can be scaled: no palette, no bilevel, no 16 bits. CMYK and Lab stay for ``to_srgb``."""
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;16"):
        return _grey(image.convert("I"), image.info.get("transparency"))
    if image.mode in ("L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA")
    return image if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB") else image.convert(_PLAIN.get(image.mode, "RGB"))


def _grey(deep: Image.Image, transparent: object) -> Image.Image:
    """Of 16 bits. ``transparent``: the one value that PNG's tRNS may name."""
    grey = deep.point(SIXTEEN_TO_EIGHT, "L")
    if not isinstance(transparent, int):
        return grey
    alpha = deep.point([255 * (value != transparent) for value in range(65536)], "L")
    return Image.merge("LA", (grey, alpha))


_PLAIN = {"1": "L", "I": "L", "F": "L", "La": "LA", "RGBa": "RGBA"}


def to_srgb(image: Image.Image, profile: bytes | None, on_share: OnShare) -> Image.Image:
    """Through the image's own ICC profile. A profile that cannot be used is passed over, as browsers do."""
    transform = _way(image.mode, profile)
    if transform is not None:
        return _applied(image, profile, transform, on_share)
    return image.convert("RGB") if image.mode in ("CMYK", "LAB") else image


def moves_colours(mode: str, profile: bytes | None) -> bool:
    """Whether ``to_srgb`` will have to touch every pixel."""
    return _way(mode, profile) is not None


def recolour(profile: bytes | None) -> littlecms.Recolour | None:
    """Of RGB, where it lies; ``None`` where nothing is to be done."""
    return _recolour(profile) if profile and moves_colours("RGB", profile) else None


@lru_cache(maxsize=4)
def _recolour(profile: bytes) -> littlecms.Recolour | None:
    return littlecms.to_srgb(profile, _INTENT)


def _way(mode: str, profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    transform = _transform(profile, mode, _result_mode(mode)) if profile else None
    if transform is None and mode == "CMYK":
        transform = _transform(CMYK_PROFILE, "CMYK", "RGB")
    return None if transform is None or _changes_nothing(transform, mode) else transform


def _result_mode(mode: str) -> str:
    return "RGBA" if mode in ("LA", "RGBA") else "RGB"


@lru_cache(maxsize=4)
def _transform(profile: bytes, mode: str, result_mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        given = ImageCms.getOpenProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(given, _SRGB, mode, result_mode, _INTENT)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=4)
def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in ("RGB", "RGBA"):
        return False
    colours = _every_colour().convert(mode)
    change = ImageChops.difference(transform.apply(colours), colours).convert("RGB").getextrema()
    return all(high <= SAME_WITHIN for _low, high in change)  # type: ignore[misc]


def _every_colour() -> Image.Image:
    """A lattice of 18 steps through the cube."""
    levels = range(0, 256, 15)
    return Image.frombytes("RGB", (18 * 18, 18), bytes(value for r in levels for g in levels for b in levels for value in (r, g, b)))


def _applied(image: Image.Image, profile: bytes | None, transform: ImageCms.ImageCmsTransform, on_share: OnShare) -> Image.Image:
    mode = _result_mode(image.mode)
    if image.mode == mode and profile and _applied_in_place(image, profile, on_share):
        return image
    result = Image.new(mode, image.size)
    for top, bottom in _strips(image.size):
        result.paste(transform.apply(image.crop((0, top, image.width, bottom))), (0, top))
        on_share(bottom / image.height)
    return result


def _applied_in_place(image: Image.Image, profile: bytes, on_share: OnShare) -> bool:
    """No second image is touched for the first time. False where it cannot be done."""
    recolour = _recolour(profile)
    with arrow_buffer.lend(image) as lent:
        if recolour is None or lent.is_copy:
            return False
        for top, bottom in _strips(image.size):
            recolour(lent.address + top * lent.stride_bytes, (bottom - top) * image.width)
            on_share(bottom / image.height)
    return True


def _strips(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    rows = max(1, STRIP_PIXELS // size[0])
    return ((top, min(size[1], top + rows)) for top in range(0, size[1], rows))
