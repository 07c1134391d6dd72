"""No colour shifts: profiles, CMYK and deep samples against libvips and against arithmetic."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
import pyvips
from PIL import Image, ImageChops, ImageCms

from tests.unit.codec.conftest import CORPUS, Convert, picture, saved
from tests.unit.codec.encoders.test_still import difference
from tests.unit.codec.hostile import chunk, png


def png_of_16_bits(width: int, height: int, values: list[int], kind: int) -> bytes:
    """``kind`` is PNG's colour type: 2 RGB, 6 RGBA."""
    channels = {2: 3, 6: 4}[kind]
    rows = [values[at : at + width * channels] for at in range(0, len(values), width * channels)]
    raw = b"".join(b"\0" + struct.pack(f">{len(row)}H", *row) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
            (b"IDAT", zlib.compress(raw)),
            (b"IEND", b""),
        )
    )


@pytest.mark.parametrize("kind", [2, 6])
def test_sixteen_bits_of_colour_are_rounded(convert: Convert, kind: int) -> None:
    channels = {2: 3, 6: 4}[kind]
    values = [(number * 7919 + 127) % 65536 for number in range(64 * 16 * channels)]
    if kind == 6:
        values[3::4] = [65535] * (64 * 16)
    result = convert(png_of_16_bits(64, 16, values, kind), lossless=True).image().convert("RGBA" if kind == 6 else "RGB")
    assert list(result.tobytes()) == [round(value / 257) for value in values]


def grey_png(depth: int, kind: int, values: list[int], key: int | None = None) -> bytes:
    """A row of samples of ``depth`` bits; ``kind`` is 0 (grey) or 4 (with alpha); ``key`` the grey that shall be transparent."""
    bits = "".join(f"{value:0{depth}b}" for value in values)
    row = int(bits + "0" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
    chunks = [chunk(b"tRNS", struct.pack(">H", key))] if key is not None else []
    return png(len(values) // (kind // 4 + 1), 1, *chunks, depth=depth, kind=kind, data=zlib.compress(b"\0" + row))


def test_sixteen_bits_of_grey_with_alpha_are_rounded(convert: Convert) -> None:
    values = [0, 65535, 385, 65535, 386, 129, 32767, 32768, 65406, 65407, 65535, 40000]
    result = convert(grey_png(16, 4, values), lossless=True).image().convert("RGBA")
    assert list(result.getchannel("R").tobytes()) == [round(value / 257) for value in values[::2]]
    assert list(result.getchannel("A").tobytes()) == [round(value / 257) for value in values[1::2]]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_grey_that_a_png_declares_transparent_is(convert: Convert, depth: int) -> None:
    values = [0, 1, (1 << depth) - 1, 1, (1 << depth) // 2]
    for key in values:
        alpha = convert(grey_png(depth, 0, values, key), lossless=True).image().convert("RGBA").getchannel("A")
        assert list(alpha.tobytes()) == [255 * (value != key) for value in values]


def test_a_deep_colour_is_transparent_where_all_its_bits_are_the_same(convert: Convert) -> None:
    values = [1000, 2000, 3000, 1001, 2000, 3000, 1000, 2000, 3256, 40000, 2000, 3000]
    source = png_of_16_bits(4, 1, values, 2)
    at = source.index(b"IDAT") - 4
    source = source[:at] + chunk(b"tRNS", struct.pack(">HHH", *values[:3])) + source[at:]
    result = convert(source, lossless=True).image().convert("RGBA")
    assert list(result.getchannel("A").tobytes()) == [0, 255, 255, 255]
    assert result.getpixel((3, 0)) == (round(40000 / 257), round(2000 / 257), round(3000 / 257), 255)


def test_a_wide_gamut_profile_is_applied_and_dropped(convert: Convert) -> None:
    """Display P3 red lies outside sRGB; a grey stays."""
    p3 = Path("/usr/share/color/icc/colord/DisplayP3.icc")
    profile = p3.read_bytes() if p3.exists() else wide_gamut()
    image = Image.new("RGB", (16, 16), (200, 60, 60))
    expected = ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), renderingIntent=1)
    result = convert(saved(image, "PNG", icc_profile=profile), lossless=True).image()
    assert difference(result, expected) == 0
    assert result.getpixel((0, 0)) != (200, 60, 60)
    assert "icc_profile" not in result.info


def wide_gamut() -> bytes:
    """A matrix profile with Adobe RGB's primaries (D50-adapted) and gamma 2.2."""
    primaries = {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087), b"bXYZ": (0.14919, 0.06322, 0.74457)}
    fixed = lambda value: struct.pack(">i", round(value * 65536))  # noqa: E731
    tags = {name: b"XYZ \0\0\0\0" + b"".join(map(fixed, xyz)) for name, xyz in primaries.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.19921875 * 256)) + b"\0\0")
    tags |= {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642) + fixed(1) + fixed(0.8249), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data
    head = bytes(8) + b"\x02\x10\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1) + fixed(0.8249) + bytes(48)
    return struct.pack(">I", start + len(body)) + head[4:] + struct.pack(">I", len(tags)) + table + body


def test_an_srgb_profile_changes_nothing(convert: Convert) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert convert(saved(picture(), "PNG", icc_profile=srgb), lossless=True).image().tobytes() == picture().tobytes()


def test_a_broken_profile_is_passed_over(convert: Convert) -> None:
    assert convert(saved(picture(), "PNG", icc_profile=b"nonsense" * 40), lossless=True).image().tobytes() == picture().tobytes()


def test_cmyk_without_a_profile_looks_as_in_libvips(convert: Convert) -> None:
    path = CORPUS / "colour" / "cmyk.jpg"
    if not path.exists():
        pytest.skip("no corpus on this machine")
    theirs = pyvips.Image.new_from_file(str(path)).colourspace("srgb")
    reference = Image.frombytes("RGB", (theirs.width, theirs.height), theirs.write_to_memory())
    assert difference(convert(path, lossless=True).image(), reference) < 1


@pytest.mark.parametrize("name", ["gray16.tif"])
def test_deep_grey_looks_as_in_libvips(convert: Convert, name: str) -> None:
    path = CORPUS / "colour" / name
    if not path.exists():
        pytest.skip("no corpus on this machine")
    theirs = (pyvips.Image.new_from_file(str(path)) / 257).rint().cast("uchar")
    reference = Image.frombytes("L", (theirs.width, theirs.height), theirs.write_to_memory())
    assert ImageChops.difference(convert(path, lossless=True).image().convert("L"), reference).getextrema()[1] <= 1


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr"])
def test_rare_modes_are_read(convert: Convert, mode: str) -> None:
    source = saved(lab() if mode == "LAB" else picture(mode=mode), "TIFF")
    assert convert(source).image().size == (320, 200)


def lab() -> Image.Image:
    return ImageCms.profileToProfile(picture(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
