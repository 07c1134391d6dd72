"""Which of the things that a PNG says of its colours counts. The judge is Chromium."""

from __future__ import annotations

import struct
import zlib

import pytest

from backend.codec.image.colour import SRGB_PROFILE
from backend.codec.image.colour_signal import CodePoints, profile_for
from tests.support.chromium_pictures import ChromiumJudge, difference
from tests.support.png_files import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, Apng, ApngFrame, Png, chunk, noise
from tests.unit.codec.conftest import Convert
from tests.unit.codec.image.readers_here import pixels_of
from tests.unit.codec.image.test_embedded_profile import curve, profile

N = noise(48, 40)
DISPLAY_P3, BT_2020 = (profile_for(CodePoints(primaries, 13)) or b"" for primaries in (12, 9))
ADOBE_RGB = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
BT_709 = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
SRGB = chunk(b"sRGB", b"\0")
LINEAR = 100_000


def gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def chromaticities(values: tuple[int, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(f">{len(values)}I", *values))


def icc(profile: bytes, name: bytes = b"x", method: bytes = b"\0", cut: int | None = None) -> bytes:
    return chunk(b"iCCP", name + b"\0" + method + zlib.compress(profile)[:cut])


def cicp(*values: int) -> bytes:
    return chunk(b"cICP", bytes(values))


SAID: dict[str, bytes] = {
    "nothing": b"",
    "gamma of sRGB": gamma(45_455),
    "gamma of linear light": gamma(LINEAR),
    "gamma 0": gamma(0),
    "gamma 1": gamma(1),
    "the largest gamma": gamma(0xFFFFFFFF),
    "primaries alone": chromaticities(ADOBE_RGB),
    "gamma and primaries": gamma(45_455) + chromaticities(ADOBE_RGB),
    "gamma and the primaries of sRGB": gamma(45_455) + chromaticities(BT_709),
    "a profile": icc(DISPLAY_P3),
    "a profile before sRGB": icc(DISPLAY_P3) + SRGB,
    "a profile behind sRGB": SRGB + icc(DISPLAY_P3),
    "a profile before gamma": icc(DISPLAY_P3) + gamma(LINEAR),
    "a profile behind gamma": gamma(LINEAR) + icc(DISPLAY_P3),
    "sRGB before gamma": SRGB + gamma(LINEAR),
    "sRGB behind gamma": gamma(LINEAR) + SRGB,
    "sRGB with an unknown intent": chunk(b"sRGB", b"\x09") + gamma(LINEAR),
    "sRGB without an intent": chunk(b"sRGB") + gamma(LINEAR),
    "sRGB with two intents": chunk(b"sRGB", b"\0\0") + gamma(LINEAR),
    "code points": cicp(12, 13, 0, 1),
    "code points before a profile": cicp(12, 13, 0, 1) + icc(SRGB_PROFILE),
    "code points behind a profile": icc(DISPLAY_P3) + cicp(1, 13, 0, 1),
    "unknown code points": cicp(77, 13, 0, 1) + icc(DISPLAY_P3),
    "code points of narrow range": cicp(12, 13, 0, 0) + icc(DISPLAY_P3),
    "too few code points": cicp(12, 13, 0) + icc(DISPLAY_P3),
    "code points of PQ": cicp(9, 16, 0, 1),
    "code points of HLG": cicp(9, 18, 0, 1),
    "PQ with the light of the picture": cicp(9, 16, 0, 1) + chunk(b"cLLI", struct.pack(">II", 6_000_000, 1_000_000)),
    "PQ with the light of a screen": cicp(9, 16, 0, 1) + chunk(b"mDCV", struct.pack(">8HII", *[0] * 8, 20_000_000, 1)),
    "a profile that is no zlib": chunk(b"iCCP", b"x\0\0garbage") + gamma(LINEAR),
    "a profile that is none": icc(b"nonsense" * 20) + gamma(LINEAR),
    "a profile that breaks off": icc(DISPLAY_P3, cut=-20) + gamma(LINEAR),
    "a profile without zlib's checksum": icc(DISPLAY_P3, cut=-4) + gamma(LINEAR),
    "a profile by an unknown method": icc(DISPLAY_P3, method=b"\1"),
    "a profile without a name": icc(DISPLAY_P3, name=b""),
    "a profile with a long name": icc(DISPLAY_P3, name=b"n" * 79),
    "two profiles": icc(DISPLAY_P3) + icc(BT_2020),
    "a profile of 5 MiB": icc(DISPLAY_P3 + bytes(5 << 20)),
    "a profile with a wrong checksum": icc(DISPLAY_P3)[:-4] + b"abcd" + gamma(LINEAR),
    "two gammas": gamma(LINEAR) + gamma(45_455),
    "a gamma that is too long": chunk(b"gAMA", struct.pack(">II", LINEAR, 0)),
    "primaries that are too long": gamma(45_455) + chromaticities((*ADOBE_RGB, 0)),
    "primaries that are too short": gamma(45_455) + chromaticities(ADOBE_RGB[:7]),
}
GREY_PROFILE = profile({b"kTRC": curve(round(1.8 * 256))}, space=b"GRAY")
INDEXED, GREYS = noise(48, 40, PALETTE), noise(48, 40, GREY)
FILES = {name: Png(N, between=note).file() for name, note in SAID.items()} | {
    "gamma behind the pixels": Png(N, after=gamma(LINEAR)).file(),
    "gamma behind the palette": Png(INDEXED, PALETTE, between=gamma(LINEAR)).file(),
    "a profile behind the palette": Png(INDEXED, PALETTE, between=icc(DISPLAY_P3)).file(),
    "code points before the palette": Png(INDEXED, PALETTE, before=cicp(12, 13, 0, 1)).file(),
    "code points behind the palette": Png(INDEXED, PALETTE, between=cicp(12, 13, 0, 1)).file(),
    "grey with a gamma": Png(GREYS, GREY, between=gamma(LINEAR)).file(),
    "grey with one transparent value and a gamma": Png(GREYS, GREY, between=gamma(LINEAR) + chunk(b"tRNS", b"\0\x40")).file(),
    "grey of 2 bits with a gamma": Png(noise(48, 40, GREY, 2), GREY, 2, between=gamma(LINEAR)).file(),
    "grey with a profile": Png(GREYS, GREY, between=icc(GREY_PROFILE)).file(),
    "grey with one transparent value and a profile": Png(GREYS, GREY, between=icc(GREY_PROFILE) + chunk(b"tRNS", b"\0\x40")).file(),
    "grey with alpha and a profile": Png(noise(48, 40, GREY_ALPHA), GREY_ALPHA, between=icc(GREY_PROFILE)).file(),
    "grey of 16 bits with one transparent value and a profile": Png(
        noise(48, 40, GREY, 16), GREY, 16, between=icc(GREY_PROFILE) + chunk(b"tRNS", b"\0\x40")
    ).file(),
    "alpha with primaries": Png(noise(48, 40, RGBA), RGBA, between=gamma(45_455) + chromaticities(ADOBE_RGB)).file(),
    "16 bits with a gamma": Png(noise(48, 40, depth=16), depth=16, between=gamma(LINEAR)).file(),
}


def test_what_is_said_of_colours_counts_as_in_chromium(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    for (name, file), its in zip(FILES.items(), chromium_judge.shown(list(FILES.values())), strict=True):
        assert its is not None, name
        mine = pixels_of(convert(file, lossless=True, method=0).image())
        assert difference(mine, its.pixels).mean() < 1, name


@pytest.mark.parametrize(
    ("colour", "said"),
    [
        (RGB, icc(DISPLAY_P3)),
        (RGBA, cicp(12, 13, 0, 1)),
        (GREY, icc(GREY_PROFILE)),
        (GREY_ALPHA, icc(GREY_PROFILE)),
        (GREY, gamma(LINEAR)),
        (PALETTE, gamma(LINEAR)),
    ],
    ids=["RGB", "RGBA", "grey", "grey with alpha", "grey by gamma", "palette by gamma"],
)
@pytest.mark.parametrize("animation", ["keep", "first"])
def test_all_frames_have_the_colours_of_the_file(convert: Convert, chromium_judge: ChromiumJudge, colour: int, said: bytes, animation: str) -> None:
    size = (24, 20)
    frames = [ApngFrame(noise(*size, colour)), ApngFrame(noise(9, 7, colour, seed=1), left=3, top=5)]
    file = Apng(frames, colour, size=size, between=said).file()
    result, [its] = convert(file, lossless=True, animation=animation).image(), chromium_judge.frames([file])
    assert its is not None
    for number in range(getattr(result, "n_frames", 1)):
        result.seek(number)
        assert difference(pixels_of(result), its.frames[number].pixels).mean() < 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (cicp(12, 13, 0, 1), (217, 42, 52)),
        (gamma(45_455) + chromaticities(ADOBE_RGB), (231, 57, 57)),
    ],
    ids=["Display P3", "Adobe RGB"],
)
def test_a_known_colour_is_as_other_readers_have_it(convert: Convert, said: bytes, shown: tuple[int, int, int]) -> None:
    """The source's colour is what the reports' files have: 200, 60, 60."""
    image = convert(Png(N * 0 + [200, 60, 60], between=said).file(), lossless=True).image().convert("RGB")
    assert max(abs(a - b) for a, b in zip(image.getpixel((5, 5)), shown, strict=True)) <= 2  # type: ignore[arg-type]
