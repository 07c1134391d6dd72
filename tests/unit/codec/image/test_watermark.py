"""``watermark``: where the mark lies, and what comes of its colours, as libvips composes."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from backend import errors
from backend.codec.encoders.registry import encoder_for
from backend.codec.image import jpeg_fast_path, steps
from backend.codec.image.planning import View, plan_for
from backend.codec.image.steps.step import Traits
from backend.core.conversion import Conversion, Shape
from backend.core.limits import Limits
from backend.core.options import PLACES, Options
from backend.core.watermark import Placement, Watermark
from tests.unit.codec.conftest import Convert, picture, saved
from tests.unit.codec.hostile import chunk, flat_png, text_bomb
from tests.unit.codec.image.test_cropping import animation, frames_of, moving, vips_of

MODES = ["L", "LA", "RGB", "RGBA"]
SHIFTS = {"west": 0, "east": 2, "north": 0, "south": 2}


def logo(width: int = 40, height: int = 30, *, grey: bool = False) -> Image.Image:
    """Opaque, half-transparent and clear pixels, with hidden colours below what is clear."""
    image = (
        picture(width, height, "L").convert("RGB") if grey else picture(width, height).transpose(Image.Transpose.ROTATE_90).resize((width, height))
    )
    alpha = Image.linear_gradient("L").resize((width, height))
    alpha.paste(0, (0, 0, width // 2, height // 3))
    alpha.paste(255, (width // 2, 0, width, height // 3))
    image.putalpha(alpha)
    return image


def watermark(image: Image.Image, **placement: Any) -> Watermark:
    return Watermark(Placement(**placement), saved(image, "PNG"))


def unscaled(size: tuple[int, int], mark: Image.Image, **placement: Any) -> Watermark:
    """That has its own pixels on a picture of this size."""
    return watermark(mark, scale=max(mark.size) / min(size), **placement)


def composed(below: Image.Image, above: Image.Image, left: int, top: int, opacity: float = 1.0) -> Any:
    """By libvips, in floats: RGBA."""
    mark = vips_of(above).cast("float") * [1, 1, 1, opacity]
    ground = vips_of(below.convert("RGBA")).cast("float")
    return ground.composite2(mark.copy(interpretation="srgb"), "over", x=left, y=top, compositing_space="srgb").numpy()


def assert_shows(image: Image.Image, expected: Any) -> None:
    """Within a step, weighted by how opaque a pixel is."""
    found = np.asarray(image.convert("RGBA"), np.float64)
    assert np.abs(found[..., 3] - expected[..., 3]).max() <= 1
    assert (np.abs(found[..., :3] - expected[..., :3]) * expected[..., 3:] / 255).max() <= 1.01


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("opacity", [1.0, 0.5, 0.07, 0.0])
def test_pixels_are_those_of_libvips(convert: Convert, mode: str, grey: bool, opacity: float) -> None:
    below, above = picture(160, 120, mode), logo(grey=grey)
    mark = unscaled(below.size, above, place="northwest", margin=0.1, opacity=opacity)
    result = convert(saved(below, "PNG"), mark=mark, format="png")
    assert_shows(result.image(), composed(below, above, 12, 12, opacity))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("output", ["webp", "png"])
def test_it_lies_where_the_operator_says(convert: Convert, place: str, output: str) -> None:
    below, above = picture(163, 121), logo()
    room = 163 - 40 - 12, 121 - 30 - 12
    across = next((SHIFTS[each] for each in ("west", "east") if each in place), 1)
    down = next((SHIFTS[each] for each in ("north", "south") if each in place), 1)
    expected = composed(below, above, 6 + room[0] * across // 2, 6 + room[1] * down // 2)
    chosen = {"format": output, **({"lossless": True} if output == "webp" else {})}
    assert_shows(convert(saved(below, "PNG"), mark=unscaled(below.size, above, place=place, margin=0.05), **chosen).image(), expected)


@pytest.mark.parametrize("size", [(320, 200), (200, 320), (64, 64)], ids=str)
@pytest.mark.parametrize("scale", [0.1, 0.25, 0.9, 1.0])
def test_its_longer_side_is_a_share_of_the_pictures_shorter_one(convert: Convert, size: tuple[int, int], scale: float) -> None:
    mark = watermark(Image.new("RGBA", (100, 50), "red"), scale=scale, margin=0, place="northwest")
    result = convert(saved(Image.new("RGB", size, "white"), "PNG"), mark=mark, format="png").image()
    longer = round(scale * min(size))
    red = Image.new("RGB", size, "white")
    red.paste("red", (0, 0, longer, round(longer / 2)))
    assert result.convert("RGB").tobytes() == red.tobytes()


@pytest.mark.parametrize("sides", [(400, 300), (17, 9)], ids=str)
def test_it_is_scaled_as_libvips_scales(convert: Convert, sides: tuple[int, int]) -> None:
    """Premultiplied: what is clear has no weight."""
    above, size = logo(*sides), (80, round(80 * sides[1] / sides[0]))
    scaled = vips_of(above).premultiply().resize(size[0] / sides[0], vscale=size[1] / sides[1], kernel="lanczos3").unpremultiply().cast("uchar")
    expected = vips_of(Image.new("RGBA", (160, 160), "#336699")).composite2(scaled.copy(interpretation="srgb"), "over", x=0, y=0).numpy()
    mark = watermark(above, scale=0.5, margin=0, place="northwest")
    result = convert(saved(Image.new("RGB", (160, 160), "#336699"), "PNG"), mark=mark, format="png").image().convert("RGBA")
    assert np.abs(np.asarray(result, np.float64) - expected).mean() < 1


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40), (40, 1), (5, 5)], ids=str)
@pytest.mark.parametrize("placement", [{}, {"place": "tile"}, {"scale": 1, "margin": 0.5}, {"scale": 0.01, "margin": 0}], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_a_picture_smaller_than_the_mark_gets_it_as_far_as_there_is_room(
    convert: Convert, size: tuple[int, int], placement: dict[str, Any], mode: str
) -> None:
    source = saved(picture(*size, mode), "PNG")
    marked = convert(source, mark=watermark(Image.new("RGB", (300, 200), "red"), **placement), format="png").image()
    assert marked.size == size
    assert any(pixel[:3] == (255, 0, 0) for pixel in marked.convert("RGBA").get_flattened_data())


@pytest.mark.parametrize("margin", [0, 0.1])
@pytest.mark.parametrize("mark_size", [(10, 5), (7, 11), (60, 50)], ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_tiles_cover_all_of_the_picture(convert: Convert, margin: float, mark_size: tuple[int, int], mode: str) -> None:
    below, above = picture(133, 100, mode), logo(*mark_size)
    step = round(margin * 100)
    tiles = Image.new("RGBA", below.size)
    for top in range(step, 100, mark_size[1] + step):
        for left in range(step, 133, mark_size[0] + step):
            tiles.paste(above, (left, top))
    mark = unscaled(below.size, above, place="tile", margin=margin)
    assert_shows(convert(saved(below, "PNG"), mark=mark, format="png").image(), composed(below, tiles, 0, 0))


def test_large_tiles_and_large_marks_are_drawn_in_strips_without_a_seam(convert: Convert) -> None:
    """They take more than a strip each."""
    ground, above = Image.new("RGB", (2600, 1300), "#204060"), logo(1300, 1000)
    for placement in ({"place": "tile", "margin": 0}, {"place": "west", "margin": 0}):
        corners = [(0, 0), (1300, 0), (0, 1000), (1300, 1000)] if placement["place"] == "tile" else [(0, 150)]
        marks = Image.new("RGBA", ground.size)
        for corner in corners:
            marks.paste(above, corner)
        result = convert(saved(ground, "PNG"), mark=watermark(above, scale=1, **placement), format="png").image()
        assert_shows(result, composed(ground, marks, 0, 0))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_each_frame_has_it(convert: Convert, mode: str, image_format: str) -> None:
    frames = [each.convert(mode) for each in moving()]
    if mode == "RGBA":
        for each in frames:
            each.paste((0, 0, 0, 0), (0, 0, 60, 80))
    source = animation(frames, image_format)
    above = logo(24, 20)
    mark = unscaled((200, 80), above, place="west", margin=0.05, opacity=0.6)
    plain, marked = (frames_of(convert(source, lossless=True, **chosen).data) for chosen in ({}, {"mark": mark}))
    assert len(marked) == len(plain) == len(frames)
    for before, after in zip(plain, marked, strict=True):
        assert_shows(after, composed(before, above, 4, 30, 0.6))


def test_avif_animations_and_first_frames_have_it_too(convert: Convert) -> None:
    red = watermark(Image.new("RGB", (10, 10), "red"), scale=0.5, place="centre")
    for frame in frames_of(convert(animation(moving(0)), mark=red, format="avif", quality=90).data):
        red_value, _green, blue, _alpha = frame.getpixel((100, 40))
        assert red_value > 230 and blue < 60
    first = convert(animation(moving()), mark=red, format="jpeg", animation="first").image()
    assert first.getpixel((100, 40))[0] > 230


@pytest.mark.parametrize("output", ["webp", "jpeg", "png", "avif"])
def test_every_format_and_every_source_shows_it(convert: Convert, output: str) -> None:
    """A photograph in WebP is not read past the transform, and 16 bits do not stay."""
    red = watermark(Image.new("RGB", (10, 10), "red"), scale=0.5, place="centre")
    deep = Image.frombytes("I;16", (200, 100), np.arange(20_000, dtype="<u2").tobytes())
    cmyk = picture(200, 100).convert("CMYK")
    for source in (saved(picture(200, 100), "JPEG"), saved(deep, "PNG"), saved(cmyk, "TIFF"), saved(picture(200, 100).quantize(9), "GIF")):
        outcome = convert(source, mark=red, format=output)
        red_value, green, blue = outcome.image().convert("RGB").getpixel((100, 50))
        assert red_value > 220 and max(green, blue) < 50, (output, source[:8])
        assert "original" not in outcome.converted.facts


def test_a_grey_mark_leaves_grey_pictures_grey(convert: Convert) -> None:
    source = saved(picture(100, 80, "L"), "PNG")
    assert convert(source, mark=watermark(logo(grey=True)), format="png").image().mode == "L"
    assert convert(source, mark=watermark(logo()), format="png").image().mode == "RGB"


@pytest.mark.parametrize("source", [saved(picture(), "JPEG", quality=5), saved(Image.new("RGB", (300, 200), "navy"), "PNG")])
def test_no_original_is_given_in_the_place_of_a_marked_picture(convert: Convert, source: bytes) -> None:
    chosen = {"never_larger": True, "lossless": True}
    marked = convert(source, mark=watermark(logo(300, 200)), **chosen)
    assert "original" not in marked.converted.facts
    assert marked.converted.bytes > len(source)


def test_the_fast_path_leaves_marked_pictures_alone() -> None:
    """The child that waits does not prepare for it either."""
    for name, expected in ((None, True), ("logo", False)):
        conversion = Conversion(Shape("jpeg", 64, 64), Options(watermark=name), Limits())
        plan = plan_for(conversion, View((64, 64)))
        assert jpeg_fast_path.suits(Traits((64, 64), "RGB"), plan, encoder_for(conversion.output)) is expected
        assert steps.keep_samples(Traits((64, 64), "RGB"), plan) is expected


def test_it_is_put_on_what_other_steps_have_made(convert: Convert) -> None:
    """Upright, in sRGB, at its final size, not blurred."""
    exif = Image.Exif()
    exif[0x0112] = 6
    source = saved(picture(400, 300), "JPEG", exif=exif)
    chosen = {"width": 120, "height": 120, "fit": "contain", "background": "#00ff0080", "blur": 3, "format": "png"}
    plain = convert(source, **chosen).image()
    above = logo(30, 20)
    marked = convert(source, mark=unscaled((120, 120), above, place="northwest", margin=0), **chosen).image()
    assert_shows(marked, composed(plain, above, 0, 0))


@pytest.mark.parametrize(
    "mark",
    [
        saved(logo().convert("RGB").quantize(16), "PNG"),
        saved(Image.new("1", (8, 8), 1), "PNG"),
        saved(Image.new("LA", (8, 8), (200, 90)), "PNG"),
        saved(Image.frombytes("I;16", (8, 8), bytes(range(128))), "PNG"),
        saved(Image.new("RGB", (8, 8), "red"), "PNG", transparency=(255, 0, 0)),
        text_bomb(),
    ],
    ids=["palette", "bilevel", "grey with alpha", "16 bits", "colour key", "text bomb"],
)
def test_every_kind_of_png_can_be_a_mark(convert: Convert, mark: bytes) -> None:
    """As libvips reads it."""
    read = pyvips.Image.new_from_buffer(mark, "").colourspace("srgb")
    above = Image.frombytes("RGBA", (read.width, read.height), (read if read.hasalpha() else read.bandjoin(255)).cast("uchar").write_to_memory())
    below = picture(160, 120)
    watermark = Watermark(Placement("northwest", max(above.size) / 120, margin=0), mark)
    assert_shows(convert(saved(below, "PNG"), mark=watermark, format="png").image(), composed(below, above, 0, 0))


def test_a_marks_profile_counts(convert: Convert) -> None:
    lab_red = Image.new("RGB", (10, 10), (200, 60, 40))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide = pyvips.Image.new_from_memory(lab_red.tobytes(), 10, 10, 3, "uchar").copy(interpretation="srgb").icc_transform("p3", input_profile="srgb")
    p3 = wide.pngsave_buffer()
    below = saved(Image.new("RGB", (40, 40), "white"), "PNG")
    shown = [
        convert(below, mark=Watermark(Placement("centre", 0.5), png), format="png").image().getpixel((20, 20))
        for png in (p3, saved(lab_red, "PNG", icc_profile=profile))
    ]
    assert np.abs(np.subtract(*shown)).max() <= 2


@pytest.mark.parametrize(
    "png",
    [
        b"",
        b"not a picture",
        saved(picture(), "JPEG"),
        saved(picture(), "PNG")[:-4000],
        flat_png(7000, 7000),
        saved(picture(), "PNG")[:33] + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + bytes(500),
    ],
    ids=["nothing", "text", "JPEG", "cut", "bomb", "too little", "nonsense"],
)
def test_a_mark_that_cannot_be_decoded_is_the_operators_fault(convert: Convert, png: bytes) -> None:
    """The image is not to blame, and the job may be tried again once the file is mended."""
    with pytest.raises(errors.BackendUnavailable) as raised:
        convert(saved(picture(), "PNG"), mark=Watermark(Placement(), png))
    assert raised.value.params["part"] == "watermarks"
    assert "watermark" in raised.value.private
    assert convert(saved(picture(), "PNG")).converted.bytes


def test_it_is_counted_into_the_progress(convert: Convert) -> None:
    source = saved(picture(3000, 2000, "RGBA"), "PNG")
    outcome = convert(source, mark=watermark(logo(300, 200), place="tile", scale=0.1), report_every_s=0.0005, method=0)
    shares = [each.percent for each in outcome.reports]
    assert shares == sorted(shares) and len([each for each in outcome.reports if each.stage == "transform"]) >= 3


def test_a_large_mark_on_a_small_picture_takes_most_of_the_bar(convert: Convert) -> None:
    """Its decoding is most of the time."""
    source, mark = saved(picture(64, 48), "PNG"), watermark(logo(1500, 1500))
    begin = [next(each.percent for each in convert(source, mark=chosen).reports if each.stage == "encode") for chosen in (None, mark)]
    assert begin[0] < 60 and begin[1] > 80


@pytest.mark.parametrize("gravity", ["centre", "attention"])
def test_each_of_several_results_has_it_once_at_its_own_size(convert: Convert, gravity: str) -> None:
    """Formats of one width share a picture until they are encoded."""
    red = watermark(Image.new("RGB", (10, 10), "red"), scale=0.5, opacity=0.5, place="centre")
    source = saved(Image.new("RGB", (800, 600), "white"), "PNG")
    chosen = {"widths": "400,200,100", "formats": "png,webp,jpeg", "height": 75, "fit": "cover", "gravity": gravity}
    variants = convert(source, mark=red, **chosen).variants
    assert len(variants) == 9
    for each in variants:
        shown = each.image().convert("RGB")
        width, height = shown.size
        assert np.abs(np.subtract(shown.getpixel((width // 2, height // 2)), (255, 128, 128))).max() <= 6
        assert np.abs(np.subtract(shown.getpixel((1, 1)), (255, 255, 255))).max() <= 6
