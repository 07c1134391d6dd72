"""Which part of a picture is kept: ``crop``, ``trim``, ``focus``, ``gravity`` and ``dpr``, as Pillow and libvips cut."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image, ImageChops, ImageOps, ImageSequence

from backend import errors
from backend.codec.geometry import geometry_for, most_pixels
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import Convert, corpus, picture, saved
from tests.unit.codec.encoders.test_still import difference


def vips_of(image: Image.Image):
    return pyvips.Image.new_from_memory(image.tobytes(), image.width, image.height, len(image.getbands()), "uchar").copy(interpretation="srgb")


def pixels(image: Any) -> bytes:
    return image.write_to_memory() if hasattr(image, "write_to_memory") else image.tobytes()


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("box", [(0, 0, 320, 200), (10, 20, 100, 50), (319, 199, 1, 1), (7, 0, 1, 200)], ids=str)
def test_crop_gives_the_pixels_that_libvips_cuts_out(convert: Convert, image_format: str, box: tuple[int, int, int, int]) -> None:
    source = saved(picture(), image_format, **({"lossless": True} if image_format == "WEBP" else {}))
    expected = pyvips.Image.new_from_buffer(source, "").crop(*box)
    result = convert(source, crop=",".join(map(str, box)), lossless=True).image().convert("RGB")
    assert (result.width, result.height) == (expected.width, expected.height) == box[2:]
    assert pixels(result) == pixels(expected)


def test_what_lies_partly_outside_is_cut(convert: Convert) -> None:
    result = convert(saved(picture(), "PNG"), crop="300,150,500,500", lossless=True).image()
    assert result.tobytes() == picture().crop((300, 150, 320, 200)).tobytes()


@pytest.mark.parametrize("crop", ["320,0,1,1", "0,200,10,10", "999999999,999999999,1,1"])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF"])
def test_a_crop_outside_is_refused_with_what_is_allowed(convert: Convert, crop: str, image_format: str) -> None:
    with pytest.raises(errors.InvalidOption) as raised:
        convert(saved(picture(), image_format), crop=crop)
    assert raised.value.variant == "crop_outside"
    assert raised.value.params == {"width": 320, "height": 200, "last_left": 319, "last_top": 199}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_a_crop_is_counted_in_the_upright_picture(convert: Convert, orientation: int, image_format: str) -> None:
    """Its box lies outside of a picture that is lying."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture(320, 200) if orientation < 5 else picture(200, 320)
    source = saved(stored, image_format, exif=exif, **({"quality": 100, "subsampling": 0} if image_format == "JPEG" else {}))
    with Image.open(io.BytesIO(source)) as image:
        expected = ImageOps.exif_transpose(image).convert("RGB").crop((250, 10, 311, 60))
    assert convert(source, crop="250,10,61,50", lossless=True).image().tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"rotate": 90}, lambda image: image.transpose(Image.Transpose.ROTATE_270)),
        ({"flip": True}, ImageOps.flip),
        ({"flop": True, "rotate": 270}, lambda image: ImageOps.mirror(image).transpose(Image.Transpose.ROTATE_90)),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
def test_the_part_is_cut_before_it_is_turned(convert: Convert, options: dict[str, Any], same: Any) -> None:
    result = convert(saved(picture(), "PNG"), crop="250,10,61,50", lossless=True, **options)
    assert result.image().tobytes() == same(picture().crop((250, 10, 311, 60))).tobytes()


@pytest.mark.parametrize("box", [(1001, 503, 1000, 800), (3, 5, 1500, 301), (2001, 1001, 1199, 999)], ids=str)
def test_a_part_of_a_jpeg_is_shrunk_as_if_it_was_decoded_whole(convert: Convert, box: tuple[int, int, int, int]) -> None:
    """It is decoded at a fraction of its size, whose pixels the part's edges do not meet."""
    source = saved(picture(3203, 2001), "JPEG", quality=95)
    left, top, width, height = box
    result = convert(source, crop=f"{left},{top},{width},{height}", width=150, lossless=True)
    with Image.open(io.BytesIO(source)) as whole:
        expected = whole.crop((left, top, left + width, top + height)).resize((150, round(height * 150 / width)), Image.Resampling.LANCZOS)
    assert result.image().size == expected.size
    assert difference(result.image(), expected) < 1


