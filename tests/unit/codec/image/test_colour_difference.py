"""How far colours end from a reference that shares no code with ours: CIEDE2000, by arithmetic for matrix profiles, by libvips for CMYK."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageOps

from backend.codec.image import colour
from tests.unit.codec.conftest import CORPUS, Convert, picture, saved
from tests.unit.codec.hostile import chunk
from tests.unit.codec.image.test_colour import png_of_16_bits

MOST = 1.0
"""Mean ΔE2000: about what two people side by side begin to see."""

Array = np.ndarray
D50 = (0.9642, 1.0, 0.8249)
SPACES = {
    "Display P3": (((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)), 2.2),
    "Adobe RGB": (((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 2.19921875),
    "ProPhoto RGB": (((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)), 1.8),
}
"""Red, green and blue as XYZ adapted to D50, and the exponent of the tone curve."""
SRGB = np.array(((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))).T


def profile_of(space: str) -> bytes:
    """ICC.1:2001-04, a three-component matrix profile for displays."""
    primaries, gamma = SPACES[space]
    fixed = lambda value: struct.pack(">i", round(value * 65536))  # noqa: E731
    tags = {name: b"XYZ \0\0\0\0" + b"".join(map(fixed, xyz)) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0")
    tags |= {b"wtpt": b"XYZ \0\0\0\0" + b"".join(map(fixed, D50)), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data
    head = bytes(8) + b"\x02\x10\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + b"".join(map(fixed, D50)) + bytes(48)
    return struct.pack(">I", start + len(body)) + head[4:] + struct.pack(">I", len(tags)) + table + body


def by_arithmetic(pixels: Array, space: str) -> Array:
    """``pixels`` from 0 to 1 in ``space``, as sRGB from 0 to 1: relative colorimetric, what lies outside is cut off."""
    primaries, gamma = SPACES[space]
    linear = np.clip(pixels ** (round(gamma * 256) / 256) @ np.array(primaries) @ np.linalg.inv(SRGB).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def lab(srgb: Array) -> Array:
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    share = linear @ SRGB.T / SRGB.sum(axis=1)
    bent = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def ciede2000(one: Array, other: Array) -> Array:
    """ΔE between Lab colours; CIE 142-2001, as put in order by Sharma, Wu and Dalal (2005), whose equations the lines follow."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    seventh = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(seventh / (seventh + 25.0**7))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    is_coloured, apart = c1 * c2 > 0, h2 - h1
    turn = np.where(is_coloured, (apart + 180) % 360 - 180, 0.0)
    far, total = np.abs(apart) > 180, h1 + h2
    hue = np.where(is_coloured, np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2, total)
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    cos = lambda degrees: np.cos(np.radians(degrees))  # noqa: E731
    weight = 1 - 0.17 * cos(hue - 30) + 0.24 * cos(2 * hue) + 0.32 * cos(3 * hue + 6) - 0.20 * cos(4 * hue - 63)
    in_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    in_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    in_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * weight)
    bend = 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.sqrt(in_light**2 + in_chroma**2 + in_hue**2 - bend * in_chroma * in_hue)


PAIRS = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "apart"), PAIRS)
def test_the_measure_agrees_with_the_published_pairs(one: tuple[float, ...], other: tuple[float, ...], apart: float) -> None:
    assert ciede2000(np.array([one]), np.array([other]))[0] == pytest.approx(apart, abs=1e-4)


def apart(image: Image.Image, reference: Array) -> float:
    """Mean ΔE2000; ``reference`` is sRGB from 0 to 1."""
    return float(ciede2000(lab(np.asarray(image.convert("RGB"), np.float64) / 255), lab(reference)).mean())


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_wide_gamuts_come_out_as_arithmetic_says(convert: Convert, space: str, image_format: str) -> None:
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(image_format, {})
    source = saved(picture(), image_format, icc_profile=profile_of(space), **options)
    with Image.open(io.BytesIO(source)) as image:
        pixels = np.asarray(image.convert("RGB"), np.float64) / 255
    reference = by_arithmetic(pixels, space)
    assert apart(Image.fromarray((pixels * 255).astype(np.uint8)), reference) > 2 * MOST  # it would show if nothing was done
    assert apart(convert(source, lossless=True).image(), reference) < MOST


@pytest.mark.parametrize("space", [None, *SPACES])
def test_sixteen_bits_keep_their_colours(convert: Convert, space: str | None) -> None:
    values = (np.random.default_rng(7).random((64, 48, 3)) * 65535).astype(int)
    source = png_of_16_bits(48, 64, values.reshape(-1).tolist(), 2)
    reference = values / 65535
    if space is not None:
        at = source.index(b"IDAT") - 4
        source = source[:at] + chunk(b"iCCP", b"wide\0\0" + zlib.compress(profile_of(space))) + source[at:]
        reference = by_arithmetic(reference, space)
    assert apart(convert(source, lossless=True).image(), reference) < MOST


@pytest.mark.parametrize("has_profile", [True, False])
@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_cmyk_comes_out_as_from_libvips(convert: Convert, image_format: str, has_profile: bool) -> None:
    options = {"quality": 100, "subsampling": 0} if image_format == "JPEG" else {}
    options |= {"icc_profile": colour.CMYK_PROFILE} if has_profile else {}
    inks = Image.merge("CMYK", [*picture().split(), picture(mode="L").point(lambda value: value // 3)])
    source = saved(inks, image_format, **options)
    theirs = pyvips.Image.new_from_buffer(source, "")
    theirs = theirs.icc_transform("srgb", embedded=True, intent="relative") if has_profile else theirs.colourspace("srgb")
    reference = np.ndarray(buffer=theirs.write_to_memory(), dtype=np.uint8, shape=(theirs.height, theirs.width, 3)) / 255
    assert apart(convert(source, lossless=True).image(), reference) < MOST


@pytest.mark.parametrize("name", ["cmyk.jpg", "gray16.tif"])
def test_real_files_come_out_as_from_libvips(convert: Convert, name: str) -> None:
    path = CORPUS / "colour" / name
    if not path.exists():
        pytest.skip("no corpus on this machine")
    theirs = pyvips.Image.new_from_file(str(path))
    theirs = theirs.colourspace("srgb") if name == "cmyk.jpg" else (theirs / 257).rint().cast("uchar")
    samples = np.ndarray(buffer=theirs.write_to_memory(), dtype=np.uint8, shape=(theirs.height, theirs.width, theirs.bands)) / 255
    reference = np.repeat(samples, 3 // theirs.bands, axis=2)
    assert apart(convert(path, lossless=True).image(), reference) < MOST


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photograph_comes_out_as_the_upright_one(convert: Convert, orientation: int) -> None:
    """Pixel for pixel what its own file holds; and, lossily, as near to the upright one as that file, compressed by itself, allows."""
    paths = [CORPUS / "orientation" / f"{number}.jpg" for number in (1, orientation)]
    if not paths[0].exists():
        pytest.skip("no corpus on this machine")
    with Image.open(paths[1]) as source, Image.open(paths[0]) as upright:
        expected = ImageOps.exif_transpose(source).convert("RGB")
        reference = np.asarray(upright.convert("RGB").reduce(8), np.float64) / 255
    assert convert(paths[1], lossless=True, method=0).image().convert("RGB").tobytes() == expected.tobytes()
    lossy = convert(paths[1], quality=90).image().convert("RGB")
    assert apart(lossy.reduce(8), reference) < max(MOST, apart(expected.reduce(8), reference) + MOST / 4)
