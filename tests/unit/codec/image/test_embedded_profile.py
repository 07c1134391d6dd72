"""Profiles of every kind beside pixels of every kind: as Chromium shows them, and never a wrong picture in silence."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy
import pytest
from PIL import Image

from backend.codec.image import colour, steps
from backend.codec.image.colour_signal import icc_writer
from backend.codec.image.colour_signal.primaries import BT_709, OF_CODE_POINT, matrix_to_d50
from backend.codec.image.colour_signal.transfers import SRGB
from tests.support.chromium_pictures import ChromiumJudge, Pixels, difference
from tests.unit.codec.conftest import Convert, picture, saved
from tests.unit.codec.hostile import chunk, png
from tests.unit.codec.image.test_colour_signal import ADOBE_RGB
from tests.unit.codec.image.test_steps import plan

V2, V4 = b"\x02\x40\0\0", b"\x04\x40\0\0"
D50 = struct.pack(">3i", 63190, 65536, 54061)
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Of PNG's colour types."""


def profile(
    tags: dict[bytes, bytes], kind: bytes = b"mntr", space: bytes = b"RGB ", pcs: bytes = b"XYZ ", version: bytes = V2, intent: int = 0
) -> bytes:
    tags = {b"desc": b"desc\0\0\0\0\0\0\0\1" + bytes(90), b"cprt": b"text\0\0\0\0\0\0\0\0", b"wtpt": b"XYZ \0\0\0\0" + D50} | tags
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4x", start + len(body)) + version + kind + space + pcs + bytes(12) + b"acsp" + bytes(24) + struct.pack(">I", intent)
    return head + D50 + bytes(48) + struct.pack(">I", len(tags)) + table + body


def curve(*values: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


COLUMNS = zip((b"rXYZ", b"gXYZ", b"bXYZ"), zip(*matrix_to_d50(OF_CODE_POINT[12]), strict=True), strict=True)
MATRIX = {name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in column)) for name, column in COLUMNS}
CURVES = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(round(2.2 * 256)))
PLAIN = profile(MATRIX | CURVES)


def table(*order: int) -> bytes:
    """A tag that exchanges the channels."""
    levels = [65535 * rgb[each] for rgb in ((r, g, b) for r in (0, 1) for g in (0, 1) for b in (0, 1)) for each in order]
    whole = icc_writer.table_profile(2, levels, SRGB, matrix_to_d50(BT_709))
    return whole[whole.index(b"mAB ") :]


PROFILES = {
    "plain": PLAIN,
    "version 4": icc_writer.matrix_profile(matrix_to_d50(OF_CODE_POINT[12]), SRGB),
    **{f"version {number}": profile(MATRIX | CURVES, version=bytes((number, 0, 0, 0))) for number in (0, 5, 9)},
    **{f"class {kind!r}": profile(MATRIX | CURVES, kind) for kind in (b"scnr", b"prtr", b"spac", b"link", b"abst", b"nmcl", bytes(4))},
    **{f"space {space!r}": profile(MATRIX | CURVES, space=space) for space in (b"CMYK", b"GRAY")},
    **{f"intent {number}": profile(MATRIX | CURVES, intent=number) for number in (1, 2, 3, 9)},
    "connected by RGB": profile(MATRIX | CURVES, pcs=b"RGB "),
    "grey": profile({b"kTRC": curve(round(1.8 * 256))}, space=b"GRAY"),
    "grey, light-linear": profile({b"kTRC": curve(256)}, space=b"GRAY"),
    "grey by Lab": profile({b"kTRC": curve(round(1.8 * 256))}, space=b"GRAY", pcs=b"Lab "),
    "grey curve in RGB": profile({b"kTRC": curve(round(1.8 * 256))} | MATRIX | CURVES),
    "CMYK": colour.CMYK_PROFILE,
    "no curves": profile(MATRIX),
    "one curve": profile(MATRIX | {b"rTRC": curve(round(2.2 * 256))}),
    "no matrix": profile(CURVES),
    "curve of 1024": profile(MATRIX | dict.fromkeys(CURVES, curve(*(round(65535 * (at / 1023) ** 2.6) for at in range(1024))))),
    "falling curve": profile(MATRIX | dict.fromkeys(CURVES, curve(65535, 0))),
    "matrix of nothing": profile(dict.fromkeys(MATRIX, b"XYZ \0\0\0\0" + bytes(12)) | CURVES),
    "table": profile({b"A2B0": table(2, 0, 1)}, version=V4),
    "two tables": profile({b"A2B0": table(2, 0, 1), b"A2B1": table(1, 2, 0)}, version=V4),
    "two tables, colorimetric": profile({b"A2B1": table(1, 2, 0), b"A2B0": table(2, 0, 1)}, version=V4, intent=1),
    "table of the second intent": profile({b"A2B1": table(2, 0, 1)} | MATRIX | CURVES, version=V4),
    "table of the third intent": profile({b"A2B2": table(2, 0, 1)}, version=V4),
    "float table": profile({b"A2B0": table(2, 0, 1), b"D2B1": b"mpet\0\0\0\0"}, version=V4),
    "broken table": profile({b"A2B0": table(2, 0, 1)[:20]} | MATRIX | CURVES, version=V4),
    **{
        f"cicp {points}": profile(MATRIX | CURVES | {b"cicp": b"cicp\0\0\0\0" + bytes(points)})
        for points in ((9, 16, 0, 1), (9, 18, 0, 1), (1, 13, 0, 1))
    },
    **{
        f"cicp {points}": profile(MATRIX | CURVES | {b"cicp": b"cicp\0\0\0\0" + bytes(points)})
        for points in ((9, 1, 0, 1), (9, 16, 1, 1), (9, 16, 0, 0))
    },
    "longer than it is": struct.pack(">I", 1 << 30) + PLAIN[4:],
    "shorter than it is": struct.pack(">I", 200) + PLAIN[4:],
    "cut": PLAIN[:-30],
    "with more behind": PLAIN + b"more" * 100,
    "no signature": PLAIN.replace(b"acsp", b"none"),
    "nonsense": b"nonsense" * 40,
    "a million tags": PLAIN[:128] + struct.pack(">I", 1_000_000) + PLAIN[132:],
    "no bytes": b"",
}