def test_nothing_beyond_the_cut_shows(convert: Convert) -> None:
    """Scaling looks at the pixels around: not at those that were cut away."""
    image = Image.new("RGB", (300, 300), "red")
    image.paste("blue", (100, 100, 200, 200))
    result = convert(saved(image, "PNG"), crop="100,100,100,100", width=33, lossless=True).image().convert("RGB")
    assert result.getcolors() == [(33 * 33, (0, 0, 255))]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16", "CMYK"])
def test_every_mode_can_be_cropped(convert: Convert, mode: str) -> None:
    if mode == "I;16":
        image = picture(mode="L").convert("I").point(lambda value: value * 257).convert(mode)
    else:
        image = picture().quantize(64) if mode == "P" else picture(mode=mode)
    source = saved(image, "TIFF" if mode == "CMYK" else "PNG")
    whole = convert(source, lossless=True).image().convert("RGBA")
    assert convert(source, crop="20,30,90,70", lossless=True).image().convert("RGBA").tobytes() == whole.crop((20, 30, 110, 100)).tobytes()


def bordered(mode: str, colour: Any, border: tuple[int, int, int, int], size: tuple[int, int] = (60, 40)) -> Image.Image:
    left, top, right, bottom = border
    image = Image.new(mode, (left + size[0] + right, top + size[1] + bottom), colour)
    image.paste(picture(*size).point(lambda value: value // 2 + 60).convert(mode), (left, top))
    return image


@pytest.mark.parametrize("distance", [0, 10, 40])
@pytest.mark.parametrize("seed", range(6))
def test_trim_cuts_where_libvips_finds_the_edges(convert: Convert, distance: int, seed: int) -> None:
    chance = random.Random(seed)
    border = tuple(chance.randrange(0, 25) for _ in range(3))
    image = bordered("RGB", (250, 250, 250), (5, *border))
    for _ in range(40):
        image.putpixel((chance.randrange(5), chance.randrange(image.height)), tuple(250 - chance.randrange(30) for _ in range(3)))
    image.putpixel((0, 0), (250, 250, 250))
    left, top, width, height = vips_of(image).find_trim(threshold=distance, background=[250, 250, 250], line_art=True)
    result = convert(saved(image, "PNG"), trim=distance, lossless=True).image().convert("RGB")
    assert result.tobytes() == image.crop((left, top, left + width, top + height)).tobytes()


def test_transparent_borders_are_trimmed_whatever_colour_they_hide(convert: Convert) -> None:
    image = Image.new("RGBA", (100, 80), (255, 0, 0, 0))
    image.paste((0, 255, 0, 0), (0, 0, 50, 80))
    image.putpixel((0, 0), (9, 9, 9, 0))
    image.paste((0, 0, 0, 255), (30, 20, 70, 60))
    assert convert(saved(image, "PNG"), trim=0, lossless=True).image().size == (40, 40)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "CMYK", "1"])
def test_a_picture_of_one_colour_stays_as_it_is(convert: Convert, mode: str) -> None:
    source = saved(Image.new(mode, (50, 30)), "TIFF" if mode == "CMYK" else "PNG")
    assert convert(source, trim=255, width=25).image().size == (25, 15)
    assert convert(saved(picture(), "PNG"), trim=255).image().size == (320, 200)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK"])
def test_every_mode_is_trimmed(convert: Convert, mode: str) -> None:
    image = bordered("L" if mode == "L" else "RGB", "white", (10, 7, 20, 13))
    image = image.quantize(128) if mode == "P" else image.convert(mode)
    assert convert(saved(image, "TIFF" if mode == "CMYK" else "PNG"), trim=4).image().size == (60, 40)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_corner_is_that_of_the_upright_picture(convert: Convert, orientation: int) -> None:
    """Left and top have one colour, right and bottom another: only the first is border."""
    upright = Image.new("RGB", (90, 60), "white")
    upright.paste("red", (10, 10, 90, 60))
    upright.paste("blue", (20, 20, 70, 50))
    undo = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, 1)
    exif = Image.Exif()
    exif[0x0112] = undo
    stored = ImageOps.exif_transpose(_noted(upright, exif)).convert("RGB")
    exif[0x0112] = orientation
    result = convert(saved(stored, "PNG", exif=exif), trim=5, lossless=True).image().convert("RGB")
    assert result.tobytes() == upright.crop((10, 10, 90, 60)).tobytes()


def _noted(image: Image.Image, exif: Image.Exif) -> Image.Image:
    return Image.open(io.BytesIO(saved(image, "PNG", exif=exif)))


