"""A still into a WebP file: encoded once at the quality asked for, or as often as a size or a score needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from backend.codec.encoders import auto_quality, quality, quality_search
from backend.codec.encoders.encoder import Facts, OnShare
from backend.codec.encoders.webp import bitstream
from backend.codec.native import libwebp
from backend.codec.progress import curves
from backend.codec.resource_limits import is_lossless
from backend.core.options import Options

SEARCH_QUALITY = 75.0
"""Set before a search begins, which replaces it at each pass."""


@contextmanager
def encode_image(image: Image.Image, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """The WebP file and what the result reports. ``image`` is closed as soon as its pixels are not needed any more."""
    if quality.is_auto(options) and options.target_bytes is None:
        found = search_by_score(image, options, on_share, image.close)
        yield memoryview(found.best.data), quality.facts_of_score(found)
        return
    has_alpha = _has_alpha(image)
    with bitstream.import_picture(image, argb=needs_argb(options)) as picture:
        image.close()
        with encode_picture(picture, options, on_share, has_alpha=has_alpha) as encoded:
            yield encoded


@contextmanager
def encode_picture(picture: libwebp.Picture, options: Options, on_share: OnShare, *, has_alpha: bool) -> Iterator[tuple[memoryview, Facts]]:
    """As ``encode_image``, of pixels that libwebp holds. Not for ``quality=auto``, which needs them as an image too."""
    curve = curves.curve_for(options, picture.width * picture.height, has_alpha=has_alpha)
    if options.target_bytes is not None and not is_lossless(options):
        config = bitstream.config_for(options, SEARCH_QUALITY)
        found = quality_search.search_by_size(_passes(picture, config, curve, on_share), options.target_bytes)
        yield memoryview(found.best.data), quality.facts_of_size(found)
        return
    config = bitstream.config_for(options, fixed_quality(options))
    with bitstream.encode(picture, config, lambda percent: on_share(curve(percent))) as webp:
        yield webp, {}


def search_by_score(
    image: Image.Image, options: Options, on_share: OnShare, on_ready: Callable[[], None] = lambda: None
) -> quality_search.ScoreResult:
    """The still that ``quality=auto`` gives. ``on_ready`` is called once ``image`` is not needed any more."""
    pixels = image.width * image.height
    config, curve = bitstream.config_for(options, SEARCH_QUALITY), curves.curve_for(options, pixels, has_alpha=_has_alpha(image))
    config.filter_sharpness = auto_quality.SHARPNESS
    encode_ms = curves.cost_ms(options, pixels, has_alpha=image.mode == "RGBA")
    with bitstream.import_picture(image, argb=needs_argb(options)) as picture:
        encode = _passes(picture, config, lambda percent: quality.ENCODE_SHARE * curve(percent), on_share)
        return auto_quality.search(image, encode, libwebp.decode, encode_ms, on_ready)


def fixed_quality(options: Options) -> float:
    """The quality of a single encode. The lossless encoder reads ``auto`` as its default effort."""
    return bitstream.LOSSLESS_EFFORT if options.quality == "auto" else float(options.quality)


def needs_argb(options: Options) -> bool:
    return is_lossless(options) or options.sharp_yuv


def _passes(picture: libwebp.Picture, config: libwebp.Config, curve: curves.Curve, on_share: OnShare) -> Callable[[float], bytes]:
    """A function that encodes at a quality, and may be called again and again."""
    number = 0

    def encode_at(chosen: float) -> bytes:
        nonlocal number
        config.quality = chosen
        with bitstream.encode(picture, config, lambda percent: on_share(quality.share_of_pass(number, curve(percent)))) as webp:
            number += 1
            return bytes(webp)

    return encode_at


def _has_alpha(image: Image.Image) -> bool:
    return image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
