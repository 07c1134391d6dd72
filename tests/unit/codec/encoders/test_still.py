"""Stills: the same bytes as Pillow's own encoder, from every format, in every mode."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from backend import errors
from tests.unit.codec.conftest import Convert, corpus, picture, saved


def by_pillow(source: bytes, **options: object) -> bytes:
    with Image.open(io.BytesIO(source)) as image:
        return saved(image, "WEBP", **options)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean step between two pictures, over all channels."""
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGBA"), other.convert("RGBA"))).mean)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
@pytest.mark.parametrize("options", [{}, {"quality": 30, "method": 2}, {"quality": 95, "method": 6}, {"lossless": True}], ids=str)
def test_the_bytes_equal_those_of_pillow(convert: Convert, mode: str, options: dict[str, int]) -> None:
    source = saved(picture(mode=mode), "PNG")
    assert convert(source, **options).data == by_pillow(source, **{"quality": 80, "method": 4, **options})


@pytest.mark.parametrize("path", corpus("photos"), ids=lambda path: path.name)
def test_real_photographs_come_out_as_from_pillow(convert: Convert, path: Path) -> None:
    source = path.read_bytes()
    with Image.open(io.BytesIO(source)) as image:
        if image.info.get("icc_profile") and b"sRGB" not in image.info["icc_profile"]:
            pytest.skip("converted to sRGB, which Pillow's save does not do")
    assert convert(source, method=2).data == by_pillow(source, quality=80, method=2)


@pytest.mark.parametrize("path", corpus("graphics"), ids=lambda path: path.name)
def test_real_graphics_without_loss_come_out_as_from_pillow(convert: Convert, path: Path) -> None:
    source = path.read_bytes()
    with Image.open(io.BytesIO(source)) as image:
        plain = saved(image.convert("RGBA" if image.has_transparency_data else "RGB"), "PNG", compress_level=1, icc_profile=None)
    assert convert(plain, lossless=True, method=1).data == by_pillow(plain, lossless=True, method=1)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIF"])
def test_every_format_is_read(convert: Convert, image_format: str) -> None:
    result = convert(saved(picture(), image_format), quality=90)
    assert (result.converted.width, result.converted.height, result.converted.frames) == (320, 200, 1)
    assert difference(result.image(), picture()) < 12


def test_an_icon_gives_its_largest_picture(convert: Convert) -> None:
    source = saved(picture(256, 256, "RGBA"), "ICO", sizes=[(16, 16), (64, 64), (256, 256)])
    result = convert(source, lossless=True)
    assert result.image().size == (256, 256)
    assert difference(result.image(), picture(256, 256, "RGBA")) < 1


@pytest.mark.parametrize("options", [{"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "jpeg"}], ids=str)
def test_compressed_tiff_is_read(convert: Convert, options: dict[str, str]) -> None:
    assert difference(convert(saved(picture(), "TIFF", **options)).image(), picture()) < 12


def test_the_first_page_of_a_tiff_is_taken(convert: Convert) -> None:
    source = saved(picture(), "TIFF", save_all=True, append_images=[picture(50, 50)])
    assert convert(source).image().size == (320, 200)


def test_progressive_and_cmyk_jpeg_are_read(convert: Convert) -> None:
    assert convert(saved(picture(), "JPEG", progressive=True)).image().size == (320, 200)
    assert convert(saved(picture(mode="CMYK"), "JPEG")).image().mode == "RGB"


def test_a_wrong_name_does_not_matter_and_dwebp_reads_the_result(convert: Convert, tmp_path: Path) -> None:
    result, path = convert(saved(picture(), "PNG")), tmp_path / "result.webp"
    path.write_bytes(result.data)
    subprocess.run(["dwebp", "-quiet", path, "-o", tmp_path / "back.png"], check=True)
    with Image.open(tmp_path / "back.png") as back:
        assert back.size == (320, 200)
    assert b"No error detected" in subprocess.run(["webpinfo", path], check=True, capture_output=True).stdout


def test_alpha_is_exact_without_loss(convert: Convert) -> None:
    source = picture(mode="RGBA")
    result = convert(saved(source, "PNG"), lossless=True).image()
    assert ImageChops.difference(result.getchannel("A"), source.getchannel("A")).getbbox() is None


def test_sixteen_bits_of_grey_are_rounded(convert: Convert) -> None:
    values = [0, 128, 129, 385, 386, 32767, 32768, 65406, 65407, 65535]
    image = Image.frombytes("I;16", (10, 1), b"".join(value.to_bytes(2, "little") for value in values))
    for image_format in ("PNG", "TIFF"):
        result = convert(saved(image, image_format), lossless=True).image().convert("L")
        assert list(result.tobytes()) == [round(value / 257) for value in values]


def test_a_side_too_long_for_webp_says_what_to_do(convert: Convert) -> None:
    source = saved(Image.new("L", (16384, 10)), "PNG")
    with pytest.raises(errors.InvalidOption) as caught:
        convert(source)
    assert (caught.value.variant, caught.value.params["limit"]) == ("side", 16383)
    assert convert(source, width=1000).image().size == (1000, 1)


def test_metadata_is_dropped(convert: Convert) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    result = convert(saved(picture(), "JPEG", exif=exif, comment=b"a secret remark", xmp=b"<x>a secret packet</x>"))
    assert b"secret" not in result.data
    assert {"exif", "xmp", "icc_profile"}.isdisjoint(result.image().info)