def test_what_is_trimmed_is_scaled_to_what_was_asked_for(convert: Convert) -> None:
    image = bordered("RGB", "white", (100, 10, 10, 60), (200, 100))
    for source in (saved(image, "PNG"), saved(image, "JPEG", quality=95)):
        result = convert(source, trim=30, width=100).image()
        assert abs(result.height - 50) <= 1 and result.width == 100
        assert convert(source, trim=30, width=400, height=400, fit="contain", enlarge=True).image().size == (400, 400)


def test_trim_looks_at_the_part_that_crop_leaves(convert: Convert) -> None:
    image = bordered("RGB", "white", (30, 30, 30, 30))
    image.paste("red", (0, 0, 10, 120))
    assert convert(saved(image, "PNG"), crop="15,0,200,200", trim=0).image().size == (60, 40)
    assert convert(saved(image, "PNG"), trim=0).image().size == (110, 100), "red is the corner's colour"


def frames_of(data: bytes) -> list[Image.Image]:
    with Image.open(io.BytesIO(data)) as image:
        return [each.convert("RGBA").copy() for each in ImageSequence.Iterator(image)]


def animation(frames: list[Image.Image], image_format: str = "PNG") -> bytes:
    return saved(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100, loop=0)


def moving(step: int = 30) -> list[Image.Image]:
    """A blue square that goes from left to right, in a border of white."""
    frames = []
    for number in range(5):
        image = Image.new("RGB", (200, 80), "white")
        image.paste((20, 40, 200), (20 + step * number, 30, 50 + step * number, 60))
        frames.append(image)
    return frames


def test_an_animation_is_cropped_frame_by_frame(convert: Convert) -> None:
    result = convert(animation(moving()), crop="10,20,120,50", lossless=True)
    assert [each.convert("RGB").tobytes() for each in frames_of(result.data)] == [each.crop((10, 20, 130, 70)).tobytes() for each in moving()]


def test_what_any_frame_shows_is_not_trimmed(convert: Convert) -> None:
    result = convert(animation(moving()), trim=10, lossless=True)
    assert [each.convert("RGB").tobytes() for each in frames_of(result.data)] == [each.crop((20, 30, 170, 60)).tobytes() for each in moving()]


def test_the_first_frame_decides_so_that_the_picture_stands_still(convert: Convert) -> None:
    result = convert(animation(moving(step=12)), width=80, height=80, fit="cover", gravity="attention", lossless=True)
    shown = [each.convert("RGB") for each in frames_of(result.data)]
    lefts = [left for left in range(121) if shown[0].tobytes() == moving()[0].crop((left, 0, left + 80, 80)).tobytes()]
    assert len(lefts) == 1 and lefts[0] <= 20
    assert [each.tobytes() for each in shown] == [each.crop((lefts[0], 0, lefts[0] + 80, 80)).tobytes() for each in moving(step=12)]


@pytest.mark.parametrize("focus", ["0,0", "0.5,0.5", "1,1", "0.3,0.9", "0.62,0.1"])
@pytest.mark.parametrize("size", [(100, 100), (60, 100), (100, 30)], ids=str)
def test_the_focus_is_kept_in_the_middle_as_far_as_possible(convert: Convert, focus: str, size: tuple[int, int]) -> None:
    x, y = map(float, focus.split(","))
    scale = max(size[0] / 320, size[1] / 200)
    whole = picture().resize((round(320 * scale), round(200 * scale)), Image.Resampling.LANCZOS)
    left = min(max(0, round(x * whole.width - size[0] / 2)), whole.width - size[0])
    top = min(max(0, round(y * whole.height - size[1] / 2)), whole.height - size[1])
    result = convert(saved(picture(), "PNG"), width=size[0], height=size[1], fit="cover", focus=focus, lossless=True).image()
    assert difference(result.convert("RGB"), whole.crop((left, top, left + size[0], top + size[1]))) < 1


def test_the_focus_goes_along_when_the_picture_is_turned(convert: Convert) -> None:
    image = Image.new("RGB", (300, 100), "white")
    image.paste("red", (20, 40, 40, 60))
    for options in ({}, {"flip": True}, {"flop": True}, {"rotate": 90}, {"rotate": 180, "flop": True}, {"rotate": 270}):
        result = convert(saved(image, "PNG"), width=90, height=90, fit="cover", focus="0.1,0.5", lossless=True, **options).image().convert("RGB")
        assert ImageChops.difference(result, Image.new("RGB", result.size, "white")).getbbox() is not None, options


