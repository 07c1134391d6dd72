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
"""Set before a search for a score begins, which replaces it at each pass."""


@contextmanager
def encode_image(image: Image.Image, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """The WebP file and what the result reports. ``image`` is closed as soon as its pixels are not needed any more."""
    if quality.is_auto(options):
        with _search(image, options, on_share) as search:
            scored = search.by_score(image.close)
            yield search.within_target(scored)
        return
    is_alpha = has_alpha(image)
    with bitstream.import_picture(image, argb=needs_argb(options)) as picture:
        image.close()
        with encode_picture(picture, options, on_share, has_alpha=is_alpha) as encoded:
            yield encoded


@contextmanager
def encode_picture(picture: libwebp.Picture, options: Options, on_share: OnShare, *, has_alpha: bool) -> Iterator[tuple[memoryview, Facts]]:
    """As ``encode_image``, of pixels that libwebp holds. Not for ``quality=auto``, which needs them as an image too."""
    curve = curves.curve_for(options, picture.width * picture.height, has_alpha=has_alpha)
    config = bitstream.config_for(options, fixed_quality(options))
    if options.target_bytes is not None and not is_lossless(options):
        encode_at = _passes(picture, config, curve, on_share)
        first = quality_search.Pass(config.quality, encode_at(config.quality))
        found = quality_search.search_by_size(encode_at, options.target_bytes, first)
        yield memoryview(found.best.data), quality.facts_of_size(found)
        return
    with bitstream.encode(picture, config, lambda percent: on_share(curve(percent))) as webp:
        yield webp, {}


def quality_by_score(image: Image.Image, options: Options) -> quality_search.ScoreResult:
    """What ``quality=auto`` finds for this picture."""
    with _search(image, options, lambda _share: None) as search:
        return search.by_score(lambda: None)


class _Search:
    """The encodes of one picture that ``quality=auto`` compares. Opened by ``_search``."""

    def __init__(self, image: Image.Image, options: Options, encode_at: Callable[[float], bytes]) -> None:
        self._image, self._options, self._encode_at = image, options, encode_at

    def by_score(self, on_ready: Callable[[], None]) -> quality_search.ScoreResult:
        """``on_ready`` is called once the image is not needed any more."""
        encode_ms = curves.cost_ms(self._options, self._image.width * self._image.height, has_alpha=self._image.mode == "RGBA")
        return auto_quality.search(self._image, self._encode_at, libwebp.decode, encode_ms, on_ready)

    def within_target(self, scored: quality_search.ScoreResult) -> tuple[memoryview, Facts]:
        """The file that was found by its score or, where that is above ``target_bytes``, one of a lower quality."""
        best, target_bytes = scored.best, self._options.target_bytes
        if target_bytes is None:
            return memoryview(best.data), quality.facts_of_score(scored)
        if len(best.data) <= target_bytes:
            return memoryview(best.data), {**quality.facts_of_score(scored), "target_met": True}
        found = quality_search.search_by_size(self._encode_at, target_bytes, quality_search.Pass(best.quality, best.data))
        return memoryview(found.best.data), quality.facts_of_size(found)


@contextmanager
def _search(image: Image.Image, options: Options, on_share: OnShare) -> Iterator[_Search]:
    config = bitstream.config_for(options, SEARCH_QUALITY)
    config.filter_sharpness = auto_quality.SHARPNESS
    curve = curves.curve_for(options, image.width * image.height, has_alpha=has_alpha(image))
    with bitstream.import_picture(image, argb=needs_argb(options)) as picture:
        yield _Search(image, options, _passes(picture, config, lambda percent: quality.ENCODE_SHARE * curve(percent), on_share))


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


def has_alpha(image: Image.Image) -> bool:
    return image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
