"""``lossless=auto``: a screenshot that would grow becomes small, a photograph is not tried, and the result says which file was kept."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageSequence

from backend.codec.encoders.webp import looks, smaller, still
from backend.core.options import Options
from tests.support import drawn
from tests.support.running import ROOT
from tests.unit.codec.conftest import EACH_STEP_S, Convert, Outcome, saved
from tests.unit.codec.encoders.test_animation import animated, on_white

WITH_ALPHA = ("logo", "icons")


def is_exact(result: Outcome, source: Image.Image) -> bool:
    """Whether every pixel that can be seen is the source's, as Pillow reads the file."""
    with result.image() as image:
        return on_white(image) == on_white(source)


@pytest.mark.parametrize("quality", [80, "auto"])
@pytest.mark.parametrize("name", [each for each in drawn.DRAWN if each != "gradient"])
def test_a_graphic_that_lossy_made_larger_is_kept_without_loss(convert: Convert, name: str, quality: Any) -> None:
    image = drawn.DRAWN[name]()
    source = saved(image, "PNG")
    lossy, result = convert(source, quality=quality), convert(source, quality=quality, lossless="auto")
    assert is_exact(result, image)
    assert len(result.data) < min(len(source), len(lossy.data))
    assert result.converted.facts.keys() - {"seconds", "thumbhash", "color"} == {"lossless"}
    assert result.converted.facts["lossless"] is True


@pytest.mark.parametrize("quality", [80, "auto"])
def test_a_window_with_smooth_letters_in_flat_areas_is_kept_without_loss(convert: Convert, quality: Any) -> None:
    """In its tiles the letters weigh much, and lossy little: it was taken for a photograph, and kept at 1.6 times the size."""
    source = (ROOT / "frontend" / "samples" / "screenshot.png").read_bytes()
    lossy, result = convert(source, quality=quality), convert(source, quality=quality, lossless="auto")
    assert result.converted.facts["lossless"] is True
    assert len(result.data) < len(lossy.data)


@pytest.mark.parametrize("quality", [30, 80, 100, "auto"])
@pytest.mark.parametrize("name", drawn.DRAWN | drawn.MIXED | drawn.PHOTOGRAPHED)
def test_no_file_is_larger_than_either_alone(convert: Convert, name: str, quality: Any) -> None:
    source = saved((drawn.DRAWN | drawn.MIXED | drawn.PHOTOGRAPHED)[name]((400, 300)), "PNG")
    lossy, exact, result = convert(source, quality=quality), convert(source, lossless=True), convert(source, quality=quality, lossless="auto")
    assert len(result.data) <= len(lossy.data)
    if name in drawn.DRAWN:
        assert len(result.data) <= len(exact.data)
    assert result.converted.facts["lossless"] is (b"VP8L" in result.data[12:64])


@pytest.mark.parametrize("name", drawn.PHOTOGRAPHED)
def test_a_photograph_is_the_file_that_it_was_before(convert: Convert, name: str) -> None:
    source = saved(drawn.PHOTOGRAPHED[name](), "PNG")
    plain, result = convert(source), convert(source, lossless="auto")
    assert result.data == plain.data
    assert result.converted.facts["lossless"] is False


@pytest.mark.parametrize("name", drawn.PHOTOGRAPHED)
def test_no_photograph_is_tried(name: str) -> None:
    """The trial would cost more than the encode; the judge is the picture's kind, and not its size."""
    for size in ((300, 200), (1500, 1000)):
        assert not looks.is_drawn(drawn.PHOTOGRAPHED[name](size).convert("RGB"), 80.0)


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (63, 64), (129, 65)])
def test_a_picture_of_any_size_is_decided(convert: Convert, size: tuple[int, int]) -> None:
    for image in (Image.new("RGB", size, "red"), drawn.painted(size)):
        result = convert(saved(image, "PNG"), lossless="auto")
        assert (result.converted.width, result.converted.height) == size


@pytest.mark.parametrize(
    ("name", "image_format", "mode"),
    [("screenshot", "PNG", "P"), ("screenshot", "BMP", "RGB"), ("text_page", "PNG", "L"), ("chart", "TIFF", "RGB"), ("qr_code", "GIF", "1")],
)
def test_every_kind_of_source_is_decided_by_its_pixels(convert: Convert, name: str, image_format: str, mode: str) -> None:
    image = drawn.DRAWN[name]()
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    result = convert(saved(image, image_format), lossless="auto")
    assert result.converted.facts["lossless"] is True
    assert is_exact(result, image)


def test_a_picture_of_sixteen_bits_is_decided_as_it_is_shown(convert: Convert) -> None:
    deep = Image.fromarray(np.asarray(drawn.text_page(), dtype=np.uint16) * 257)
    assert convert(saved(deep, "PNG"), lossless="auto").converted.facts["lossless"] is True


def test_what_is_decided_is_the_picture_after_its_steps(convert: Convert) -> None:
    """A photograph whose result is one plain corner of it is drawn by then."""
    image = drawn.painted((1200, 800))
    ImageDraw.Draw(image).rectangle((0, 0, 400, 800), fill="navy")
    assert convert(saved(image, "PNG"), lossless="auto").converted.facts["lossless"] is False
    assert convert(saved(image, "PNG"), lossless="auto", width=300, height=800, fit="cover", gravity="west").converted.facts["lossless"] is True


