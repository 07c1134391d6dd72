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

TRIAL_MS = 20_000.0
"""Processor time for the lossless encode on an idle machine, a third of the default time limit of an encode."""

EFFORT = 80
"""For the lossless encoder, quality is effort. This one is that of ``lossless=true`` without a quality."""


@contextmanager
def encode_image(image: Image.Image, options: Options, on_share: OnShare) -> Iterator[tuple[memoryview, Facts]]:
    """As ``still.encode_image``; the result reports ``lossless`` too. A lossless file that keeps ``target_bytes`` is compared with the lossy one
    at its full quality: no quality is given up for a size that is kept without."""
    lossy, exact = replace(options, lossless=False), exact_options(image, options, image.width * image.height)
    if exact is None:
        with still.encode_image(image, lossy, on_share) as (webp, facts):
            yield webp, {**facts, "lossless": False}
        return
    bar = _Bar(image, exact, lossy, on_share)
    kept = _encode(image, exact, bar.exact)
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


def exact_options(image: Image.Image, options: Options, pixels: int) -> Options | None:
    """Those of the lossless encode; None where ``image`` does not look drawn, or ``pixels`` (of all frames) would take too long."""
    exact = replace(options, lossless=True, quality=EFFORT, target_bytes=None)
    efforts = (replace(exact, method=method) for method in range(options.method, -1, -1))
    affordable = next((each for each in efforts if curves.cost_ms(each, pixels, has_alpha=False) <= TRIAL_MS), None)
    return affordable if affordable is not None and looks.is_drawn(image, _expected_quality(options)) else None


def _expected_quality(options: Options) -> float:
    return quality_search.FIRST_PROBE if options.quality == "auto" else float(options.quality)


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
