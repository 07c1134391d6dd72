"""TIFF in every layout: read as libvips reads it, or refused by its name."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from backend import errors
from tests.support import tiff_files
from tests.support.tiff_files import BLACK_IS_ZERO, CHANNELS, CMYK, DEFLATE, LAB, NONE, PALETTE, RGB, STRAIGHT, WHITE_IS_ZERO, YCBCR, Layout
from tests.unit.codec.conftest import Convert

TOLERANCE = 2.5
"""Steps of 255: both round 16 bits, CMYK and premultiplied colours in their own way."""


def pixels_of(image: Image.Image) -> NDArray[np.int64]:
    return np.asarray(image.convert("RGBA")).astype(np.int64)


def judged(data: bytes) -> NDArray[np.int64]:
    """As libvips sees it, in sRGB."""
    image = pyvips.Image.new_from_buffer(data, "").colourspace("srgb").cast("uchar")
    bands = np.ndarray(buffer=image.write_to_memory(), dtype=np.uint8, shape=(image.height, image.width, image.bands)).astype(np.int64)
    colours, alpha = (bands[:, :, :3], bands[:, :, 3:4]) if image.bands > 2 else (bands[:, :, [0, 0, 0]], bands[:, :, 1:2])
    return np.concatenate([colours, alpha if alpha.size else np.full((*bands.shape[:2], 1), 255)], axis=2)


def assert_same(result: Image.Image, expected: NDArray[np.int64], *, has_alpha: bool = True) -> None:
    found = pixels_of(result)
    assert found.shape == expected.shape
    shown = np.abs(found - expected)[:, :, :3] * expected[:, :, 3:] / 255
    assert shown.max() <= TOLERANCE
    assert not has_alpha or np.abs(found - expected)[:, :, 3].max() <= 1


def layouts(photometric: int, bits: int, extra: tuple[int, ...]) -> list[Layout]:
    fields: dict[int, list[int]] = {320: tiff_files.colour_map(bits)} if photometric == PALETTE else {}
    several = CHANNELS[photometric] + len(extra) > 1
    ways = itertools.product("<>", (False, True) if several else (False,), (NONE, DEFLATE), (None, 16))
    return [
        Layout(photometric, bits, extra, order, is_planar, compression, tile_side, fields=fields)  # type: ignore[arg-type]
        for order, is_planar, compression, tile_side in ways
        if not (is_planar and any(extra) and photometric != RGB)  # refused: see UNREAD
    ]


READ = [
    *((WHITE_IS_ZERO, bits, ()) for bits in (1, 2, 4, 8, 16)),
    *((BLACK_IS_ZERO, bits, ()) for bits in (1, 2, 4, 8, 16)),
    *((PALETTE, bits, ()) for bits in (1, 2, 4, 8)),
    *((BLACK_IS_ZERO, 8, (kind,)) for kind in (0, 1, 2)),
    *((RGB, bits, extra) for bits in (8, 16) for extra in ((), (0,), (1,), (2,))),
    *((CMYK, bits, ()) for bits in (8, 16)),
    (CMYK, 8, (0,)),
    (PALETTE, 8, (STRAIGHT,)),
]


@pytest.mark.parametrize(("photometric", "bits", "extra"), READ)
def test_samples_are_read_as_libvips_reads_them(convert: Convert, photometric: int, bits: int, extra: tuple[int, ...]) -> None:
    """However they lie. The judge sees the simplest layout, since libvips reads no tiles in planes, and grey in planes wrong."""
    ways = layouts(photometric, bits, extra)
    samples = tiff_files.slopes(ways[0])
    expected = judged(tiff_files.tiff(samples, ways[0]))
    for layout in ways:
        result = convert(tiff_files.tiff(samples, layout), lossless=True).image()
        assert_same(result, expected, has_alpha=tiff_files.UNSPECIFIED not in extra)


@pytest.mark.parametrize(("photometric", "bits"), [(WHITE_IS_ZERO, 1), (BLACK_IS_ZERO, 4), (BLACK_IS_ZERO, 16), (RGB, 8), (RGB, 16), (CMYK, 8)])
def test_bits_may_be_stored_from_the_lowest(convert: Convert, photometric: int, bits: int) -> None:
    layout = Layout(photometric, bits, reverses_bits=True)
    data = tiff_files.tiff(tiff_files.slopes(layout), layout)
    assert_same(convert(data, lossless=True).image(), judged(data))


def test_a_colour_map_of_8_bits_is_not_black(convert: Convert) -> None:
    layout = Layout(PALETTE, 8, fields={320: [each >> 8 for each in tiff_files.colour_map(8)]})
    data = tiff_files.tiff(tiff_files.slopes(layout), layout)
    assert_same(convert(data, lossless=True).image(), judged(data))


UNREAD: list[tuple[Layout, str]] = [
    (Layout(BLACK_IS_ZERO, 16, kind=tiff_files.SIGNED), "16-bit signed TIFF"),
    (Layout(BLACK_IS_ZERO, 8, kind=tiff_files.SIGNED), "8-bit signed TIFF"),
    (Layout(BLACK_IS_ZERO, 32), "32-bit grey TIFF"),
    (Layout(RGB, 32), "32-bit RGB TIFF"),
    (Layout(BLACK_IS_ZERO, 32, kind=tiff_files.FLOATING), "32-bit floating-point TIFF"),
    (Layout(RGB, 64, kind=tiff_files.FLOATING), "64-bit floating-point TIFF"),
    (Layout(RGB, 16, kind=tiff_files.FLOATING), "16-bit floating-point TIFF"),
    (Layout(BLACK_IS_ZERO, 12), "12-bit grey TIFF"),
    (Layout(BLACK_IS_ZERO, 16, (STRAIGHT,)), "16-bit grey with alpha TIFF"),
    (Layout(WHITE_IS_ZERO, 8, (STRAIGHT,)), "8-bit grey with alpha TIFF"),
    (Layout(CMYK, 8, (STRAIGHT,)), "8-bit CMYK with alpha TIFF"),
    (Layout(CMYK, 16, (1,)), "16-bit CMYK with alpha TIFF"),
    (Layout(LAB, 16), "16-bit Lab TIFF"),
    (Layout(LAB, 8, (STRAIGHT,)), "8-bit Lab with alpha TIFF"),
    (Layout(YCBCR, 16), "16-bit YCbCr TIFF"),
    (Layout(YCBCR, 8, is_planar=True), "8-bit YCbCr TIFF"),
    (Layout(LAB, 8, is_planar=True), "8-bit Lab TIFF"),
    (Layout(BLACK_IS_ZERO, 8, (STRAIGHT,), is_planar=True), "8-bit grey with alpha TIFF"),
    (Layout(PALETTE, 8, (STRAIGHT,), is_planar=True), "8-bit palette with alpha TIFF"),
    (Layout(RGB, 4), "4-bit RGB TIFF"),
    (Layout(RGB, 8, fields={258: [5, 6, 5]}), "mixed-depth TIFF"),
    (Layout(RGB, 8, fields={262: [10]}), "ITU Lab TIFF"),
    (Layout(BLACK_IS_ZERO, 16, fields={262: [32803]}), "camera RAW TIFF"),
    (Layout(RGB, 8, fields={262: [32845]}), "LogLuv TIFF"),
    (Layout(RGB, 8, fields={262: [77]}), "colour space 77 TIFF"),
    (Layout(RGB, 8, fields={259: [34712]}), "JPEG 2000-compressed TIFF"),
    (Layout(RGB, 8, fields={259: [50000]}), "Zstandard-compressed TIFF"),
    (Layout(RGB, 8, fields={259: [4711]}), "compression 4711-compressed TIFF"),
]


@pytest.mark.parametrize(("layout", "name"), UNREAD, ids=[name for _layout, name in UNREAD])
def test_what_no_decoder_reads_right_is_refused_by_its_name(convert: Convert, layout: Layout, name: str) -> None:
    samples = np.zeros((8, 8, layout.samples), np.uint32)
    shown = Layout(layout.photometric, 16 if layout.bits == 12 else layout.bits, layout.extra, kind=layout.kind, fields={**layout.fields})
    if layout.bits == 12:
        shown.fields[258] = [12]
    if layout.is_planar:
        shown.fields[284] = [2]
    with pytest.raises(errors.UnsupportedFormat) as caught:
        convert(tiff_files.tiff(samples, shown))
    assert caught.value.params["format"] == name


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits", "jpeg", "ccittfax4"])
@pytest.mark.parametrize("options", [{}, {"tile": True}, {"predictor": "horizontal"}], ids=str)
def test_what_libvips_writes_is_read(convert: Convert, compression: str, options: dict[str, Any]) -> None:
    image = pyvips.Image.xyz(64, 48).bandjoin(pyvips.Image.xyz(64, 48)[0] * 3).extract_band(0, n=3).cast("uchar")
    more = {"bitdepth": 1} if compression == "ccittfax4" else {}
    source = image.colourspace("b-w") if more else image
    data = source.write_to_buffer(".tif", compression=compression, **options, **more)
    assert_same(convert(data, lossless=True).image(), judged(data))
