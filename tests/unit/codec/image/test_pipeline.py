"""Kinds of input and options that nothing else holds against an independent maker or reader: libvips, cwebp's family, Pillow's own encoder."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageChops, ImageDraw

from tests.unit.codec.conftest import Convert, picture, saved
from tests.unit.codec.encoders.test_still import by_pillow, difference


def vips_of(image: Image.Image):
    return pyvips.Image.new_from_memory(image.tobytes(), image.width, image.height, len(image.getbands()), "uchar").copy(interpretation="srgb")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(320, 200), (7, 5), (1, 9)])
def test_an_interlaced_png_is_read_exactly(convert: Convert, mode: str, size: tuple[int, int]) -> None:
    image = picture(*size, mode)
    source = vips_of(image).pngsave_buffer(interlace=True)
    assert source[28] == 1, "IHDR says Adam7"
    result = convert(source, lossless=True, metadata="none").image().convert(mode)
    assert on_white(result) == on_white(image)


def on_white(image: Image.Image) -> bytes:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).tobytes()


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_stays_transparent(convert: Convert, image_format: str) -> None:
    image = picture().quantize(32)
    result = convert(saved(image, image_format, transparency=5), lossless=True).image()
    hole = Image.frombytes("L", image.size, image.tobytes()).point([255 * (index != 5) for index in range(256)])
    assert result.mode == "RGBA"
    assert result.getchannel("A").tobytes() == hole.tobytes()
    assert (
        Image.composite(result.convert("RGB"), Image.new("RGB", image.size), hole).tobytes()
        == Image.composite(image.convert("RGB"), Image.new("RGB", image.size), hole).tobytes()
    )


def test_a_palette_of_many_transparencies_keeps_each(convert: Convert) -> None:
    image = picture().quantize(16)
    alphas = bytes(17 * index for index in range(16))
    result = convert(saved(image, "PNG", transparency=alphas), lossless=True).image()
    assert result.getchannel("A").tobytes() == bytes(alphas[index] for index in image.tobytes())


@pytest.mark.parametrize("interlace", [True, False])
def test_a_progressive_jpeg_gives_the_pixels_of_a_plain_one(convert: Convert, interlace: bool) -> None:
    source = vips_of(picture()).jpegsave_buffer(Q=90, interlace=interlace)
    with Image.open(io.BytesIO(source)) as image:
        assert bool(image.info.get("progressive")) == interlace
        assert convert(source, lossless=True).image().tobytes() == image.convert("RGB").tobytes()


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate"])
@pytest.mark.parametrize("predictor", ["none", "horizontal"])
def test_a_tiff_of_sixteen_bits_is_rounded(convert: Convert, compression: str, predictor: str) -> None:
    values = (np.arange(64 * 40 * 3, dtype=np.uint32) * 7919 % 65536).astype(np.uint16).reshape(40, 64, 3)
    made = pyvips.Image.new_from_memory(values.tobytes(), 64, 40, 3, "ushort").copy(interpretation="rgb16")
    source = made.tiffsave_buffer(compression=compression, predictor=predictor)
    result = np.asarray(convert(source, lossless=True).image().convert("RGB"))
    assert np.array_equal(result, np.round(values / 257).astype(np.uint8))


def test_pages_and_tiles_of_a_tiff_do_not_matter(convert: Convert) -> None:
    first, second = vips_of(picture()), vips_of(picture().transpose(Image.Transpose.ROTATE_180))
    source = first.join(second, "vertical").tiffsave_buffer(page_height=200, tile=True, tile_width=64, tile_height=64, compression="deflate")
    assert convert(source, lossless=True).image().tobytes() == picture().tobytes()


@pytest.mark.parametrize("bits", [1, 4, 8, 24, 32])
def test_a_bitmap_of_every_depth_is_read(convert: Convert, bits: int) -> None:
    image = {1: picture(mode="1"), 4: picture().quantize(16), 8: picture(mode="L"), 24: picture(), 32: picture(mode="RGBA")}[bits]
    with Image.open(io.BytesIO(saved(image, "BMP"))) as reread:
        expected = reread.convert("RGB")
    assert difference(convert(saved(image, "BMP"), lossless=True).image().convert("RGB"), expected) == 0


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
def test_avif_and_heic_come_out_as_their_decoders_say(convert: Convert, image_format: str) -> None:
    source = saved(picture(), image_format, quality=90)
    with Image.open(io.BytesIO(source)) as theirs:
        assert difference(convert(source, lossless=True).image(), theirs.convert("RGB")) < 1


def test_a_name_and_a_type_that_lie_change_nothing(convert: Convert) -> None:
    """The codec is given bytes alone: each kind is taken for what it is, whatever it was called."""
    shown = [convert(saved(picture(), each), lossless=True).image().tobytes() for each in ("PNG", "BMP", "TIFF")]
    assert shown == [picture().tobytes()] * 3


@pytest.mark.parametrize("alpha_quality", [0, 40, 100])
def test_alpha_quality_is_libwebps(convert: Convert, alpha_quality: int) -> None:
    source = saved(picture(mode="RGBA"), "PNG")
    assert convert(source, alpha_quality=alpha_quality).data == by_pillow(source, quality=80, method=4, alpha_quality=alpha_quality)


def test_sharp_yuv_keeps_thin_lines_of_colour(convert: Convert) -> None:
    """One pixel wide, where halved chroma alone smears."""
    lines = Image.new("RGB", (128, 128), (0, 0, 200))
    draw = ImageDraw.Draw(lines)
    for at in range(0, 128, 5):
        draw.line((at, 0, at, 127), fill=(220, 20, 20))
    for at in range(2, 128, 9):
        draw.line((0, at, 127, at), fill=(250, 240, 0))
    source = saved(lines, "PNG")
    plain, sharp = (difference(convert(source, quality=95, sharp_yuv=each).image().convert("RGB"), lines) for each in (False, True))
    assert sharp < 0.95 * plain


def test_near_lossless_is_lossless_to_webpinfo_and_within_its_step(convert: Convert, tmp_path: Path) -> None:
    """At 60, libwebp rounds to multiples of four at most (2 bits); the file is of the lossless kind."""
    result, path = convert(saved(picture(), "PNG"), near_lossless=60), tmp_path / "near.webp"
    path.write_bytes(result.data)
    assert b"Lossless (2)" in subprocess.run(["webpinfo", path], check=True, capture_output=True).stdout
    worst = ImageChops.difference(result.image().convert("RGB"), picture()).getextrema()
    assert max(high for _low, high in worst) <= 4


@pytest.mark.parametrize("fit", ["inside", "outside", "cover", "contain", "fill"])
@pytest.mark.parametrize("source", [(320, 200), (200, 320), (60, 40)])
@pytest.mark.parametrize("enlarge", [False, True])
def test_fit_gives_the_sides_that_its_definition_says(convert: Convert, fit: str, source: tuple[int, int], enlarge: bool) -> None:
    """sharp's words: inside, as large as fits; outside, as small as covers; cover and contain, exactly the box; fill, each side by itself."""
    box = (120, 90)
    result = convert(saved(picture(*source), "PNG"), width=box[0], height=box[1], fit=fit, enlarge=enlarge).image().size
    factors = [wanted / given for wanted, given in zip(box, source, strict=True)]
    bound = (lambda factor: factor) if enlarge else (lambda factor: min(1.0, factor))
    scaled = lambda factor: tuple(round(side * bound(factor)) for side in source)  # noqa: E731
    expected = {
        "inside": scaled(min(factors)),
        "outside": scaled(max(factors)),
        "cover": tuple(min(side, edge) for side, edge in zip(scaled(max(factors)), box, strict=True)),
        "contain": box,
        "fill": tuple(round(side * bound(factor)) for side, factor in zip(source, factors, strict=True)),
    }
    assert result == expected[fit]