@pytest.mark.parametrize("fit", ["inside", "contain", "fill", "outside"])
@pytest.mark.parametrize("chosen", [{"focus": "0,0"}, {"gravity": "attention"}, {"gravity": "entropy"}], ids=str)
def test_without_cover_the_picture_stands_in_the_middle(convert: Convert, fit: str, chosen: dict[str, Any]) -> None:
    source = saved(picture(), "PNG")
    plain = convert(source, width=100, height=100, fit=fit, lossless=True)
    assert convert(source, width=100, height=100, fit=fit, lossless=True, **chosen).data == plain.data


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"width": 80, "dpr": 2}, (160, 100)),
        ({"width": 50, "height": 50, "fit": "cover", "dpr": 1.5}, (75, 75)),
        ({"width": 33, "dpr": 1.25}, (41, 26)),
        ({"width": 160, "height": 160, "fit": "contain", "dpr": 4}, (640, 640)),
        ({"width": 300, "dpr": 2}, (320, 200)),
        ({"width": 300, "dpr": 2, "enlarge": True}, (600, 375)),
        ({"dpr": 3}, (320, 200)),
        ({"dpr": 3, "enlarge": True}, (320, 200)),
        ({"crop": "0,0,100,100", "width": 40, "dpr": 2}, (80, 80)),
    ],
    ids=str,
)
def test_dpr_multiplies_the_sides_that_were_asked_for(convert: Convert, options: dict[str, Any], size: tuple[int, int]) -> None:
    assert convert(saved(picture(), "PNG"), **options).image().size == size


@pytest.mark.parametrize("options", [{"crop": "10,10,50,50"}, {"trim": 0}, {"blur": 3}, {"sharpen": 1}, {"width": 40, "dpr": 2}], ids=str)
def test_the_original_is_never_given_where_the_picture_was_to_change(convert: Convert, options: dict[str, Any]) -> None:
    image = bordered("RGB", "white", (10, 10, 10, 10))
    source = saved(image, "JPEG", quality=5)
    result = convert(source, never_larger=True, quality=100, **options)
    assert "original" not in result.converted.facts


@pytest.mark.parametrize("gravity", ["attention", "entropy"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (200, 3)], ids=str)
def test_any_picture_has_a_part_to_keep(convert: Convert, gravity: str, mode: str, size: tuple[int, int]) -> None:
    image = picture(*size, "RGB").quantize(8) if mode == "P" else picture(*size, mode)
    result = convert(saved(image, "TIFF" if mode == "CMYK" else "PNG"), width=2, height=2, fit="cover", gravity=gravity)
    assert result.image().size == (min(2, size[0]), min(2, size[1])) or 2 in result.image().size


@pytest.mark.parametrize("path", corpus("photos")[:1], ids=lambda path: path.name)
def test_the_part_is_the_same_however_a_photograph_was_decoded(convert: Convert, path: Path) -> None:
    """Reduced by libjpeg, or whole."""
    small = convert(path, width=120, height=120, fit="cover", gravity="attention", lossless=True).image()
    with Image.open(path) as image:
        whole = convert(saved(image.convert("RGB"), "PNG"), width=120, height=120, fit="cover", gravity="attention", lossless=True).image()
    assert difference(small, whole) < 8


def test_a_child_gets_memory_for_whatever_may_come_of_a_part() -> None:
    limits = Limits()
    for chosen in ({"crop": "0,0,10,1000", "width": 500, "enlarge": True}, {"crop": "300,0,20,200", "width": 900, "enlarge": True, "rotate": 90}):
        options = Options(**chosen)
        assert most_pixels((320, 200), options, limits) >= geometry_for((10, 200), options).pixels or options.rotate
    assert most_pixels((320, 200), Options(trim=5, width=500, enlarge=True), limits) == limits.pixels
    assert most_pixels((320, 200), Options(crop="5000,0,1,1"), limits) == 1


def test_the_look_at_all_frames_is_counted_into_the_progress(convert: Convert) -> None:
    reports = convert(animation(moving()), trim=10, report_every_s=0.0005).reports
    looked = [each.percent for each in reports if each.stage == "decode"]
    assert len(looked) >= 3 and 0 < looked[-1] < 80
    assert [each.stage for each in reports] == sorted((each.stage for each in reports), key=["decode", "transform", "encode"].index)
    assert convert(animation(moving())).reports[0].stage == "encode"
