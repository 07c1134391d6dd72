"""Animated PNGs: frames as Chromium plays them, of every kind at random, and what of them a file that is wrong still has."""

from __future__ import annotations

import random
import struct
import zlib

import numpy
import pytest

from backend import errors
from backend.core.limits import Limits
from tests.support.chromium_pictures import Animation, ChromiumJudge, difference
from tests.support.png_files import (
    END,
    GREY,
    GREY_ALPHA,
    KINDS,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    Apng,
    ApngFrame,
    Samples,
    chunk,
    noise,
    scanlines,
)
from tests.unit.codec.conftest import Convert, declared
from tests.unit.codec.image.readers_here import frames_of, opened, pixels_of


def flat(side: int, *colour: int) -> Samples:
    return numpy.tile(numpy.array(colour, numpy.uint16), (side, side, 1))


RED, GREEN, BLUE, GREY_PATCH = flat(16, 255, 0, 0, 255), flat(16, 0, 255, 0, 255), flat(16, 0, 0, 255, 255), flat(16, 9, 9, 9, 255)
PATCH = flat(6, 255, 255, 0, 255)
THREE = Apng([ApngFrame(RED), ApngFrame(GREEN), ApngFrame(BLUE)])
HIDDEN = Apng([ApngFrame(GREEN), ApngFrame(BLUE)], hidden=GREY_PATCH)
PARTS = THREE.parts()
"""IHDR, acTL, fcTL, IDAT, fcTL, fdAT, fcTL, fdAT, IEND."""


def joined(*parts: bytes) -> bytes:
    return SIGNATURE + b"".join(parts)


def with_part(number: int, part: bytes) -> bytes:
    return joined(*PARTS[:number], part, *PARTS[number + 1 :])


def control(number: int, frame: ApngFrame) -> bytes:
    return chunk(b"fcTL", Apng.frame_control(number, frame))


def data(number: int, samples: Samples, missing_bytes: int = 0) -> bytes:
    rows = scanlines(samples)
    return chunk(b"fdAT", struct.pack(">I", number) + zlib.compress(rows[: len(rows) - missing_bytes]))


def assert_as_in_chromium(name: object, file: bytes, its: Animation) -> None:
    mine = frames_of(file)
    distances = [difference(pixels, frame.pixels).max() for (pixels, _ms), frame in zip(mine, its.frames, strict=True)]
    assert max(distances) <= 1, (name, distances)
    if len(mine) > 1:
        late = [abs(ms - expected) for (_pixels, ms), expected in zip(mine, its.durations_ms, strict=True)]
        assert max(late) <= 1, (name, late)  # moments are whole milliseconds


def random_apng(seed: int) -> bytes:
    choice = random.Random(seed)
    colour, depth = choice.choice(KINDS)
    width, height = choice.randint(1, 24), choice.randint(1, 24)
    hidden = noise(width, height, colour, depth, seed) if choice.random() < 0.3 else None
    frames = []
    for number in range(choice.randint(1, 6)):
        is_whole = number == 0 and hidden is None
        across, down = (width, height) if is_whole else (choice.randint(1, width), choice.randint(1, height))
        left, top = choice.randint(0, width - across), choice.randint(0, height - down)
        samples = noise(across, down, colour, depth, seed * 10 + number)
        if colour in (RGBA, GREY_ALPHA) and choice.random() < 0.6:
            limit = choice.choice((0, 0.3))
            samples[..., -1] = numpy.where(samples[..., -1] >= limit * (2**depth - 1), 2**depth - 1, 0)
        delay = choice.randint(0, 30), choice.choice((0, 10, 100, 1000, 7))
        frames.append(ApngFrame(samples, left, top, delay, choice.randint(0, 2), choice.randint(0, 1)))
    first = frames[0].samples
    assert first is not None
    keys = {
        PALETTE: bytes(choice.choice((0, 128, 255, 255)) for _ in range(2**depth)),
        GREY: struct.pack(">H", *first[0, 0, :1]),
        RGB: struct.pack(">3H", *first[0, 0, :3]) if colour == RGB else b"",
    }
    note = chunk(b"tRNS", keys[colour]) if colour in keys and choice.random() < 0.5 else b""
    size, plays, length = (width, height), choice.choice((0, 1, 5)), choice.choice((1 << 20, 50, 9))
    return Apng(frames, colour, depth, choice.randint(0, 1), size, hidden, plays=plays, between=note, data_bytes=length).file()


def assert_random_ones_are_as_in_chromium(judge: ChromiumJudge, seeds: range) -> None:
    files = [random_apng(seed) for seed in seeds]
    for seed, file, its in zip(seeds, files, judge.frames(files), strict=True):
        assert its is not None and its.is_whole, seed
        assert_as_in_chromium(seed, file, its)
        with opened(file) as picture:
            assert len(its.frames) == 1 or picture.play_count == its.plays, seed


