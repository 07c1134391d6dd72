"""AVIF sequences, as Chromium plays them: frames, delays, repetitions and transparency are the source's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support.chromium_pictures import ChromiumJudge, difference
from tests.unit.codec.conftest import EACH_STEP_S, Convert
from tests.unit.codec.encoders.test_animation import DURATIONS, animated, moving

LOOKED_AHEAD = 40
"""More frames than libaom takes before it encodes the first one."""


@pytest.mark.parametrize(("image_format", "loop"), [("GIF", 3), ("GIF", 0), ("GIF", None), ("PNG", 1), ("PNG", 5), ("WEBP", 2), ("WEBP", 0)])
def test_it_plays_as_its_source(convert: Convert, chromium_judge: ChromiumJudge, image_format: str, loop: int | None) -> None:
    source = animated(moving(), image_format, **({} if loop is None else {"loop": loop}))
    result = convert(source, format="avif", speed=8)
    theirs, ours = chromium_judge.frames([source, result.data])
    assert theirs and ours and ours.is_whole
    assert (ours.plays, ours.durations_ms) == (theirs.plays, theirs.durations_ms)
    assert ours.durations_ms == DURATIONS
    assert result.converted.frames == len(ours.frames) == 6


@pytest.mark.parametrize("speed", [6, 8])
def test_many_frames_come_whole_and_in_order(convert: Convert, chromium_judge: ChromiumJudge, speed: int) -> None:
    durations = [20 + 10 * (number % 7) for number in range(LOOKED_AHEAD)]
    source = animated(moving(LOOKED_AHEAD, (460, 48)), "GIF", duration=durations)
    result = convert(source, format="avif", speed=speed, quality=90)
    theirs, ours = chromium_judge.frames([source, result.data])
    assert theirs and ours
    assert ours.durations_ms == theirs.durations_ms == durations
    for one, other in zip(ours.frames, theirs.frames, strict=True):
        assert difference(one.pixels, other.pixels)[..., :3].mean() < 6


def test_transparency_is_kept_also_where_it_begins_later(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    """The first frame decides which planes a sequence has."""
    opaque, clear = moving(4, (64, 48)), moving(4, (64, 48), background=(0, 0, 0, 0))
    for frames in (clear, [*opaque[:2], *clear[2:]], [*clear[:1], *opaque[1:]]):
        source = animated(frames, "PNG", duration=100, default_image=False, blend=0)
        theirs, ours = chromium_judge.frames([source, convert(source, format="avif", quality=90).data])
        assert theirs and ours
        for one, other in zip(ours.frames, theirs.frames, strict=True):
            assert abs(one.pixels[..., 3].astype(int) - other.pixels[..., 3]).mean() < 3


def test_frames_are_scaled_and_turned_alike(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    [ours] = chromium_judge.frames([convert(animated(moving(), "GIF"), format="avif", width=61, rotate=90).data])
    assert ours and (ours.width, ours.height, len(ours.frames)) == (61, 92, 6)


def test_notes_come_along_with_transparency_too(convert: Convert) -> None:
    exif = Image.Exif()
    exif[0x8298] = "mine"
    source = animated(moving(background=(0, 0, 0, 0)), "WEBP", exif=exif, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    result = convert(source, format="avif", metadata="all")
    assert b"mine" in result.data and b"xmpmeta" in result.data
    assert result.converted.frames == 6


def test_the_first_frame_alone_is_a_still(convert: Convert) -> None:
    result = convert(animated(moving(), "GIF"), format="avif", animation="first")
    assert (result.converted.frames, result.data[8:12]) == (1, b"avif")


def test_a_target_and_a_score_are_kept(convert: Convert) -> None:
    source = animated(moving(), "GIF")
    whole = convert(source, format="avif", speed=9).converted.bytes
    smaller = convert(source, format="avif", speed=9, target_bytes=whole * 2 // 3).converted
    assert smaller.facts["target_met"] and smaller.bytes <= whole * 2 // 3
    assert convert(source, format="avif", speed=9, quality="auto").converted.facts["score"] > 0


def test_the_bar_follows_the_frames(convert: Convert) -> None:
    source = animated(moving(LOOKED_AHEAD, (460, 48)), "GIF", duration=50)
    percents = [each.percent for each in convert(source, format="avif", speed=8, report_every_s=EACH_STEP_S).reports]
    assert percents == sorted(percents)
    assert percents[-1] > 90


def test_the_same_frames_give_the_same_bytes(convert: Convert) -> None:
    """libavif writes the time of day into a sequence."""
    source = animated(moving(), "GIF")
    first, second = (convert(source, format="avif", speed=8).data for _ in range(2))
    assert first == second
    assert np.frombuffer(first[first.index(b"mvhd") + 8 :][:16], ">u8").tolist() == [0, 0]
