"""``lossless=auto``: a lossless still beside the lossy one where the picture looks drawn, and the smaller of the two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from PIL import Image

from backend.codec.encoders import auto_quality, quality, quality_search
from backend.codec.encoders.encoder import Facts, OnShare
from backend.codec.encoders.webp import bitstream, looks, still
from backend.codec.progress import curves
from backend.core.options import Options

TRIAL_S = 20.0
"""After so long the lossless encode of a still is given up: a third of the default time limit. Drawings of 50 megapixels take a few seconds."""
ANIMATION_TRIAL_MS = 10_000.0
"""What all frames of an animation may cost without loss, as whole photographs on an idle machine. Both ways of each frame take twice as long."""
EFFORT = 80
"""For the lossless encoder, quality is effort. This one is that of ``lossless=true`` without a quality."""


@contextmanager
def encode_image(image: Image.Image, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """As ``still.encode_image``; the result reports ``lossless`` too. A lossless file that keeps ``target_bytes`` is compared with the lossy one
    at its full quality: no quality is given up for a size that is kept without."""
    lossy, exact = replace(options, lossless=False), _exact(options)
    bar = _Bar(image, exact, lossy, on_share)
    is_drawn = looks_drawn(image, options)
    kept = _try_exact(image, exact, bar.exact) if is_drawn else None
    if kept is None:
        with still.encode_image(image, lossy, bar.lossy if is_drawn else on_share) as (webp, facts):
            yield webp, {**facts, "lossless": False}
        return
    fits = options.target_bytes is not None and len(kept) <= options.target_bytes
    facts_of_size: Facts = {} if options.target_bytes is None else {"target_met": fits}
    lossy = replace(lossy, target_bytes=None) if fits else lossy
    if _needs_no_search(image, kept, lossy, bar.least):
        image.close()
        yield memoryview(kept), {**facts_of_size, "lossless": True}
        return
    with still.encode_image(image, lossy, bar.lossy) as (webp, facts):
        is_exact = len(kept) <= len(webp)
        yield memoryview(kept) if is_exact else webp, {**facts_of_size, **({} if is_exact else facts), "lossless": is_exact}


def looks_drawn(image: Image.Image, options: Options) -> bool:
    return looks.is_drawn(image, quality_search.FIRST_PROBE if options.quality == "auto" else float(options.quality))


def may_try_frames(options: Options, pixels: int) -> bool:
    """Whether an animation with so many pixels in all its frames is small enough."""
    return curves.cost_ms(_exact(options), pixels, has_alpha=False) <= ANIMATION_TRIAL_MS


def _exact(options: Options) -> Options:
    """Those of the lossless encode."""
    return replace(options, lossless=True, quality=EFFORT, target_bytes=None)


def _try_exact(image: Image.Image, exact: Options, on_share: OnShare) -> bytes | None:
    """None where it takes too long."""
    curve = curves.curve_for(exact, image.width * image.height, has_alpha=still.has_alpha(image))
    try:
        with (
            bitstream.import_picture(image, argb=True) as picture,
            bitstream.encode(picture, bitstream.config_for(exact, EFFORT), lambda percent: on_share(curve(percent)), within_s=TRIAL_S) as webp,
        ):
            return bytes(webp)
    except bitstream.TooSlow:
        return None


def _encode(image: Image.Image, options: Options, on_share: OnShare) -> bytes:
    with (
        bitstream.import_picture(image, argb=still.needs_argb(options)) as picture,
        still.encode_picture(picture, options, on_share, has_alpha=still.has_alpha(image)) as (webp, _facts_of_it),
    ):
        return bytes(webp)


def _needs_no_search(image: Image.Image, kept: bytes, lossy: Options, on_share: OnShare) -> bool:
    """Whether the lossless file is smaller than the smallest that ``quality=auto`` may choose."""
    if not quality.is_auto(lossy) or lossy.target_bytes is not None:
        return False
    least = replace(lossy, quality=round(auto_quality.lowest_quality(image)))
    return len(kept) <= len(_encode(image, least, on_share))


class _Bar:
    """Each encode's part of the bar. The lossless and the lossy one share it by what they cost; a search may follow the first lossy encode."""

    def __init__(self, image: Image.Image, exact: Options, lossy: Options, on_share: OnShare) -> None:
        pixels, has_alpha = image.width * image.height, still.has_alpha(image)
        exact_ms, lossy_ms = (curves.cost_ms(each, pixels, has_alpha=has_alpha) for each in (exact, lossy))
        self._on_share = on_share
        self._exact_end = exact_ms / (exact_ms + lossy_ms)
        self._least_end = self._exact_end + quality.PASS_SHARE * (1 - self._exact_end) if quality.is_auto(lossy) else self._exact_end

    def exact(self, share: float) -> None:
        self._on_share(self._exact_end * share)

    def least(self, share: float) -> None:
        self._on_share(self._exact_end + (self._least_end - self._exact_end) * share)

    def lossy(self, share: float) -> None:
        self._on_share(self._least_end + (1 - self._least_end) * share)
