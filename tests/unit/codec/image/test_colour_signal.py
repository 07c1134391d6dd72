"""Colours told by code points, gAMA and cHRM: as Chromium shows them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy
import pytest
from PIL import Image, ImageCms

from backend.codec.image import colour
from backend.codec.image.colour_signal import Calibration, CodePoints, ColourSignal, profile_for
from tests.support.chromium_pictures import ChromiumJudge, Pixels, difference
from tests.unit.codec.hostile import chunk, png

PRIMARIES, TRANSFERS = (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22), (1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 16, 17, 18)
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_RGB = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
PROPHOTO = (34567, 35850, 73470, 26530, 15960, 84040, 3660, 10)
SIDE = 18
PICTURE: Pixels = numpy.array(numpy.meshgrid(*[range(0, 256, 15)] * 3, indexing="ij"), numpy.uint8).reshape(3, SIDE * SIDE, SIDE).transpose(1, 2, 0)


def png_of_colours(*chunks: bytes) -> bytes:
    rows = b"".join(b"\0" + row.tobytes() for row in PICTURE)
    return png(SIDE, SIDE * SIDE, *chunks, depth=8, kind=2, data=zlib.compress(rows))


def as_srgb(profile: bytes | None) -> Pixels:
    image = colour.to_srgb(Image.fromarray(PICTURE), profile or None, lambda _share: None)
    return numpy.asarray(image.convert("RGBA"))


def chunks_of(signal: ColourSignal) -> list[bytes]:
    if isinstance(signal, CodePoints):
        light = [chunk(b"cLLI", struct.pack(">II", int(signal.peak_nits * 10_000), 0))] if signal.peak_nits else []
        return [chunk(b"cICP", bytes((signal.primaries, signal.transfer, signal.matrix, signal.is_full_range))), *light]
    gamma = [] if signal.gamma is None else [chunk(b"gAMA", struct.pack(">I", signal.gamma))]
    return gamma + ([] if signal.chromaticities is None else [chunk(b"cHRM", struct.pack(">8I", *signal.chromaticities))])


SIGNALS: list[ColourSignal] = [
    *(CodePoints(primaries, transfer) for primaries in PRIMARIES for transfer in TRANSFERS),
    *(CodePoints(9, transfer, peak_nits=nits) for transfer in (16, 18) for nits in (100.0, 203.0, 400.0, 600.0, 2000.0, 4000.0)),
    *(CodePoints(primaries, 8) for primaries in (0, 2, 3, 13, 23, 255)),
    *(CodePoints(12, transfer) for transfer in (0, 2, 3, 9, 10, 12, 19, 255)),
    CodePoints(12, 13, is_full_range=False),
    *(Calibration(gamma) for gamma in (0, 1, 1_000, 30_000, 43_181, 43_182, 45_455, 47_727, 47_728, 55_556, 100_000, 500_000, 4_000_000_000)),
    *(Calibration(gamma, at) for gamma in (0, 45_455, 55_556, 100_000) for at in (SRGB, ADOBE_RGB, PROPHOTO)),
    Calibration(None, ADOBE_RGB),
    Calibration(100_000, (0,) * 8),  # type: ignore[arg-type]
    Calibration(100_000, (*SRGB[:2], 64000, 33000, 64000, 33000, 15000, 6000)),
    Calibration(100_000, (*SRGB[:2], 164000, 33000, 30000, 60000, 15000, 6000)),
]


@pytest.mark.slow
def test_every_signal_gives_the_colours_that_chromium_shows(chromium_judge: ChromiumJudge) -> None:
    shown = chromium_judge.shown([png_of_colours(*chunks_of(each)) for each in SIGNALS])
    mean = {}
    for signal, theirs in zip(SIGNALS, shown, strict=True):
        assert theirs is not None, signal
        mean[signal] = float(difference(as_srgb(profile_for(signal)), theirs.pixels)[..., :3].mean())
    assert {signal: steps for signal, steps in mean.items() if steps >= 2} == {}


@pytest.mark.parametrize(
    ("signal", "colour_given", "right"),
    [
        (CodePoints(12, 13), (200, 60, 60), (217, 42, 52)),
        (Calibration(45_455, ADOBE_RGB), (200, 60, 60), (231, 57, 57)),
        (CodePoints(9, 16), (128, 128, 128), (132, 132, 132)),
        (CodePoints(9, 18), (128, 128, 128), (99, 99, 99)),
    ],
)
def test_a_signal_moves_a_colour(signal: ColourSignal, colour_given: tuple[int, int, int], right: tuple[int, int, int]) -> None:
    """As Chromium 156 shows it."""
    shown = colour.to_srgb(Image.new("RGB", (1, 1), colour_given), profile_for(signal), lambda _share: None).getpixel((0, 0))
    assert isinstance(shown, tuple)
    assert all(abs(mine - theirs) <= 1 for mine, theirs in zip(shown, right, strict=True)), shown


def test_srgb_needs_no_profile_and_a_matrix_is_no_signal_for_rgb() -> None:
    assert profile_for(CodePoints(1, 13)) == b""
    assert profile_for(CodePoints(1, 13, matrix=1)) is None
    assert profile_for(CodePoints(1, 13, is_full_range=False)) is None


@pytest.mark.parametrize("signal", [CodePoints(9, 16), CodePoints(12, 13), Calibration(45_455, ADOBE_RGB)])
def test_a_profile_is_one_that_littlecms_names_as_a_display(signal: ColourSignal) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_for(signal) or b"")).profile
    assert (profile.device_class, profile.xcolor_space, profile.connection_space, profile.version) == ("mntr", "RGB ", "XYZ ", 4.4)
    assert profile_for(signal) is profile_for(signal)
