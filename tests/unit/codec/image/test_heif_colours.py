"""AVIF and HEIC whose colours are told by code points: as Chromium shows them."""

from __future__ import annotations

import struct

import numpy
import pytest
from PIL import Image

from tests.support.chromium_pictures import ChromiumJudge, Pixels, difference
from tests.unit.codec.conftest import Convert, saved
from tests.unit.codec.image.test_colour_signal import PICTURE, PRIMARIES

TRANSFERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 17, 18, 19)
PLAIN = saved(Image.fromarray(PICTURE), "AVIF", quality=100, subsampling="4:4:4")


def told(source: bytes, primaries: int, transfer: int, matrix: int | None = None) -> bytes:
    """With other code points in its box ``colr``."""
    at = source.index(b"colrnclx") + 8
    points = struct.pack(">HH", primaries, transfer)
    return source[:at] + points + (source[at + 4 : at + 6] if matrix is None else struct.pack(">H", matrix)) + source[at + 6 :]


def converted(convert: Convert, source: bytes) -> Pixels:
    return numpy.asarray(convert(source, lossless=True).image().convert("RGBA"))


@pytest.mark.slow
def test_every_pair_of_code_points_is_shown_as_by_chromium(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    pairs = [(primaries, transfer) for primaries in (*PRIMARIES, 0, 2, 3, 13, 255) for transfer in TRANSFERS]
    sources = [told(PLAIN, *each) for each in pairs]
    mean = {}
    for pair, source, theirs in zip(pairs, sources, chromium_judge.shown(sources), strict=True):
        assert theirs is not None, pair
        mean[pair] = float(difference(converted(convert, source), theirs.pixels)[..., :3].mean())
    assert {pair: steps for pair, steps in mean.items() if steps >= 2} == {}
