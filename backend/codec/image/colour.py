"""Colours to sRGB, through the ICC profile that an image carries, or through a CMYK profile where it carries none."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageChops, ImageCms

from backend.codec.encoders.encoder import BytePair
from backend.codec.image import colour_signal
from backend.codec.native import arrow_buffer, littlecms

OnShare = Callable[[float], None]

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
SRGB_PROFILE = _SRGB.tobytes()
CMYK_PROFILE = (Path(__file__).parent / "cmyk.icc").read_bytes()
"""For CMYK images without a profile: libvips' fallback, cut down by ``tests/unit/codec/image/make_cmyk_profile.py``. Public domain."""
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
"""Without black point compensation, as is libvips' default."""

SAME_WITHIN = 1
"""A profile that moves no colour by more than this many steps of 255 counts as sRGB, as most profiles are: then nothing is done."""
GREY = ("L", "LA")
_SPACES = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
"""What a profile is for, by the mode of pixels that LittleCMS converts; greys are looked up."""
STRIP_PIXELS = 2_000_000
"""Converted in one go, so that progress can be reported at least every 400 ms."""


def to_srgb(image: Image.Image, profile: bytes | None, on_share: OnShare) -> Image.Image:
    """Through ``profile``, which is ignored where it cannot be used, as browsers do. The image may be changed in place."""
    if image.mode in GREY:
        return _grey_to_srgb(image, profile)
    given = _profile_of(image.mode, profile)
    transform = _transform_for(image.mode, given)
    if transform is not None:
        return _apply(image, given, transform, on_share)
    return image.convert("RGB") if image.mode in ("CMYK", "LAB") else image


def changes_colours(mode: str, profile: bytes | None) -> bool:
    """Whether ``to_srgb`` has to touch every pixel."""
    return _grey_ramp(profile) is not None if mode in GREY else _transform_for(mode, _profile_of(mode, profile)) is not None


def recolour_for(profile: bytes | None) -> littlecms.Recolour | None:
    """What converts RGB in place; ``None`` where nothing is to be done."""
    given = _profile_of("RGB", profile)
    return _recolour(given) if given and changes_colours("RGB", profile) else None


def has_pair_for(mode: str, profile: bytes | None) -> bool:
    """Whether ``pair_to_srgb`` can be called for such pictures."""
    return _deep_recolour(_profile_of(mode, profile), mode == "RGBA") is not None


def pair_to_srgb(pair: BytePair, profile: bytes | None, on_share: OnShare) -> None:
    """RGB or RGBA of 16 bits, changed in place."""
    (width, height), mode = pair.high.size, pair.high.mode
    recolour = _deep_recolour(_profile_of(mode, profile), mode == "RGBA")
    assert recolour is not None
    for top, bottom in _strips((width, height)):
        size, box = (width, bottom - top), (0, top, width, bottom)
        samples = bytearray(2 * len(mode) * width * (bottom - top))
        samples[0::2], samples[1::2] = pair.low.crop(box).tobytes(), pair.high.crop(box).tobytes()
        recolour(samples, width * (bottom - top))
        pair.low.paste(Image.frombytes(mode, size, bytes(samples[0::2])), (0, top))
        pair.high.paste(Image.frombytes(mode, size, bytes(samples[1::2])), (0, top))
        on_share(bottom / height)


@lru_cache(maxsize=4)
def _deep_recolour(profile: bytes, has_alpha: bool) -> littlecms.DeepRecolour | None:
    return littlecms.deep_recolour_to_srgb(profile, _INTENT, has_alpha=has_alpha) if profile else None


@lru_cache(maxsize=4)
def _recolour(profile: bytes) -> littlecms.Recolour | None:
    return littlecms.recolour_to_srgb(profile, _INTENT)


def _profile_of(mode: str, profile: bytes | None) -> bytes:
    """As far as it is for pixels of this mode; else nothing. Lab pixels have their meaning from no profile, unless it is one for Lab."""
    if not profile or mode == "LAB":
        return profile or b""
    given = colour_signal.as_browsers_take(profile)
    return given.data if given is not None and given.space == _SPACES.get(mode) else b""


def _grey_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """What the profile makes of 256 greys, looked up for each pixel. Alpha stays as it is."""
    ramp = _grey_ramp(profile)
    if ramp is None:
        return image
    grey = image.getchannel(0)
    bands = [grey.point(table) for table in ramp]
    return Image.merge("RGBA", (*bands, image.getchannel("A"))) if image.mode == "LA" else Image.merge("RGB", bands)


@lru_cache(maxsize=4)
def _grey_ramp(profile: bytes | None) -> tuple[list[int], list[int], list[int]] | None:
    """Red, green and blue of each of 256 greys; ``None`` where they stay. A profile for RGB counts for greys, too.

    Not through LittleCMS' shortcut for greys, whose table is too coarse for a curve that is steep in the darks.
    """
    given = colour_signal.as_browsers_take(profile) if profile else None
    if given is None or not given.data or given.space not in ("GRAY", "RGB"):
        return None
    greys = Image.frombytes("L", (256, 1), bytes(range(256))).convert("L" if given.space == "GRAY" else "RGB")
    transform = _transform(given.data, greys.mode, "RGB", ImageCms.Flags.NOOPTIMIZE)
    if transform is None:
        return None
    red, green, blue = (list(band.tobytes()) for band in transform.apply(greys).split())
    moved = max(abs(level - grey) for band in (red, green, blue) for grey, level in enumerate(band))
    return None if moved <= SAME_WITHIN else (red, green, blue)


def _transform_for(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
    transform = _transform(profile, mode, _result_mode(mode)) if profile else None
    if transform is None and mode == "CMYK":
        transform = _transform(CMYK_PROFILE, "CMYK", "RGB")
    return None if transform is None or _changes_nothing(transform, mode) else transform


def _result_mode(mode: str) -> str:
    return "RGBA" if mode == "RGBA" else "RGB"


@lru_cache(maxsize=4)
def _transform(
    profile: bytes, mode: str, result_mode: str, flags: ImageCms.Flags = ImageCms.Flags.NONE
) -> ImageCms.ImageCmsTransform | None:
    try:
        given = ImageCms.getOpenProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(given, _SRGB, mode, result_mode, _INTENT, flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=4)
def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in ("RGB", "RGBA"):
        return False
    colours = _sample_colours().convert(mode)
    change = ImageChops.difference(transform.apply(colours), colours).convert("RGB").getextrema()
    return all(high <= SAME_WITHIN for _low, high in change)  # type: ignore[misc]


def _sample_colours() -> Image.Image:
    """A lattice of 18 steps a side through the RGB cube."""
    levels = range(0, 256, 15)
    return Image.frombytes("RGB", (18 * 18, 18), bytes(value for r in levels for g in levels for b in levels for value in (r, g, b)))


def _apply(image: Image.Image, profile: bytes, transform: ImageCms.ImageCmsTransform, on_share: OnShare) -> Image.Image:
    mode = _result_mode(image.mode)
    if image.mode == mode and profile and _apply_in_place(image, profile, on_share):
        return image
    result = Image.new(mode, image.size)
    for top, bottom in _strips(image.size):
        result.paste(transform.apply(image.crop((0, top, image.width, bottom))), (0, top))
        on_share(bottom / image.height)
    return result


def _apply_in_place(image: Image.Image, profile: bytes, on_share: OnShare) -> bool:
    """Spares the memory of a second image. False where it cannot be done."""
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
