"""Frames on their canvas: what a browser shows, and no more memory than it takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
import pytest
from PIL import Image

from backend import errors
from backend.codec.encoders.encoder import Frame
from backend.codec.image.composition import compose, compose_first, over
from backend.codec.image.raw_frame import Blend, Dispose, RawFrame
from backend.core.limits import Limits
from tests.support.chromium_pictures import ChromiumJudge, Pixels
from tests.support.png_files import Apng, ApngFrame

RED, BLUE, NOTHING = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
SIZE = 8, 8
BLENDS: list[Blend] = ["source", "over"]
DISPOSALS: list[Dispose] = ["none", "background", "previous"]
"""In APNG's order."""


def raw(
    colour: tuple[int, int, int, int],
    size: tuple[int, int] = (4, 4),
    at: tuple[int, int] = (0, 0),
    ms: float = 100,
    blend: Blend = "source",
    dispose: Dispose = "none",
) -> RawFrame:
    return RawFrame(Image.new("RGBA", size, colour), *at, ms, blend, dispose)


def composed(*frames: RawFrame) -> list[Frame]:
    return list(compose(frames, SIZE, Limits()))


def pixel(frame: Frame, x: int, y: int) -> tuple[int, ...]:
    found = frame.image.convert("RGBA").getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(map(int, found))


def test_what_no_frame_covers_is_nothing() -> None:
    [frame] = composed(raw(RED, at=(2, 2)))
    assert pixel(frame, 1, 1) == NOTHING and pixel(frame, 2, 2) == pixel(frame, 5, 5) == RED and pixel(frame, 6, 6) == NOTHING


@pytest.mark.parametrize("dispose, left_behind", [("none", RED), ("background", NOTHING), ("previous", BLUE)])
def test_a_frame_is_disposed_of_before_the_next_is_drawn(dispose: Dispose, left_behind: tuple[int, ...]) -> None:
    frames = composed(raw(BLUE, SIZE), raw(RED, dispose=dispose), raw(BLUE, (1, 1), (7, 7)))
    assert pixel(frames[1], 1, 1) == RED and pixel(frames[1], 6, 6) == BLUE
    assert pixel(frames[2], 1, 1) == left_behind and pixel(frames[2], 6, 6) == BLUE


def test_the_first_frame_has_nothing_before_it_to_go_back_to() -> None:
    frames = composed(raw(RED, dispose="previous"), raw(BLUE, (1, 1), (7, 7)))
    assert pixel(frames[0], 1, 1) == RED and pixel(frames[1], 1, 1) == NOTHING


def test_frames_are_clipped_to_the_canvas_and_never_squeezed() -> None:
    chequered = Image.new("RGBA", (8, 8), RED)
    chequered.paste(BLUE, (4, 4, 8, 8))
    for blend in ("source", "over"):
        [inside, outside] = composed(RawFrame(chequered, 2, 2, 100, blend, "none"), RawFrame(chequered, 90, 0, 100, blend, "background"))
        assert pixel(inside, 5, 5) == RED and pixel(inside, 6, 6) == pixel(inside, 7, 7) == BLUE
        assert pixel(outside, 7, 7) == BLUE
    [before] = composed(RawFrame(chequered, -3, -3, 100, "over", "none"))
    assert pixel(before, 0, 0) == RED and pixel(before, 1, 1) == pixel(before, 4, 4) == BLUE and pixel(before, 5, 5) == NOTHING


def test_a_frame_without_pixels_shows_what_was_there() -> None:
    for dispose in ("none", "background", "previous"):
        [_, empty, _] = composed(raw(RED, SIZE), raw(BLUE, (0, 4), dispose=dispose), raw(BLUE, (4, 0)))
        assert empty.image.tobytes() == Image.new("RGB", SIZE, RED).tobytes()


def test_source_replaces_alpha_too_and_over_does_not() -> None:
    through = (0, 255, 0, 0)
    assert pixel(composed(raw(RED, SIZE), raw(through))[1], 0, 0)[3] == 0
    assert pixel(composed(raw(RED, SIZE), raw(through, blend="over"))[1], 0, 0) == RED


def test_half_transparent_over_half_transparent_stays_in_straight_alpha() -> None:
    green, red = (0, 255, 0, 128), (255, 0, 0, 128)
    assert pixel(composed(raw(green, SIZE), raw(red, SIZE, blend="over"))[1], 0, 0) == (170, 85, 0, 192)
    assert pixel(composed(raw(red, SIZE, blend="over"))[0], 8 - 1, 8 - 1) == red