def test_a_hundred_random_ones_are_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    assert_random_ones_are_as_in_chromium(chromium_judge, range(100))


@pytest.mark.slow
def test_a_thousand_random_ones_are_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    assert_random_ones_are_as_in_chromium(chromium_judge, range(1000, 2000))


AS_IN_CHROMIUM: dict[str, bytes] = {
    "three frames": THREE.file(),
    "a hidden default image": HIDDEN.file(),
    "a hidden default image and one frame": Apng([ApngFrame(GREEN)], hidden=GREY_PATCH).file(),
    "one frame": Apng([ApngFrame(GREEN)]).file(),
    "more frames than declared": Apng(THREE.frames, count=2).file(),
    "far more frames than declared": Apng(THREE.frames, count=1).file(),
    "fewer frames than declared": Apng(THREE.frames, count=4).file(),
    "far fewer frames than may be": Apng(THREE.frames, count=1_000_000).file(),
    "no frames declared": Apng(THREE.frames, count=0).file(),
    "too many frames for a number": Apng(THREE.frames, count=1 << 31).file(),
    "too many plays for a number": Apng(THREE.frames, plays=1 << 31).file(),
    "acTL twice": joined(*PARTS[:2], chunk(b"acTL", struct.pack(">II", 2, 5)), *PARTS[2:]),
    "acTL behind the first fcTL": joined(PARTS[0], PARTS[2], PARTS[1], *PARTS[3:]),
    "acTL behind the pixels": joined(PARTS[0], *PARTS[2:4], PARTS[1], *PARTS[4:]),
    "no acTL": joined(PARTS[0], *PARTS[2:]),
    "acTL too short": with_part(1, chunk(b"acTL", struct.pack(">I", 3))),
    "acTL too long": with_part(1, chunk(b"acTL", struct.pack(">III", 3, 0, 0))),
    "acTL with a wrong checksum": with_part(1, chunk(b"acTL", struct.pack(">II", 3, 0), crc=4)),
    "the second fcTL with a wrong checksum": with_part(4, PARTS[4][:-4] + b"abcd"),
    "the third fcTL with a wrong checksum": with_part(6, PARTS[6][:-4] + b"abcd"),
    "the second fcTL with a wrong number": with_part(4, control(9, ApngFrame(GREEN))),
    "the third fcTL with a wrong number": with_part(6, control(9, ApngFrame(BLUE))),
    "frames in the wrong order": joined(*PARTS[:4], *PARTS[6:8], *PARTS[4:6], END),
    "two fcTL for one frame": joined(*PARTS[:4], control(1, ApngFrame(GREEN)), control(2, ApngFrame(BLUE)), data(3, BLUE), END),
    "an fcTL without data": joined(*PARTS[:7], END),
    "a frame beyond the right edge": Apng([ApngFrame(RED), ApngFrame(PATCH, left=12), ApngFrame(BLUE)]).file(),
    "a frame beyond the lower edge": Apng([ApngFrame(RED), ApngFrame(PATCH, top=12), ApngFrame(BLUE)]).file(),
    "a frame far away": Apng([ApngFrame(RED), ApngFrame(PATCH, left=0xFFFFFFFF), ApngFrame(BLUE)]).file(),
    "a frame without width": Apng([ApngFrame(RED), ApngFrame(PATCH, sides=(0, 6)), ApngFrame(BLUE)]).file(),
    "an unknown disposal": Apng([ApngFrame(RED), ApngFrame(PATCH, dispose=3), ApngFrame(PATCH, left=8)]).file(),
    "an unknown blending": Apng([ApngFrame(RED), ApngFrame(PATCH, blend=2), ApngFrame(BLUE)]).file(),
    "the first frame disposed of to what was before": Apng([ApngFrame(RED, dispose=2), ApngFrame(PATCH)]).file(),
    "the first frame disposed of to nothing": Apng([ApngFrame(RED, dispose=1), ApngFrame(PATCH)]).file(),
    "a small first frame behind a hidden image": Apng([ApngFrame(PATCH, dispose=2, left=3), ApngFrame(PATCH)], hidden=GREY_PATCH).file(),
    "the first frame over nothing": Apng([ApngFrame(flat(16, 255, 0, 0, 128), blend=1), ApngFrame(PATCH)]).file(),
    "delays": Apng([ApngFrame(RED, delay=each) for each in ((0, 0), (5, 0), (1, 1000), (10, 1000), (11, 1000), (1, 3), (65535, 1000))]).file(),
    "a few bytes in each fdAT": Apng(THREE.frames, data_bytes=7).file(),
    "text between frames": joined(*PARTS[:4], chunk(b"tEXt", b"a\0b"), *PARTS[4:]),
    "text between a frame's chunks": joined(*PARTS[:5], chunk(b"tEXt", b"a\0b"), *PARTS[5:]),
    "bytes behind the end": THREE.file() + b"garbage",
    "frames behind the end": joined(*PARTS[:6], END, *PARTS[6:]),
    "a hidden image that is broken": joined(*HIDDEN.parts()[:2], chunk(b"IDAT", b"xx"), *HIDDEN.parts()[3:]),
}


