"""AVIF sequences: how often they play, as Chromium has it, and that delays do not drift."""

from __future__ import annotations

from functools import cache

import pytest

from backend.core.image_headers.heif_plays import avif_plays
from tests.support.chromium_pictures import ChromiumJudge
from tests.unit.codec.conftest import Convert
from tests.unit.codec.encoders.test_animation import animated, moving
from tests.unit.codec.image.readers_here import opened

FRAME_MS = 100
TRACK_MS = 3 * FRAME_MS
ENDLESS = (1 << 64) - 1
REPEATS = 1


@cache
def sequence() -> bytes:
    """libavif's, of three frames: an edit list of version 1, and a track header of version 1."""
    return animated(moving(3), "AVIF", duration=FRAME_MS)


def edited(flags: int, track: int, segment: int = TRACK_MS) -> bytes:
    """With ``flags`` and ``segment`` in the edit list, and ``track`` as the track's duration (ISO/IEC 14496-12 §8.3.2, §8.6.6)."""
    data = bytearray(sequence())
    edits, head = data.index(b"elst") + 4, data.index(b"tkhd") + 4
    data[edits + 1 : edits + 4] = flags.to_bytes(3, "big")
    data[edits + 8 : edits + 16] = segment.to_bytes(8, "big")
    data[head + 28 : head + 36] = track.to_bytes(8, "big")
    return bytes(data)


def renamed(kind: bytes) -> bytes:
    return sequence().replace(kind, b"free")


PLAYED = {
    "without an edit list, for ever": (renamed(b"edts"), 0),
    "a list that repeats endlessly": (edited(REPEATS, ENDLESS), 0),
    "a list that repeats once": (edited(REPEATS, TRACK_MS), 1),
    "a list that repeats twice": (edited(REPEATS, 2 * TRACK_MS), 2),
    "a list that repeats, and then a part": (edited(REPEATS, 2 * TRACK_MS + 1), 3),
    "a list that repeats less than once": (edited(REPEATS, 1), 1),
    "a segment shorter than the media": (edited(REPEATS, 2 * TRACK_MS, FRAME_MS), 6),
    "a list that does not repeat": (edited(0, ENDLESS), 1),
    "other flags": (edited(2, 5 * TRACK_MS), 1),
    "more than can be counted": (edited(REPEATS, TRACK_MS << 33), 0),
}


@pytest.mark.parametrize("name", PLAYED)
def test_a_sequence_plays_as_often_as_in_chromium(convert: Convert, chromium_judge: ChromiumJudge, name: str) -> None:
    source, plays = PLAYED[name]
    theirs, result = chromium_judge.frames([source, convert(source).data])
    assert theirs and result and (theirs.plays, result.plays) == (plays, plays)


def test_more_plays_than_webp_holds_are_as_many_as_it_holds(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    [result] = chromium_judge.frames([convert(edited(REPEATS, 70_000 * TRACK_MS)).data])
    assert result and result.plays == 65535


def test_boxes_that_cannot_be_walked_play_for_ever() -> None:
    for length in range(0, len(sequence()), 7):
        data = sequence()[:length]
        assert avif_plays(lambda at, count, data=data: data[at : at + count], length) in (0, 1)


def test_delays_between_milliseconds_do_not_drift() -> None:
    """A clock that is three times as fast: each frame lasts a third of 100 ms."""
    data = bytearray(sequence())
    clock = data.index(b"mdhd") + 4 + 20
    assert int.from_bytes(data[clock : clock + 4], "big") == 1000
    data[clock : clock + 4] = (3000).to_bytes(4, "big")
    with opened(bytes(data)) as picture:
        moments = [each.until_ms for each in picture.read_frames()]
    assert moments[-1] == 100 and all(abs(moment - number * 100 / 3) < 1 for number, moment in enumerate(moments, 1))
