"""The kinds of files: who writes them, who judges them, and how near is near enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy

from tests.support.chromium_pictures import Animation, ChromiumJudge
from tests.system.differential import libvips
from tests.system.differential.compare import Tolerance
from tests.system.differential.writers.apng import apng
from tests.system.differential.writers.avif import avif
from tests.system.differential.writers.bmp import bmp
from tests.system.differential.writers.gif import gif
from tests.system.differential.writers.heic import heic
from tests.system.differential.writers.ico import ico
from tests.system.differential.writers.jpeg import jpeg
from tests.system.differential.writers.png import png, png_of, profile_chunk
from tests.system.differential.writers.sample import Sample
from tests.system.differential.writers.tiff import tiff
from tests.system.differential.writers.webp import webp_animated, webp_still

Judgement = Callable[[ChromiumJudge, Sequence[Sample]], "list[Animation | None]"]
EXACT = Tolerance()
COLOUR = Tolerance(mean=2.0)
"""Two engines of colour management, each right, round differently."""
COLOUR_TRAITS = {"iccp", "gama", "cicp", "nclx", "cmyk", "lab", "mode-CMYK"}
DEEP = Tolerance(most=3)
"""Of 16 bits, a colour and its alpha may each be rounded the other way."""
DEEP_TRAITS = {"depth-16", "bits-16"}


@dataclass(frozen=True)
class Kind:
    name: str
    write: Callable[[str], Sample]
    judge: Judgement
    tolerance: Tolerance = EXACT

    def tolerance_of(self, sample: Sample) -> Tolerance:
        if sample.traits & COLOUR_TRAITS:
            return COLOUR
        return DEEP if sample.traits & DEEP_TRAITS else self.tolerance


def played(judge: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """Every frame."""
    return judge.frames([each.data for each in samples])


def shown(judge: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """As <img> shows it."""
    return _shown(judge, [each.data for each in samples])


def shown_jpeg(judge: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """Where only the end marker is missing it is added: Chromium would wait for the last rows, which are all there.

    Inks without a profile are read as a press prints them, as libvips does; Chromium multiplies them.
    """
    files = [each.data + b"\xff\xd9" * ("no-end-marker" in each.traits) for each in samples]
    return [
        libvips.read(data) if "mode-CMYK" in sample.traits else shown
        for sample, data, shown in zip(samples, files, _shown(judge, files), strict=True)
    ]


def _shown(judge: ChromiumJudge, files: list[bytes]) -> list[Animation | None]:
    return [None if each is None else libvips.still(each.pixels) for each in judge.shown(files)]


def played_webp(judge: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """A profile counts in an animation too (RFC 9649 §2.7.1.3). Chromium passes it over there, so it is asked again about each frame as a PNG."""
    return [
        _with_profile(judge, each, sample.data) if each and "iccp" in sample.traits else each
        for each, sample in zip(played(judge, samples), samples, strict=True)
    ]


def _with_profile(judge: ChromiumJudge, plain: Animation, data: bytes) -> Animation:
    start = data.index(b"ICCP") + 8
    profile = data[start : start + int.from_bytes(data[start - 4 : start], "little")]
    shown = judge.shown([png_of(each.pixels, profile_chunk(profile)) for each in plain.frames])
    frames = [replace(each, pixels=managed.pixels) for each, managed in zip(plain.frames, shown, strict=True) if managed]
    return replace(plain, frames=tuple(frames))


FAINT = 16
"""Chromium's alpha, stretched, up to which it keeps no colour that could be compared: libvips' counts there."""


def played_avif(judge: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """Chromium's frames, but a still's alpha from libvips: Chromium 156 stretches it as if its range were limited (MIAF: it is full)."""
    return [
        _with_alpha(each, libvips.read(sample.data)) if each and "alpha" in sample.traits else each
        for each, sample in zip(played(judge, samples), samples, strict=True)
    ]


def _with_alpha(colours: Animation, alpha: Animation | None) -> Animation | None:
    if alpha is None or (alpha.width, alpha.height) != (colours.width, colours.height):
        return None
    shown, other = colours.frames[0].pixels, alpha.frames[0].pixels
    told = numpy.where(shown[..., 3:] > FAINT, shown[..., :3], other[..., :3])
    return libvips.still(numpy.concatenate([told, other[..., 3:]], 2))


def as_png(judge: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """What Chromium shows for the picture that was given to the encoder, as a PNG of the same colours."""
    return _shown(judge, [png_of(each.expected, each.told) for each in samples if each.expected is not None])


def specified(_: ChromiumJudge, samples: Sequence[Sample]) -> list[Animation | None]:
    """What the writer knows, else what libvips reads."""
    return [_read(each) if each.expected is None else libvips.still(each.expected) for each in samples]


def _read(sample: Sample) -> Animation | None:
    """An extra sample of no stated meaning is no alpha (TIFF 6.0, tag 338), though libvips takes it for one."""
    found = libvips.read(sample.data)
    if found is None or "extra-unspecified" not in sample.traits:
        return found
    pixels = found.frames[0].pixels.copy()
    pixels[..., 3] = 255
    return libvips.still(pixels)


KINDS = (
    Kind("gif", gif, played),
    Kind("apng", apng, played),
    Kind("webp_animated", webp_animated, played_webp),
    Kind("png", png, shown),
    Kind("webp_still", webp_still, shown),
    Kind("jpeg", jpeg, shown_jpeg),
    Kind("avif", avif, played_avif, Tolerance(most=2, mean=1)),
    Kind("bmp", bmp, shown),
    Kind("ico", ico, shown),
    Kind("heic", heic, as_png, Tolerance(mean=2)),
    Kind("tiff", tiff, specified),
)
BY_NAME = {each.name: each for each in KINDS}
