"""Which quality, and so how many encodes, an image gets: one as asked for, or as many as a size or a score takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from backend.codec.encoders import auto_quality, quality_search, still
from backend.codec.native import libwebp
from backend.codec.progress import curves
from backend.codec.resource_limits import is_lossless
from backend.core.options import Options

OnShare = Callable[[float], None]
Facts = dict[str, Any]

ENCODING = 0.7
"""What the encode takes of a pass that is looked at afterwards, measured from 0.7 to 12 megapixels."""
_LATER = 0.55
"""Nobody knows how many passes a size will take: each is given so much of what is left, so the bar slows down and never stands."""


@contextmanager
def encoded(image: Image.Image, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """The WebP file, valid until the context ends, and what the result reports. ``image`` is closed on the way."""
    if is_auto(options) and options.target_bytes is None:
        seen = for_look(image, options, on_share, image.close)
        yield memoryview(seen.best.data), facts_of_look(seen)
        return
    has_alpha = _has_alpha(image)
    with still.picture_of(image, argb=needs_argb(options)) as picture:
        image.close()
        with encoded_picture(picture, options, on_share, has_alpha=has_alpha) as made:
            yield made


@contextmanager
def encoded_picture(picture: libwebp.Picture, options: Options, on_share: OnShare, *, has_alpha: bool) -> Iterator[tuple[memoryview, Facts]]:
    """As ``encoded``, of pixels that libwebp has; not for ``quality=auto``."""
    curve = curves.of(options, picture.width * picture.height, has_alpha=has_alpha)
    if options.target_bytes is not None and not is_lossless(options):
        config = still.config_for(options, 75.0)
        found = quality_search.for_size(_passes(picture, config, curve, on_share), options.target_bytes)
        yield memoryview(found.best.data), facts_of(found)
        return
    with still.encoded(picture, still.config_for(options, fixed_quality(options)), lambda percent: on_share(curve(percent))) as webp:
        yield webp, {}


def for_look(image: Image.Image, options: Options, on_share: OnShare, on_ready: Callable[[], None] = lambda: None) -> quality_search.Seen:
    """The still that ``quality=auto`` gives; once ``on_ready`` is called, ``image`` is no longer needed."""
    config, curve = still.config_for(options, 75.0), curves.of(options, image.width * image.height, has_alpha=_has_alpha(image))
    config.filter_sharpness = auto_quality.SHARPNESS
    encode_ms = curves.cost_ms(options, image.width * image.height, has_alpha=image.mode == "RGBA")
    with still.picture_of(image, argb=needs_argb(options)) as picture:
        return auto_quality.seen(image, _passes(picture, config, lambda percent: ENCODING * curve(percent), on_share), encode_ms, on_ready)


def facts_of_look(seen: quality_search.Seen) -> Facts:
    return {"quality": round(seen.best.quality, 1), "score": round(seen.best.score, 1), "probes": seen.probes}


def is_auto(options: Options) -> bool:
    return options.quality == "auto" and not is_lossless(options)


def fixed_quality(options: Options) -> float:
    """For the lossless encoder ``auto`` is its default effort."""
    return still.LOSSLESS_EFFORT if options.quality == "auto" else float(options.quality)


def facts_of(found: quality_search.Found) -> Facts:
    return {"quality": round(found.best.quality, 1), "passes": found.passes, "target_met": found.is_met}


def share_of_pass(number: int, share: float) -> float:
    """Of all passes together, when pass ``number`` (from 0) is at ``share``."""
    return 1 - (1 - _LATER) ** number * (1 - _LATER * share)


def _passes(picture: libwebp.Picture, config: libwebp.Config, curve: curves.Curve, on_share: OnShare) -> Callable[[float], bytes]:
    """The file at a quality, again and again."""
    number = 0

    def encode(quality: float) -> bytes:
        nonlocal number
        config.quality = quality
        with still.encoded(picture, config, lambda percent: on_share(share_of_pass(number, curve(percent)))) as webp:
            number += 1
            return bytes(webp)

    return encode


def needs_argb(options: Options) -> bool:
    return is_lossless(options) or options.sharp_yuv


def _has_alpha(image: Image.Image) -> bool:
    return image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
