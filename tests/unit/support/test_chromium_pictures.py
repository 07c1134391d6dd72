"""The judge of pictures, asked about files whose right values the specifications give."""

from __future__ import annotations

import io
import struct
import zlib

import numpy
from PIL import Image

from tests.support.chromium_pictures import ChromiumJudge, difference


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*pixels: tuple[int, ...], more: bytes = b"") -> bytes:
    """One row of RGBA."""
    row = b"\0" + b"".join(bytes(each) for each in pixels)
    header = struct.pack(">IIBBBBB", len(pixels), 1, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


def gif(*delays_cs: int, loop: int | None = None) -> bytes:
    """1 × 1 frames, black and white in turns."""
    frames = b""
    for number, delay_cs in enumerate(delays_cs):
        pixel = b"\x44\x01" if number % 2 == 0 else b"\x4c\x01"  # clear, 0 or 1, end: codes of 3 bits
        control = b"\x21\xf9\x04\0" + struct.pack("<H", delay_cs) + b"\0\0"
        frames += control + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02" + pixel + b"\0"
    loops = b"" if loop is None else b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + loops + frames + b"\x3b"


def test_half_transparent_pixels_come_as_they_are(chromium_judge: ChromiumJudge) -> None:
    given = ((200, 50, 17, 10), (200, 50, 77, 128), (1, 2, 3, 255), (0, 0, 0, 0))
    [shown], [played] = chromium_judge.shown([png(*given)]), chromium_judge.frames([png(*given)])
    assert shown is not None and played is not None
    assert [shown.pixel(x, 0) for x in range(4)] == [played.frames[0].pixel(x, 0) for x in range(4)] == list(given)


def test_colours_are_brought_to_srgb(chromium_judge: ChromiumJudge) -> None:
    display_p3 = chunk(b"cICP", bytes((12, 13, 0, 1)))
    [shown] = chromium_judge.shown([png((200, 60, 60, 255), more=display_p3)])
    assert shown is not None and shown.pixel(0, 0) == (217, 42, 52, 255)


def test_a_photograph_is_turned_by_its_exif(chromium_judge: ChromiumJudge) -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.linear_gradient("L").resize((32, 16)).save(out, "JPEG", exif=exif)
    [shown], [played] = chromium_judge.shown([out.getvalue()]), chromium_judge.frames([out.getvalue()])
    assert shown is not None and (shown.width, shown.height) == (16, 32)
    assert played is not None and numpy.array_equal(played.frames[0].pixels, shown.pixels)
    assert shown.pixel(0, 5)[0] > shown.pixel(15, 5)[0]


def test_half_transparent_pixels_are_turned_too(chromium_judge: ChromiumJudge) -> None:
    half_turn = chunk(b"eXIf", b"MM" + struct.pack(">HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, 3, 0, 0))
    [shown] = chromium_judge.shown([png((200, 50, 17, 128), (1, 2, 3, 255), more=half_turn)])
    assert shown is not None and difference(shown.pixels, numpy.array([[[1, 2, 3, 255], [200, 50, 17, 128]]], numpy.uint8)).max() <= 1


def test_frames_have_their_times_and_repetitions(chromium_judge: ChromiumJudge) -> None:
    found = chromium_judge.frames([gif(5, 1, 0), gif(5, 7, loop=0), gif(5, 7, loop=2), gif(5)])
    assert [each and each.durations_ms for each in found] == [[50, 100, 100], [50, 70], [50, 70], [50]]
    assert [each and each.plays for each in found] == [1, 0, 3, 1]
    assert found[0] is not None and [each.pixel(0, 0) for each in found[0].frames] == [(0, 0, 0, 255), (255, 255, 255, 255), (0, 0, 0, 255)]


def test_what_is_no_picture_is_none_in_its_place(chromium_judge: ChromiumJudge) -> None:
    found = chromium_judge.shown([b"nothing", png((1, 2, 3, 255)), b""])
    assert [each is None for each in found] == [True, False, True]
    assert [each is None for each in chromium_judge.frames([b"nothing", png((1, 2, 3, 255)), b""])] == [True, False, True]


def test_many_files_are_answered_in_their_order(chromium_judge: ChromiumJudge) -> None:
    found = chromium_judge.shown([png((number, 0, 0, 255)) for number in range(120)])
    assert [each and each.pixel(0, 0)[0] for each in found] == list(range(120))


def test_a_difference_weighs_colour_by_its_alpha() -> None:
    one = numpy.array([[[255, 0, 0, 0], [100, 0, 0, 51]]], numpy.uint8)
    other = numpy.array([[[0, 255, 0, 0], [110, 0, 0, 51]]], numpy.uint8)
    assert difference(one, other).tolist() == [[[0, 0, 0, 0], [2, 0, 0, 0]]]