@pytest.mark.parametrize("options", [{"sharp_yuv": True}, {"alpha_quality": 40}, {"method": 0}, {"method": 6}, {"width": 300}], ids=str)
def test_it_goes_with_every_option_of_the_lossy_file(convert: Convert, options: dict[str, Any]) -> None:
    for name in ("logo", "painted"):
        source = saved((drawn.DRAWN | drawn.PHOTOGRAPHED)[name]((500, 400)), "PNG")
        lossy, result = convert(source, **options), convert(source, lossless="auto", **options)
        assert len(result.data) <= len(lossy.data)
        assert result.converted.facts["lossless"] is (b"VP8L" in result.data[12:64])


def test_a_quality_is_told_of_a_lossy_file_alone(convert: Convert) -> None:
    facts = convert(saved(drawn.painted((500, 400)), "PNG"), lossless="auto", quality="auto").converted.facts
    assert (facts["lossless"], facts.keys() >= {"quality", "score", "probes"}) == (False, True)
    assert "quality" not in convert(saved(drawn.chart((500, 400)), "PNG"), lossless="auto", quality="auto").converted.facts


def test_a_size_is_kept_by_whichever_file_is_smaller(convert: Convert) -> None:
    source = saved(drawn.terminal((600, 400)), "PNG")
    exact = len(convert(source, lossless=True).data)
    kept, lossy = convert(source, lossless="auto", target_bytes=exact), convert(source, lossless="auto", target_bytes=exact // 2)
    assert (kept.converted.facts["lossless"], kept.converted.facts["target_met"], len(kept.data)) == (True, True, exact)
    assert lossy.converted.facts["lossless"] is False
    assert len(lossy.data) < exact


@pytest.mark.parametrize("quality", [80, "auto"])
@pytest.mark.parametrize("name", ["terminal", "gradient", "painted", "icons"])
def test_a_size_above_every_file_changes_nothing(convert: Convert, name: str, quality: Any) -> None:
    source = saved((drawn.DRAWN | drawn.PHOTOGRAPHED)[name]((400, 300)), "PNG")
    plain, sized = (convert(source, lossless="auto", quality=quality, **more) for more in ({}, {"target_bytes": 1 << 20}))
    assert plain.data == sized.data
    assert sized.converted.facts["target_met"] is True


def spinner(frames: int = 8) -> list[Image.Image]:
    page = drawn.screenshot((480, 300))
    pictures = [page.copy() for _ in range(frames)]
    for number, each in enumerate(pictures):
        ImageDraw.Draw(each).pieslice((200, 100, 280, 180), 45 * number, 45 * number + 60, fill="#0969da")
    return pictures


@pytest.mark.parametrize("quality", [80, "auto"])
@pytest.mark.parametrize("image_format", ["GIF", "PNG"])
def test_a_drawn_animation_becomes_smaller_frame_by_frame(convert: Convert, image_format: str, quality: Any) -> None:
    source = animated(spinner(6), image_format)
    lossy, result = convert(source, quality=quality), convert(source, quality=quality, lossless="auto")
    assert len(result.data) < len(lossy.data)
    assert result.converted.facts["lossless"] is (b"VP8 " not in result.data)
    if not result.converted.facts["lossless"]:
        assert b"VP8L" in result.data, "some frames"
        return
    with result.image() as ours, Image.open(io.BytesIO(source)) as theirs:
        assert [on_white(each) for each in ImageSequence.Iterator(ours)] == [on_white(each) for each in ImageSequence.Iterator(theirs)]


def test_an_animation_of_photographs_is_the_file_that_it_was_before(convert: Convert) -> None:
    source = animated([drawn.painted((300, 200), seed) for seed in range(6)], "PNG")
    plain, result = convert(source), convert(source, lossless="auto")
    assert result.data == plain.data
    assert result.converted.facts["lossless"] is False


@pytest.mark.parametrize("quality", [80, "auto"])
@pytest.mark.parametrize("name", ["screenshot", "gradient", "painted"])
def test_the_bar_never_falls_while_two_files_are_made(convert: Convert, name: str, quality: Any) -> None:
    source = saved((drawn.DRAWN | drawn.PHOTOGRAPHED)[name]((1600, 1200)), "PNG")
    percents = [each.percent for each in convert(source, report_every_s=EACH_STEP_S, lossless="auto", quality=quality).reports]
    assert percents == sorted(percents)
    assert len({int(each) for each in percents}) >= 12


def test_a_trial_that_takes_too_long_leaves_the_lossy_file(monkeypatch: pytest.MonkeyPatch) -> None:
    image, files = drawn.screenshot((1200, 900)), []
    monkeypatch.setattr(smaller, "TRIAL_S", 0.0)
    for encode, options in ((smaller.encode_image, Options(lossless="auto")), (still.encode_image, Options())):
        with encode(image.copy(), options, lambda _share: None) as (webp, facts):
            files.append((bytes(webp), facts.get("lossless")))
    assert [files[0][0], files[0][1], files[1][1]] == [files[1][0], False, None]
