"""``blur`` and ``sharpen``, held against libvips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from backend.codec.image.strips import filtered, gaussian_margin
from tests.unit.codec.conftest import Convert, picture, saved
from tests.unit.codec.encoders.test_still import difference
from tests.unit.codec.image.test_cropping import animation, frames_of, moving, vips_of

SIGMAS = [0.3, 0.5, 1, 2.5, 8, 30, 100]


def grainy(width: int = 320, height: int = 200) -> Image.Image:
    """Edges and grain on slopes."""
    grain = Image.effect_noise((width, height), 30).convert("RGB")
    return Image.blend(picture(width, height), grain, 0.3)


def values(image: Image.Image) -> Any:
    return np.asarray(image.convert("RGB"), np.float64)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("size", [(320, 200), (9, 5)], ids=str)
def test_a_blur_is_that_of_libvips(convert: Convert, sigma: float, size: tuple[int, int]) -> None:
    image = grainy(*size)
    expected = vips_of(image).gaussblur(sigma, min_ampl=0.001, precision="float").rint().cast("uchar").numpy()
    result = values(convert(saved(image, "PNG"), blur=sigma, lossless=True).image())
    assert np.abs(result - expected).mean() < 1.5


@pytest.mark.parametrize("sigma", [0.5, 1, 2, 5, 10])
def test_sharpening_is_that_of_libvips(convert: Convert, sigma: float) -> None:
    image = grainy()
    before, expected = values(image), vips_of(image).sharpen(sigma=sigma).numpy().astype(np.float64)
    result = values(convert(saved(image, "PNG"), sharpen=sigma, lossless=True).image())
    ours, theirs = (result - before).ravel(), (expected - before).ravel()
    assert np.corrcoef(ours, theirs)[0, 1] > 0.93
    assert 0.8 < np.abs(ours).mean() / np.abs(theirs).mean() < 1.25


def test_sharpening_by_nothing_is_off_and_grain_stays(convert: Convert) -> None:
    source = saved(picture(), "JPEG")
    assert convert(source, sharpen=0).data == convert(source).data
    faint = Image.effect_noise((100, 80), 0.8).convert("RGB")
    assert convert(saved(faint, "PNG"), sharpen=3, lossless=True).image().tobytes() == faint.tobytes()


@pytest.mark.parametrize("chosen", [{"blur": 4}, {"sharpen": 4}], ids=str)
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_is_filtered_as_its_colours(convert: Convert, mode: str, chosen: dict[str, Any]) -> None:
    image = grainy().quantize(64) if mode == "P" else grainy().convert(mode)
    source = saved(image, "TIFF" if mode == "CMYK" else "PNG")
    plain, filtered_once = convert(source, lossless=True).image(), convert(source, lossless=True, **chosen).image()
    assert (plain.size, plain.mode) == (filtered_once.size, filtered_once.mode)
    assert plain.tobytes() != filtered_once.tobytes()


def test_what_is_transparent_does_not_bleed(convert: Convert) -> None:
    """Its hidden colour is red. Sharpening may brighten an edge by a tenth."""
    image = Image.new("RGBA", (100, 60), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (50, 0, 100, 60))
    for chosen in ({"blur": 5}, {"sharpen": 5}):
        result = np.asarray(convert(saved(image, "PNG"), lossless=True, **chosen).image().convert("RGBA"), np.int64)
        seen = result[..., 3] > 30
        assert result[..., 0][seen].max() <= 26 and result[..., 2][seen].min() >= 200


@pytest.mark.parametrize("chosen", [{"blur": 100}, {"blur": 0.3}, {"sharpen": 10}], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_tiny_pictures_can_be_filtered(convert: Convert, chosen: dict[str, Any], size: tuple[int, int], mode: str) -> None:
    assert convert(saved(picture(*size, mode), "PNG"), **chosen).image().size == size


def test_sigma_counts_in_pixels_of_the_result(convert: Convert) -> None:
    small = picture(640, 400).resize((160, 100), Image.Resampling.LANCZOS)
    expected = vips_of(small).gaussblur(3, min_ampl=0.001, precision="float").numpy()
    result = values(convert(saved(picture(640, 400), "PNG"), width=160, blur=3, lossless=True).image())
    assert np.abs(result - expected).mean() < 1.5


@pytest.mark.parametrize("chosen", [{"blur": 2}, {"sharpen": 2}], ids=str)
def test_each_frame_is_filtered(convert: Convert, chosen: dict[str, Any]) -> None:
    shown = frames_of(convert(animation(moving()), lossless=True, **chosen).data)
    stills = [convert(saved(each, "PNG"), lossless=True, **chosen).image().convert("RGBA") for each in moving()]
    assert [each.tobytes() for each in shown] == [each.tobytes() for each in stills]


@pytest.mark.parametrize("sigma", SIGMAS)
def test_strips_leave_no_seam(sigma: float) -> None:
    image, shares = grainy(900, 2600), list[float]()
    work = lambda strip: strip.filter(ImageFilter.GaussianBlur(sigma))  # noqa: E731
    assert filtered(image, gaussian_margin(sigma), work, shares.append).tobytes() == work(image).tobytes()
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) >= 2


def test_a_filter_is_counted_into_the_progress(convert: Convert) -> None:
    """It is a part of the stage transform, and takes most of it."""
    source = saved(picture(2000, 1500), "JPEG")
    plain, blurred = (convert(source, report_every_s=0.001, lossless=False, sharp_yuv=True, **chosen) for chosen in ({}, {"blur": 20}))
    widths = [max(each.percent for each in outcome.reports if each.stage == "transform") for outcome in (plain, blurred)]
    begins = [min(each.percent for each in outcome.reports if each.stage == "transform") for outcome in (plain, blurred)]
    assert widths[1] - begins[1] > widths[0] - begins[0] + 5
    assert len([each for each in blurred.reports if each.stage == "transform"]) >= 3


def test_a_picture_is_not_decoded_by_the_fast_path_where_it_is_filtered(convert: Convert) -> None:
    source = saved(grainy(), "JPEG")
    for chosen in ({"blur": 3}, {"sharpen": 3}):
        lossy, exact, plain = (convert(source, quality=100, **options).image() for options in (chosen, {**chosen, "lossless": True}, {}))
        assert difference(lossy, exact) < difference(lossy, plain) / 2