def pixels(kind: int) -> Pixels:
    """Of PNG's colour type, 16 × 256."""
    if kind in (0, 4):
        grey = numpy.repeat(numpy.arange(256, dtype=numpy.uint8)[:, None, None], 16, 1)
        return grey if kind == 0 else numpy.concatenate([grey, 255 - grey // 2], 2)
    return numpy.random.default_rng(kind).integers(0, 256, (256, 16, CHANNELS[kind]), dtype=numpy.uint8)


def png_of(kind: int, *chunks: bytes) -> bytes:
    rows = b"".join(b"\0" + row.tobytes() for row in pixels(kind))
    return png(16, 256, *chunks, depth=8, kind=kind, data=zlib.compress(rows))


def with_profile(kind: int, data: bytes, *chunks: bytes) -> bytes:
    return png_of(kind, chunk(b"iCCP", b"x\0\0" + zlib.compress(data)), *chunks)


def converted(convert: Convert, source: bytes) -> Pixels:
    return numpy.asarray(convert(source, lossless=True).image().convert("RGBA"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHANNELS)
def test_every_profile_beside_every_kind_of_pixels_is_shown_as_by_chromium(convert: Convert, chromium_judge: ChromiumJudge, kind: int) -> None:
    sources = {name: with_profile(kind, data) for name, data in PROFILES.items()}
    shown = chromium_judge.shown(list(sources.values()))
    mean = {}
    for (name, source), theirs in zip(sources.items(), shown, strict=True):
        assert theirs is not None, name
        mean[name] = float(difference(converted(convert, source), theirs.pixels).mean())
    assert {name: steps for name, steps in mean.items() if steps >= 1} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "grey", "CMYK", "curve of 1024", "cicp (9, 16, 0, 1)", "nonsense"])
def test_every_format_and_mode_with_a_profile_is_shown_as_by_chromium(convert: Convert, chromium_judge: ChromiumJudge, name: str) -> None:
    colours, grey, given = picture(), picture(mode="L"), {"icc_profile": PROFILES[name]}
    sources = {
        "JPEG": saved(colours, "JPEG", subsampling=0, **given),
        "grey JPEG": saved(grey, "JPEG", **given),
        "WebP": saved(picture(mode="RGBA"), "WEBP", lossless=True, exact=True, **given),
        "PNG with a palette": saved(colours.quantize(64), "PNG", **given),
        "PNG of 1 bit": saved(grey.convert("1"), "PNG", **given),
        "PNG of 16 bits": saved(grey.convert("I").point(lambda level: level * 257).convert("I;16"), "PNG", **given),
        "AVIF": saved(colours, "AVIF", subsampling="4:4:4", **given),
        "grey AVIF": saved(grey, "AVIF", subsampling="4:0:0", **given),
    }
    shown = zip(sources.items(), chromium_judge.shown(list(sources.values())), strict=True)
    mean = {kind: float(difference(converted(convert, source), theirs.pixels).mean()) for (kind, source), theirs in shown if theirs}
    assert len(mean) >= 6 and {kind: steps for kind, steps in mean.items() if steps >= 1} == {}


def test_grey_with_alpha_and_a_profile_keeps_its_alpha(convert: Convert) -> None:
    """It came out wholly transparent."""
    result = converted(convert, with_profile(4, PROFILES["grey"]))
    assert (result[..., 3] == pixels(4)[..., 1]).all()
    assert tuple(result[64, 0, :3]) == (81, 81, 81), result[64, 0]


@pytest.mark.parametrize("kind", [0, 4])
def test_the_darks_of_a_light_linear_grey_are_exact(convert: Convert, kind: int) -> None:
    """sRGB's own curve (IEC 61966-2-1) is the judge: LittleCMS' shortcut for greys was ten steps off."""
    result = converted(convert, with_profile(kind, PROFILES["grey, light-linear"]))
    for level in range(256):
        light = level / 255
        right = 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
        assert abs(int(result[level, 0, 0]) - right) <= 1, level


def test_grey_with_a_transparent_level_keeps_its_profile(convert: Convert) -> None:
    result = converted(convert, with_profile(0, PROFILES["grey"], chunk(b"tRNS", b"\0\x05")))
    assert tuple(result[64, 0]) == (81, 81, 81, 255), result[64, 0]
    assert [int(each) for each in numpy.flatnonzero(result[:, 0, 3] == 0)] == [5]


def test_alpha_beside_a_profile_for_colours_stays_to_the_last_step(convert: Convert) -> None:
    assert (converted(convert, with_profile(6, PLAIN))[..., 3] == pixels(6)[..., 3]).all()


def test_a_grey_of_one_bit_with_a_transparent_level_and_a_profile(convert: Convert) -> None:
    source = png(
        8,
        1,
        chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILES["falling curve"])),
        chunk(b"tRNS", b"\0\0"),
        depth=1,
        kind=0,
        data=zlib.compress(b"\0\x0f"),
    )
    result = converted(convert, source)
    assert list(result[0, :, 3]) == [0] * 4 + [255] * 4
    assert tuple(result[0, 7, :3]) == (0, 0, 0)