def test_what_a_file_has_of_an_animation_is_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    for (name, file), its in zip(AS_IN_CHROMIUM.items(), chromium_judge.frames(list(AS_IN_CHROMIUM.values())), strict=True):
        assert its is not None, name
        assert_as_in_chromium(name, file, its)


def test_its_first_picture_is_what_an_img_shows_first(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    for (name, file), its in zip(AS_IN_CHROMIUM.items(), chromium_judge.shown(list(AS_IN_CHROMIUM.values())), strict=True):
        assert its is not None, name
        mine = pixels_of(convert(file, animation="first", lossless=True, method=0).image())
        assert difference(mine, its.pixels).max() <= 1, name


def test_a_hidden_default_image_is_not_shown(convert: Convert) -> None:
    assert declared(HIDDEN.file()).frames == 2
    assert convert(HIDDEN.file(), animation="first", lossless=True).image().convert("RGBA").getpixel((8, 8)) == (0, 255, 0, 255)
    assert convert(HIDDEN.file(), lossless=True).converted.frames == 2


def test_half_transparent_colour_over_another_is_mixed_once(convert: Convert) -> None:
    over = flat(16, 255, 0, 0, 128)
    result = convert(Apng([ApngFrame(over * 0), ApngFrame(over, blend=1)]).file(), lossless=True).image()
    result.seek(1)
    assert result.convert("RGBA").getpixel((8, 8)) == (255, 0, 0, 128)


DAMAGED: dict[str, bytes] = {
    "a frame with a wrong checksum": with_part(5, PARTS[5][:-4] + b"abcd"),
    "a frame's data with a wrong number": with_part(5, data(9, GREEN)),
    "a frame's data too short for a number": with_part(5, chunk(b"fdAT", b"\0\0")),
    "a frame without its last row": with_part(5, data(2, GREEN, 65)),
    "a frame larger than its data": Apng([ApngFrame(RED), ApngFrame(PATCH, sides=(8, 8)), ApngFrame(BLUE)]).file(),
    "a frame smaller than its data": Apng([ApngFrame(RED), ApngFrame(PATCH, sides=(4, 6)), ApngFrame(BLUE)]).file(),
    "the file ends within a frame": joined(*PARTS[:5]) + PARTS[5][:-10],
    "the file ends between frames": joined(*PARTS[:6]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_frame_is_said_and_the_first_is_still_there(convert: Convert, name: str) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(DAMAGED[name])
    assert convert(DAMAGED[name], animation="first", method=0).converted.frames == 1


@pytest.mark.parametrize("frame", [ApngFrame(RED, left=1), ApngFrame(RED, sides=(6, 6))], ids=["beside the canvas", "smaller than the canvas"])
def test_a_wrong_first_frame_leaves_the_still_picture(convert: Convert, frame: ApngFrame) -> None:
    file = Apng([frame, ApngFrame(GREEN)], size=(16, 16)).file()
    for animation in ("keep", "first"):
        assert convert(file, animation=animation, lossless=True).image().convert("RGBA").getpixel((8, 8)) == (255, 0, 0, 255)


def test_a_file_that_lacks_only_its_end_has_all_frames() -> None:
    assert len(frames_of(THREE.file()[:-12])) == 3


@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_frames_are_decoded_by_the_kind_of_the_file(chromium_judge: ChromiumJudge, colour: int, depth: int) -> None:
    frames = [ApngFrame(noise(9, 7, colour, depth, seed)) for seed in range(2)]
    file = Apng(frames, colour, depth, interlace=1).file()
    [its] = chromium_judge.frames([file])
    assert its is not None
    assert_as_in_chromium((colour, depth), file, its)


def test_no_more_frames_are_kept_than_allowed() -> None:
    few = Limits(frames=2)
    with pytest.raises(errors.TooManyFrames), opened(THREE.file(), few):
        pass
    assert declared(Apng(THREE.frames[:2], count=1000).file(), few).frames == 2


def test_a_frame_of_many_hours_is_shown_as_long_as_a_webp_can(convert: Convert) -> None:
    frames = [ApngFrame(each, delay=(65535, 1)) for each in (RED, GREEN, BLUE)]
    result = convert(Apng(frames).file(), lossless=True).image()
    for number in range(3):
        result.seek(number)
        result.load()
        assert result.info["duration"] == (1 << 24) - 1
    assert convert(Apng(frames * 50).file()).converted.frames > 1


def test_what_opaque_frames_leave_clear_is_clear_for_every_reader(convert: Convert) -> None:
    result = convert(Apng([ApngFrame(RED, dispose=1), ApngFrame(PATCH)]).file(), lossless=True).image()
    result.seek(1)
    assert result.convert("RGBA").getpixel((14, 14)) == (0, 0, 0, 0)
