"""Every option does what its name says, as an independent reader of the result sees it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageCms, ImageColor, ImageFilter, ImageOps
from scipy.ndimage import gaussian_filter

from backend import errors
from backend.core.limits import Limits
from tests.unit.codec.conftest import Convert, corpus, picture, saved
from tests.unit.codec.encoders.test_still import difference

SIZES = [
    ({"width": 160}, (160, 100)),
    ({"height": 100}, (160, 100)),
    ({"width": 160, "height": 160}, (160, 100)),
    ({"width": 160, "height": 160, "fit": "outside"}, (256, 160)),
    ({"width": 160, "height": 160, "fit": "cover"}, (160, 160)),
    ({"width": 160, "height": 160, "fit": "contain"}, (160, 160)),
    ({"width": 160, "height": 160, "fit": "fill"}, (160, 160)),
    ({"width": 160, "fit": "fill"}, (160, 200)),
    ({"width": 640}, (320, 200)),
    ({"width": 640, "enlarge": True}, (640, 400)),
    ({"width": 640, "height": 640, "fit": "cover"}, (320, 200)),
    ({"width": 640, "height": 100, "fit": "cover"}, (320, 100)),
    ({"width": 640, "height": 640, "fit": "cover", "enlarge": True}, (640, 640)),
    ({"width": 640, "height": 640, "fit": "contain"}, (640, 640)),
    ({"width": 1}, (1, 1)),
    ({"rotate": 90}, (200, 320)),
    ({"rotate": 90, "width": 100}, (100, 160)),
]


@pytest.mark.parametrize(("options", "size"), SIZES, ids=str)
def test_the_result_has_the_size_that_was_asked_for(convert: Convert, options: dict[str, Any], size: tuple[int, int]) -> None:
    result = convert(saved(picture(), "PNG"), **options)
    assert result.image().size == (result.converted.width, result.converted.height) == size


TURNS = [
    ({"rotate": 90}, lambda image: image.transpose(Image.Transpose.ROTATE_270)),
    ({"rotate": 180}, lambda image: image.transpose(Image.Transpose.ROTATE_180)),
    ({"rotate": 270}, lambda image: image.transpose(Image.Transpose.ROTATE_90)),
    ({"flip": True}, ImageOps.flip),
    ({"flop": True}, ImageOps.mirror),
    ({"flip": True, "flop": True}, lambda image: image.transpose(Image.Transpose.ROTATE_180)),
    ({"flip": True, "rotate": 90}, lambda image: ImageOps.flip(image).transpose(Image.Transpose.ROTATE_270)),
]


@pytest.mark.parametrize(("options", "same"), TURNS, ids=lambda each: str(each) if isinstance(each, dict) else "")
def test_turns_move_every_pixel_to_its_place(convert: Convert, options: dict[str, Any], same: Any) -> None:
    result = convert(saved(picture(), "PNG"), lossless=True, **options)
    assert result.image().tobytes() == same(picture()).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_eight_orientations_come_out_upright(convert: Convert, orientation: int, image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if image_format == "WEBP" else {"quality": 100, "subsampling": 0} if image_format == "JPEG" else {}
    source = saved(picture(), image_format, exif=exif, **options)
    with Image.open(io.BytesIO(source)) as image:
        image.load()
        upright = ImageOps.exif_transpose(image).convert("RGB")
    assert convert(source, lossless=True).image().tobytes() == upright.tobytes()


@pytest.mark.parametrize("orientation", [1, 6])
def test_orientation_is_left_alone_on_request(convert: Convert, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for image_format in ("JPEG", "TIFF"):
        assert convert(saved(picture(), image_format, exif=exif), auto_orient=False).image().size == (320, 200)


@pytest.mark.parametrize("path", corpus("orientation"), ids=lambda path: path.name)
def test_real_orientations_look_like_the_upright_one(convert: Convert, path: Any) -> None:
    upright = convert(path.parent / "1.jpg", width=450).image()
    assert difference(convert(path, width=450).image(), upright) < 4


@pytest.mark.parametrize(("gravity", "box"), [("west", (0, 0, 100, 100)), ("centre", (30, 0, 130, 100)), ("east", (60, 0, 160, 100))])
def test_cover_keeps_the_part_towards_the_gravity(convert: Convert, gravity: str, box: tuple[int, ...]) -> None:
    result = convert(saved(picture(), "PNG"), width=100, height=100, fit="cover", gravity=gravity, lossless=True)
    whole = picture().resize((160, 100), Image.Resampling.LANCZOS)
    assert difference(result.image(), whole.crop(box)) < 1


@pytest.mark.parametrize(("gravity", "top"), [("north", 0), ("centre", 30), ("south", 60)])
def test_contain_sets_the_picture_on_its_background(convert: Convert, gravity: str, top: int) -> None:
    result = convert(saved(picture(), "PNG"), width=160, height=160, fit="contain", gravity=gravity, background="#ff0000ff", lossless=True)
    image = result.image().convert("RGB")
    outside = 159 if top < 30 else 0
    assert image.getpixel((5, outside)) == (255, 0, 0)
    assert difference(image.crop((0, top, 160, top + 100)), picture().resize((160, 100), Image.Resampling.LANCZOS)) < 1


def test_contain_is_transparent_without_a_background(convert: Convert) -> None:
    result = convert(saved(picture(), "JPEG"), width=160, height=160, fit="contain")
    assert result.image().getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("background", ["#ff000080", "#00ff00ff"])
def test_only_the_room_around_a_transparent_picture_takes_the_background(convert: Convert, background: str) -> None:
    source = picture(mode="RGBA")
    result = convert(saved(source, "PNG"), width=320, height=320, fit="contain", background=background, lossless=True).image()
    assert result.getpixel((0, 0)) == ImageColor.getcolor(background, "RGBA")
    assert ImageChops.difference(result.crop((0, 60, 320, 260)).getchannel("A"), source.getchannel("A")).getbbox() is None


def test_an_opaque_picture_on_an_opaque_background_stays_opaque(convert: Convert) -> None:
    result = convert(saved(picture(), "PNG"), width=320, height=320, fit="contain", background="#ff0000ff", lossless=True).image()
    assert (result.mode, result.getpixel((0, 0))) == ("RGB", (255, 0, 0))


def test_enlarging_beyond_the_limit_is_refused(convert: Convert) -> None:
    with pytest.raises(errors.TooManyPixels):
        convert(saved(picture(), "PNG"), width=10_000, enlarge=True)


def test_a_jpeg_that_is_shrunk_looks_as_if_it_was_decoded_whole(convert: Convert) -> None:
    image = picture(3200, 2000)
    result = convert(saved(image, "JPEG", quality=95), width=300, lossless=True).image()
    assert difference(result, image.resize((300, 188), Image.Resampling.LANCZOS)) < 2


@pytest.mark.parametrize("width", [120, 250, 500, 900])
def test_a_reduced_decode_moves_nothing(convert: Convert, width: int) -> None:
    """libjpeg rounds the sides of a reduced decode up; fine detail shows when the far edges are drawn in by that."""
    grain = Image.effect_noise((2725, 1629), 120).filter(ImageFilter.GaussianBlur(2.5)).point(lambda value: min(255, max(0, 6 * (value - 128) + 128)))
    source = saved(grain, "JPEG", quality=95)
    with Image.open(io.BytesIO(source)) as whole:
        expected = whole.convert("RGB").resize((width, round(1629 * width / 2725)), Image.Resampling.LANCZOS)
    result = convert(source, width=width, lossless=True).image().convert("RGB")
    assert (structure(result, expected)) >= 0.99


def structure(one: Image.Image, other: Image.Image) -> float:
    """SSIM of the lightness (Wang et al. 2004): Gaussian window of 1.5 pixels, means of all places."""
    left, right = (np.asarray(each.convert("L"), np.float64) for each in (one, other))
    blurred = lambda plane: gaussian_filter(plane, 1.5, truncate=3.5)  # noqa: E731
    mean, mean_other = blurred(left), blurred(right)
    spread, spread_other = blurred(left * left) - mean**2, blurred(right * right) - mean_other**2
    both = blurred(left * right) - mean * mean_other
    light, contrast = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean * mean_other + light) * (2 * both + contrast)
    return float((likeness / ((mean**2 + mean_other**2 + light) * (spread + spread_other + contrast))).mean())


@pytest.mark.parametrize("path", corpus("photos"), ids=lambda path: path.name)
@pytest.mark.parametrize("width", [300, 800])
def test_real_photographs_that_are_shrunk_look_as_if_decoded_whole(convert: Convert, path: Path, width: int) -> None:
    with Image.open(path) as whole:
        expected = whole.convert("RGB").resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
    assert structure(convert(path, width=width, lossless=True, method=0).image(), expected) >= 0.99


@pytest.mark.parametrize("target", [3_000, 10_000, 40_000])
def test_target_bytes_is_met_from_below(convert: Convert, target: int) -> None:
    grainy = Image.effect_noise((600, 400), 60).convert("RGB")
    result = convert(saved(grainy, "PNG"), target_bytes=target)
    assert 0.9 * target <= len(result.data) <= target or result.converted.facts["quality"] in (0, 100)
    assert result.converted.facts["passes"] <= 8


def test_a_target_out_of_reach_gives_the_smallest_there_is(convert: Convert) -> None:
    result = convert(saved(picture(), "PNG"), target_bytes=100)
    assert (result.converted.facts["target_met"], result.converted.facts["quality"]) == (False, 0)


def test_quality_and_method_and_alpha_quality_count(convert: Convert) -> None:
    source = saved(picture(mode="RGBA"), "PNG")
    assert len(convert(source, quality=20).data) < len(convert(source, quality=95).data)
    assert len(convert(source, alpha_quality=10).data) < len(convert(source).data)
    assert convert(source, sharp_yuv=True).data != convert(source).data


def test_near_lossless_stays_near(convert: Convert) -> None:
    source = picture()
    exact, near = (convert(saved(source, "PNG"), **options) for options in ({"lossless": True}, {"near_lossless": 40}))
    assert len(near.data) < len(exact.data)
    assert 0 < difference(near.image(), source) < 4


def test_metadata_all_keeps_notes_and_resets_what_was_applied(convert: Convert) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8298] = 6, "a view", "me"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6">note</x:xmpmeta>'
    source = saved(picture(), "JPEG", exif=exif, xmp=xmp, icc_profile=srgb)
    with convert(source, metadata="all").image() as image:
        assert dict(image.getexif()) == {0x0112: 1, 0x010E: "a view", 0x8298: "me"}
        assert b'Orientation="1">note' in image.info["xmp"]
        assert image.info["icc_profile"]
        assert image.size == (200, 320)
    with convert(source, metadata="copyright").image() as image:
        assert dict(image.getexif()) == {0x8298: "me"}
        assert "xmp" not in image.info


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_metadata_changes_no_pixel(convert: Convert, mode: str, lossless: bool) -> None:
    exif = Image.Exif()
    exif[0x8298] = "me"
    source = saved(picture(mode=mode), "PNG", exif=exif)
    plain, noted = convert(source, lossless=lossless), convert(source, lossless=lossless, metadata="all")
    assert plain.image().tobytes() == noted.image().tobytes()
    assert plain.image().mode == noted.image().mode == mode


def test_auto_reports_what_it_chose(convert: Convert) -> None:
    result = convert(saved(picture(900, 600), "JPEG", quality=95), quality="auto")
    assert {"quality", "score", "probes"} <= result.converted.facts.keys()
    assert result.converted.facts["probes"] <= 6


def test_limits_hold_for_pixels_and_frames(convert: Convert) -> None:
    with pytest.raises(errors.TooManyPixels) as caught:
        convert(saved(picture(), "PNG"), limits=Limits(pixels=320 * 200 - 1))
    assert caught.value.params["pixels"] == 64000
    assert convert(saved(picture(), "PNG"), limits=Limits(pixels=320 * 200)).converted.width == 320
