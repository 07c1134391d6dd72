"""Several results from one decode: each as if it were made alone, the cheapest first. Judges: libvips, and the codec's own single results."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from backend import errors
from backend.core.limits import Limits
from tests.unit.codec.conftest import Convert, Outcome, corpus, picture, saved

PHOTOGRAPHS = [each for each in corpus("photos") if each.name in ("2mp.jpg", "10mp.jpg")]


def pixels(data: bytes, mode: str = "RGBA") -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode), int)


def alone(convert: Convert, source: bytes | Path, **options: Any) -> Outcome:
    return convert(source, **options)


def differ(one: bytes, other: bytes) -> float:
    """The mean of what their visible pixels differ by, in steps of 255."""
    first, second = pixels(one), pixels(other)
    assert first.shape == second.shape
    weight = first[..., 3:] / 255
    return float(np.abs((first[..., :3] - second[..., :3]) * weight).mean() + np.abs(first[..., 3] - second[..., 3]).mean())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1"])
def test_each_looks_as_if_it_were_made_alone(convert: Convert, mode: str) -> None:
    source = saved(picture(900, 600, "RGB").convert(mode) if mode != "RGBA" else picture(900, 600, "RGBA"), "TIFF")
    formats, widths = ("png", "webp", "jpeg"), (450, 200, 64, 900, 2000)
    several = convert(source, widths=",".join(map(str, widths)), formats=",".join(formats), quality=95)
    assert len(several.variants) == len(formats) * len(widths)
    for number, made in enumerate(several.variants):
        output_format, width = formats[number // len(widths)], widths[number % len(widths)]
        given = {"quality": 95} if output_format != "png" else {}
        own = alone(convert, source, format=output_format, width=width, **given)
        assert (made.converted.width, made.converted.height) == (own.converted.width, own.converted.height)
        assert made.image().format == own.image().format
        assert differ(made.data, own.data) < (2 if mode == "1" else 1.5), (output_format, width)


@pytest.mark.skipif(not PHOTOGRAPHS, reason="the real images are not here")
@pytest.mark.parametrize("path", PHOTOGRAPHS, ids=lambda path: path.name)
def test_the_cascade_loses_nothing_that_shows(convert: Convert, path: Path) -> None:
    """libvips scales each size from all pixels, by Lanczos too."""
    whole = pyvips.Image.new_from_file(str(path)).autorot()
    several = convert(path, widths="1280,1100,950,820,700,600,520,450,390,340,160", formats="png")
    for made in several.variants:
        own = whole.resize(made.converted.width / whole.width, vscale=made.converted.height / whole.height, kernel="lanczos3")
        found = pixels(made.data, "RGB")
        expected = own.numpy()[: found.shape[0], : found.shape[1], :3].astype(int)
        assert np.abs(found - expected).mean() < 0.9


def test_the_cheapest_is_ready_long_before_the_last(convert: Convert) -> None:
    several = convert(saved(picture(3000, 2000), "PNG"), widths="3000,1500,750,375", formats="webp,jpeg")
    sizes = [several.variants[number].converted.width for number in several.order]
    assert sizes[0] == 375 and sizes[-1] == 3000
    assert [report.percent for report in several.reports] == sorted(report.percent for report in several.reports)
    assert [report.stage for report in several.reports if report.stage == "encode"]


def test_a_width_that_the_picture_does_not_have_is_its_own_and_made_once(convert: Convert) -> None:
    several = convert(saved(picture(300, 200), "PNG"), widths="5000,300,400,100")
    assert [each.converted.width for each in several.variants] == [300, 300, 300, 100]
    assert several.variants[0].data == several.variants[1].data == several.variants[2].data
    larger = convert(saved(picture(300, 200), "PNG"), widths="600,150", enlarge=True)
    assert [each.converted.width for each in larger.variants] == [600, 150]
    own = alone(convert, saved(picture(300, 200), "PNG"), width=150)
    assert differ(larger.variants[1].data, own.data) < 0.5


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "AVIF", "JPEG", "TIFF"])
def test_a_turned_picture_is_made_in_the_widths_that_it_has_upright(convert: Convert, image_format: str) -> None:
    """Of most formats, what EXIF turns is known once the pixels are read."""
    exif = Image.Exif()
    exif[0x0112] = 6
    source = saved(picture(200, 300), image_format, exif=exif)
    several = convert(source, widths="250,280,400,500", fit="cover", height=100, gravity="attention")
    assert [each.converted.width for each in several.variants] == [250, 280, 300, 300]
    assert several.variants[2].data == several.variants[3].data


def test_an_animation_moves_in_the_formats_that_can(convert: Convert) -> None:
    frames = [picture(120, 80).rotate(90 * turn) for turn in range(3)]
    source = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    several = convert(source, widths="60,30", formats="webp,jpeg,avif,png")
    assert [each.converted.frames for each in several.variants] == [3, 3, 1, 1, 3, 3, 1, 1]
    for output_format, made in zip(("webp", "webp", "jpeg"), several.variants, strict=False):
        own = alone(convert, source, format=output_format, width=made.converted.width)
        assert differ(made.data, own.data) < 2


def test_sixteen_bits_stay_where_nothing_is_computed(convert: Convert) -> None:
    rows = np.linspace(0, 65535, 64 * 48, dtype=np.uint16).reshape(48, 64)
    source = saved(Image.fromarray(rows), "PNG")
    several = convert(source, formats="png,webp")
    with Image.open(io.BytesIO(several.variants[0].data)) as kept:
        assert kept.mode == "I;16" and np.array_equal(np.asarray(kept), rows)
    assert several.variants[1].image().format == "WEBP"


def test_trim_and_crop_leave_one_part_for_all(convert: Convert) -> None:
    framed = Image.new("RGB", (400, 300), "white")
    framed.paste(picture(200, 100), (100, 120))
    source = saved(framed, "PNG")
    several = convert(source, widths="200,100", formats="png", trim=10)
    for made in several.variants:
        own = alone(convert, source, format="png", width=made.converted.width, trim=10)
        assert made.converted.height == own.converted.height
        assert differ(made.data, own.data) < 1.5
    cut = convert(source, widths="100,50", formats="png", crop="100,120,200,100", rotate=90, flop=True)
    assert [(each.converted.width, each.converted.height) for each in cut.variants] == [(100, 200), (50, 100)]


@pytest.mark.parametrize("gravity", ["attention", "entropy"])
def test_all_show_the_same_part(convert: Convert, gravity: str) -> None:
    """The subject is at the right; a part that a small copy would find for itself may lie elsewhere."""
    scene = Image.new("RGB", (1200, 400), "#808080")
    scene.paste(picture(200, 200), (950, 100))
    several = convert(saved(scene, "PNG"), widths="400,200,64", formats="png", height=400, fit="cover", gravity=gravity)
    first = alone(convert, saved(scene, "PNG"), format="png", width=400, height=400, fit="cover", gravity=gravity)
    assert differ(several.variants[0].data, first.data) < 1
    for made in several.variants:
        assert made.converted.height in (400, 200, 64) or made.converted.width == 64
        centre = pixels(made.data, "RGB")
        assert np.abs(centre - 128).max() > 60


def test_never_larger_gives_the_source_itself_where_it_is_smallest(convert: Convert) -> None:
    source = saved(picture(64, 64), "JPEG", quality=5)
    several = convert(source, formats="png,jpeg", never_larger=True)
    assert several.variants[0].data == source and several.variants[0].converted.facts["original"] is True


def test_steps_on_the_canvas_are_done_at_each_size(convert: Convert) -> None:
    source = saved(picture(400, 300), "PNG")
    several = convert(source, widths="400,100", formats="png", blur=4, sharpen=1)
    for made in several.variants:
        own = alone(convert, source, format="png", width=made.converted.width, blur=4, sharpen=1)
        assert differ(made.data, own.data) < 1.5


def test_each_has_its_own_placeholder_and_seconds(convert: Convert) -> None:
    several = convert(saved(picture(400, 300), "PNG"), widths="200,100", formats="webp,jpeg")
    assert all({"thumbhash", "color", "seconds"} <= each.converted.facts.keys() for each in several.variants)
    first = several.variants[several.order[0]].converted.facts["seconds"]
    assert {"decode", "transform", "encode"} <= first.keys()
    assert all(several.variants[number].converted.facts["seconds"].keys() == {"encode"} for number in several.order[1:])


def test_what_no_memory_should_hold_is_refused(convert: Convert) -> None:
    with pytest.raises(errors.TooManyPixels) as refused:
        convert(saved(picture(300, 200), "PNG"), limits=Limits(pixels=60_000), widths="300,299,298,297", formats="webp")
    assert refused.value.variant == "widths" and refused.value.params["limit"] == 180_000


def test_an_avif_that_cannot_end_in_time_is_refused_before_anything_is_made(convert: Convert) -> None:
    noise = Image.effect_noise((1500, 1000), 120).convert("RGB")
    with pytest.raises(errors.InvalidOption) as refused:
        convert(saved(noise, "PNG", compress_level=0), timeout_s=6.0, widths="1500,750,100", formats="avif", speed=1)
    assert refused.value.variant == "too_slow" and refused.value.params["limit"] <= 6


def test_a_damaged_picture_fails_as_a_whole(convert: Convert) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(saved(picture(300, 200), "PNG")[:2000], widths="30,60")
