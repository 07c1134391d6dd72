"""Animated WebP: canvases, delays and repetitions as Chromium shows them."""

from __future__ import annotations

import itertools

import pytest

from tests.support.chromium_pictures import Animation, ChromiumJudge, difference
from tests.system.differential.writers.webp import webp_animated
from tests.unit.codec.conftest import Convert
from tests.unit.codec.encoders.test_animation import animated, moving
from tests.unit.codec.image.readers_here import opened, pixels_of, timeline

NOTHING = (0, 0, 0, 0)


def whole(count: int, first: int) -> list[bytes]:
    """Random animations, without those that are damaged on purpose."""
    samples = (webp_animated(f"webp-{seed}") for seed in itertools.count(first))
    return [each.data for each in itertools.islice((each for each in samples if not each.traits & {"cut", "zeroed"}), count)]


def equals(data: bytes, theirs: Animation) -> bool:
    """A still has no time."""
    with opened(data) as picture:
        frames = list(picture.read_frames())
        canvases, plays = [pixels_of(each.image) for each in frames], picture.play_count
    if [each.shape for each in canvases] != [each.pixels.shape for each in theirs.frames]:
        return False
    if any(difference(mine, other.pixels).any() for mine, other in zip(canvases, theirs.frames, strict=True)):
        return False
    return len(frames) == 1 or ([each.until_ms - each.at_ms for each in frames], plays) == (theirs.durations_ms, theirs.plays)


def test_200_random_animations_are_shown_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    files = whole(200, first=0)
    judged = chromium_judge.frames(files)
    assert [seed for seed, theirs in enumerate(judged) if theirs is None or not equals(files[seed], theirs)] == []


def small_frame(data: bytes, side: int) -> bytes:
    """The same file on a canvas of ``side`` pixels, whose flags name no alpha."""
    return data[:20] + bytes([data[20] & ~0x10]) + data[21:24] + (side - 1).to_bytes(3, "little") * 2 + data[30:]


@pytest.mark.parametrize("animation", ["keep", "first"])
def test_what_no_frame_covers_is_nothing_though_the_file_names_no_alpha(convert: Convert, animation: str) -> None:
    result = convert(small_frame(animated(moving(3), "WEBP"), 200), lossless=True, animation=animation)
    with result.image() as image:
        canvas = image.convert("RGBA")
        assert (image.size, canvas.getpixel((150, 10)), canvas.getpixel((10, 150))) == ((200, 200), NOTHING, NOTHING)
        assert canvas.getpixel((5, 5))[3] == 255


def test_a_covered_canvas_is_opaque() -> None:
    with opened(animated(moving(3), "WEBP")) as picture:
        assert {each.image.mode for each in picture.read_frames()} == {"RGB"}


def test_results_play_as_their_sources_in_chromium(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    """Equal canvases become one, which is shown for as long: delays of 10 ms or less are those of browsers before they are added."""
    sources = whole(40, first=300)
    results = [convert(each, lossless=True).data for each in sources]
    for source, result in zip(chromium_judge.frames(sources), chromium_judge.frames(results), strict=True):
        assert source and result
        assert [at for at, _ in timeline(source)] == [at for at, _ in timeline(result)]


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_short_delays_are_those_of_browsers(convert: Convert, chromium_judge: ChromiumJudge, image_format: str) -> None:
    source = animated(moving(5), image_format, duration=[40, 10, 0, 20, 10])
    [result] = chromium_judge.frames([convert(source).data])
    assert result and [each.declared_ms for each in result.frames] == [40, 100, 100, 20, 100]