def test_a_wide_frame_is_blended_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    above, below = (Image.effect_noise((64, 64), 90).convert("L") for _ in range(2))
    frames = [RawFrame(Image.merge("RGBA", (each,) * 4), 0, 0, 100, "over", "none") for each in (below, above)]
    monkeypatch.setattr("backend.codec.image.composition.STRIP_PIXELS", 7 * 64)
    [_, both] = list(compose(frames, (64, 64), Limits()))
    assert both.image.tobytes() == over(frames[1].image, frames[0].image).tobytes()


def test_opaque_canvases_are_rgb_and_each_is_its_receivers_own() -> None:
    frames = composed(raw(RED, SIZE), raw(NOTHING, dispose="background"), raw(BLUE, SIZE, dispose="previous"), raw(RED, (1, 1)))
    assert [each.image.mode for each in frames] == ["RGB", "RGBA", "RGB", "RGBA"]
    moving = compose([raw(RED, (4, 8)), raw(RED, (1, 1))], SIZE, Limits())
    next(moving).image.paste(BLUE, (0, 0, *SIZE))
    assert pixel(next(moving), 3, 3) == RED


def test_10_ms_or_less_is_played_for_100_and_moments_do_not_drift() -> None:
    frames = composed(*(raw(RED, ms=ms) for ms in (0, 10, 11, 1000 / 60, 1000 / 60, 1000 / 60)))
    assert [(each.at_ms, each.until_ms) for each in frames] == [(0, 100), (100, 200), (200, 211), (211, 228), (228, 244), (244, 261)]


def test_no_more_frames_than_allowed_are_drawn() -> None:
    def endless() -> Iterator[RawFrame]:
        while True:
            yield raw(RED)

    with pytest.raises(errors.TooManyFrames):
        list(compose(endless(), SIZE, Limits(frames=3)))
    with pytest.raises(errors.TooManyPixels):
        list(compose(endless(), SIZE, Limits(pixels=8 * 8 * 2)))


def random_frames(seed: int, width: int, height: int) -> list[RawFrame]:
    """The first one fills the canvas, as PNG wants it."""
    random = numpy.random.default_rng(seed)
    frames = []
    for number in range(random.integers(2, 6)):
        left, top = (int(random.integers(side)) if number else 0 for side in (width, height))
        columns, rows = (random.integers(1, width - left + 1), random.integers(1, height - top + 1)) if number else (width, height)
        pixels = random.integers(0, 256, (rows, columns, 4), numpy.uint8)
        levels = (random.integers(0, 256, 4), [0, 255], [255], [0, 1, 128, 254, 255])[random.integers(4)]
        pixels[..., 3] = random.choice(levels, (rows, columns))
        blend, dispose = BLENDS[random.integers(2)], DISPOSALS[random.integers(3)]
        frames.append(RawFrame(Image.fromarray(pixels), left, top, int(random.integers(0, 40)), blend, dispose))
    return frames


def stored(frames: list[RawFrame]) -> bytes:
    """As an APNG."""
    numbers = ((DISPOSALS.index(each.dispose), BLENDS.index(each.blend)) for each in frames)
    samples = (numpy.asarray(each.image).astype(numpy.uint16) for each in frames)
    return Apng(
        [
            ApngFrame(pixels, each.left, each.top, (int(each.duration_ms), 1000), *odd)
            for each, pixels, odd in zip(frames, samples, numbers, strict=True)
        ]
    ).file()


def test_random_frames_are_composed_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    """Ties may be rounded otherwise: Chromium computes in floating point."""
    files = [random_frames(seed, 24, 17) for seed in range(100)]
    for frames, theirs in zip(files, chromium_judge.frames([stored(each) for each in files]), strict=True):
        assert theirs
        mine = list(compose(frames, (24, 17), Limits()))
        assert [each.until_ms - each.at_ms for each in mine] == theirs.durations_ms
        for one, other in zip(mine, theirs.frames, strict=True):
            assert_equal(numpy.asarray(one.image.convert("RGBA")), other.pixels)


def assert_equal(mine: Pixels, theirs: Pixels) -> None:
    seen = (mine[..., 3] > 0) | (theirs[..., 3] > 0)
    distances = numpy.abs(mine.astype(int) - theirs)[seen]
    assert distances.max(initial=0) <= 1
    assert numpy.count_nonzero(distances) < 0.01 * max(1, distances.size)


def test_the_first_canvas_alone_is_the_first_of_all() -> None:
    for frame in (raw(RED), raw(RED, SIZE), raw((0, 255, 0, 9), (9, 9), (-2, 3), blend="over"), raw(RED, at=(50, 50))):
        [first] = composed(frame)
        assert compose_first(frame, SIZE).convert("RGBA").tobytes() == first.image.convert("RGBA").tobytes()