@pytest.mark.parametrize("space", [b"HSV ", b"Lab ", b"YCbr"])
def test_a_profile_of_colours_that_no_pixels_have_is_passed_over(space: bytes) -> None:
    """As Chromium does in JPEG and WebP; in PNG it takes them for RGB."""
    assert not colour.changes_colours("RGB", profile(MATRIX | CURVES, space=space))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "LAB", "YCbCr", "HSV", "I", "I;16", "F"])
@pytest.mark.parametrize("name", ["plain", "grey", "CMYK", "nonsense"])
def test_every_mode_beside_every_profile_gives_an_opaque_picture(mode: str, name: str) -> None:
    grey = Image.new("RGBA", (320, 200), (128, 128, 128, 255)).convert(mode)
    result = steps.transform(grey, replace(plan(), profile=PROFILES[name]), lambda _share: None)
    assert result.mode in ("RGB", "RGBA")
    assert result.convert("RGBA").getpixel((5, 5))[3] == 255  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHANNELS)
def test_told_colours_beside_every_kind_of_pixels_are_shown_as_by_chromium(convert: Convert, chromium_judge: ChromiumJudge, kind: int) -> None:
    gamma, adobe_rgb = chunk(b"gAMA", struct.pack(">I", 55_556)), chunk(b"cHRM", struct.pack(">8I", *ADOBE_RGB))
    sources = {
        "Display P3": png_of(kind, chunk(b"cICP", bytes((12, 13, 0, 1)))),
        "PQ": png_of(kind, chunk(b"cICP", bytes((9, 16, 0, 1)))),
        "PQ with a peak": png_of(kind, chunk(b"cICP", bytes((9, 16, 0, 1))), chunk(b"cLLI", struct.pack(">II", 40_000_000, 0))),
        "HLG": png_of(kind, chunk(b"cICP", bytes((9, 18, 0, 1)))),
        "gAMA": png_of(kind, gamma),
        "gAMA and cHRM": png_of(kind, gamma, adobe_rgb),
        "cICP before a profile": with_profile(kind, PROFILES["plain"], chunk(b"cICP", bytes((9, 13, 0, 1)))),
        "an unusable cICP before a profile": with_profile(kind, PROFILES["plain"], chunk(b"cICP", bytes((2, 2, 0, 1)))),
    }
    shown = zip(sources.items(), chromium_judge.shown(list(sources.values())), strict=True)
    mean = {name: float(difference(converted(convert, source), theirs.pixels).mean()) for (name, source), theirs in shown if theirs}
    assert mean.keys() == sources.keys() and {name: steps for name, steps in mean.items() if steps >= 1} == {}
