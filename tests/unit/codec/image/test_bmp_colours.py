"""BMP of versions 4 and 5: an embedded profile counts; calibrated colours and a linked profile do not, as in Chromium."""

from __future__ import annotations

import struct

import numpy
import pytest

from backend.codec.image.colour_signal import CodePoints, profile_for
from tests.support.chromium_pictures import ChromiumJudge, difference
from tests.unit.codec.conftest import Convert

ADOBE_RGB = (0.57667, 0.29734, 0.02703, 0.18556, 0.62736, 0.07069, 0.18823, 0.07529, 0.99134)
P3 = profile_for(CodePoints(12, 13)) or b""


def bmp(space: bytes, profile: bytes = b"", gamma: float = 0.0, version: int = 5) -> bytes:
    """32 × 32 pixels of 24 bits. Ends are counted in 2⁻³⁰, gammas in 2⁻¹⁶."""
    pixels = numpy.random.default_rng(1).integers(0, 256, 3 * 32 * 32, dtype=numpy.uint8).tobytes()
    head_bytes = 124 if version == 5 else 108
    ends = b"".join(struct.pack("<i", round(each * (1 << 30))) for each in (ADOBE_RGB if gamma else (0.0,) * 9))
    head = struct.pack("<IiiHHIIiiII4I", head_bytes, 32, 32, 1, 24, 0, len(pixels), 2835, 2835, 0, 0, 0xFF0000, 0xFF00, 0xFF, 0)
    head += space + ends + struct.pack("<3I", *[round(gamma * 65536)] * 3)
    if version == 5:
        head += struct.pack("<4I", 4, head_bytes + len(pixels) if profile else 0, len(profile), 0)
    body = head + pixels + profile
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 14 + head_bytes) + body


FILES = {
    "sRGB": bmp(b"BGRs"),
    "Windows": bmp(b" niW"),
    "calibrated": bmp(bytes(4), gamma=2.2),
    "calibrated, version 4": bmp(bytes(4), gamma=1.0, version=4),
    "embedded": bmp(b"DEBM", P3),
    "embedded nonsense": bmp(b"DEBM", b"nonsense" * 30),
    "linked": bmp(b"KNIL", b"c:\\colours.icc\0"),
}


@pytest.mark.parametrize("name", FILES)
def test_colours_are_those_that_chromium_shows(convert: Convert, chromium_judge: ChromiumJudge, name: str) -> None:
    [theirs] = chromium_judge.shown([FILES[name]])
    assert theirs is not None
    result = numpy.asarray(convert(FILES[name], lossless=True).image().convert("RGBA"))
    assert difference(result, theirs.pixels).mean() < 1
