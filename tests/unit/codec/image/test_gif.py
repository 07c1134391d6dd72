"""GIF: every canvas, delay and repetition as Chromium shows them, and a verdict on what is no GIF any more."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy
import pytest
from PIL import Image

from backend import errors
from backend.core.limits import Limits
from tests.support.chromium_pictures import Animation, ChromiumJudge, Pixels, difference
from tests.support.gif_files import GifFrame, blocks, control, gif, loop, lzw, packed, random_gif
from tests.unit.codec.conftest import Convert
from tests.unit.codec.image.readers_here import opened, pixels_of, timeline

PALETTE = numpy.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], numpy.uint8)
GREYS = numpy.array([[each] * 3 for each in (1, 2, 3, 4)], numpy.uint8)
RED, GREEN, BLUE, NOTHING = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
RAMP = (numpy.arange(64, dtype=numpy.uint8) % 4).reshape(8, 8)
CODES = lzw(RAMP.tobytes(), 2)


@dataclass(frozen=True)
class Played:
    canvases: list[Pixels]
    durations_ms: list[int]
    plays: int


def played(data: bytes, limits: Limits = Limits()) -> Played:
    """As our reader has it, by the shape that the header declares."""
    with opened(data, limits) as picture:
        frames = list(picture.read_frames())
        first = picture.read(lambda _share: None)
        canvases = [pixels_of(each.image) for each in frames]
        assert first.size == picture.size and not difference(pixels_of(first), canvases[0]).any()
        return Played(canvases, [each.until_ms - each.at_ms for each in frames], picture.play_count)


def equals(mine: Played, theirs: Animation) -> bool:
    """A still has no time. WebP holds one play less than GIF at most."""
    if [each.shape for each in mine.canvases] != [each.pixels.shape for each in theirs.frames]:
        return False
    if any(difference(mine_, theirs_.pixels).any() for mine_, theirs_ in zip(mine.canvases, theirs.frames, strict=True)):
        return False
    return len(mine.canvases) == 1 or (mine.durations_ms, mine.plays) == (theirs.durations_ms, min(theirs.plays, 65535))


def filled(index: int, width: int = 8, height: int = 8, left: int = 0, top: int = 0, palette: Pixels | None = None) -> bytes:
    return GifFrame(numpy.full((height, width), index, numpy.uint8), left, top, palette, code_bits=4 if index > 3 else 2).data()


def stored(data: bytes, width: int = 8, height: int = 8, code_bits: int = 2) -> bytes:
    """An image whose sub-blocks are ``data``."""
    return b"\x2c" + struct.pack("<HHHHBB", 0, 0, width, height, 0, code_bits) + data


def small(*parts: bytes, width: int = 8, height: int = 8, palette: Pixels | None = PALETTE, background: int = 0) -> bytes:
    return gif(parts, width, height, palette, background)


PLAIN_TEXT = b"\x21\x01\x0c" + bytes(12) + b"\x05Hello\0"
TWO = filled(0), filled(1)
STEPS = [(1, 3), (6, 3), (7, 3), *((code, 4) for code in range(8, 16)), (5, 5)]
"""Codes of two bits, each for one pixel more than the one before."""
NO_BITS = [(1, 1), (0, 1), (3, 2), *((code, 3) for code in (4, 5, 6, 7)), *((code, 4) for code in range(8, 13))]
NOISE = numpy.random.default_rng(3).integers(0, 2, (300, 300), numpy.uint8)
WRONG_CONTROLS = b"\x21\xf9\0", b"\x21\xf9\x03abc\0", b"\x21\xf9\x05abcde\0", b"\x21\xf9\x04\x04\0\0\0\x01a\0"
AS_CHROMIUM_SHOWS = {
    "a first frame smaller than the screen": small(filled(0, 4, 4, 2, 2)),
    "a first frame beyond the screen widens it": small(filled(0, 12, 10, 3, 2), filled(1, 20, 20)),
    "a screen without sides": small(filled(0, 4, 4, 2, 2), width=0, height=0),
    "a first frame without pixels": small(filled(0, 0, 0), filled(1, 4, 4)),
    "a first frame without pixels beyond the screen": small(filled(0, 0, 9, 20, 3), filled(1)),
    "a later frame without pixels": small(filled(0), control(50), filled(1, 0, 5), filled(2, 4, 4)),
    "a later frame outside": small(filled(0), control(50, 2), filled(1, 5, 5, 30), filled(2, 4, 4)),
    "a later frame beyond the screen": small(filled(0), control(50), GifFrame(RAMP, 5, 6, code_bits=2).data()),
    **{f"disposal {each}": small(filled(0), control(90, each), filled(1, 4, 4), filled(2, 1, 1, 7, 7)) for each in range(8)},
    **{f"disposal {each} of the first": small(control(90, each), filled(0), control(), filled(2, 1, 1, 7, 7)) for each in range(8)},
    "a background colour": small(control(90, 2), filled(0, 4, 4), filled(2, 1, 1), background=3),
    "no palette": small(*TWO, palette=None),
    "one palette, of the first frame": small(filled(1, palette=GREYS), filled(1), palette=None),
    "indexes without a colour": small(filled(0), filled(9)),
    "a transparent index without a colour": small(filled(0), control(90, 0, 9), filled(9)),
    "a transparent first frame": small(control(90, 0, 0), GifFrame(RAMP, code_bits=2).data(), filled(1, 2, 2)),
    "no trailer": small(*TWO)[:-1],
    "more after the trailer": small(filled(0), b";", filled(1)),
    "zeros between frames": small(filled(0), b"\0\0", filled(1)),
    "junk between frames": small(filled(0), b"\x55\x66", filled(1)),
    "a descriptor that is cut off": small(filled(0))[:-1] + filled(1)[:7],
    "plain text": small(filled(0), control(300, 2, 1), PLAIN_TEXT, filled(1, 4, 4), filled(2, 1, 1, 7, 7)),
    "several controls": small(filled(0), control(300, 2, 1), control(70, 1), filled(1, 4, 4), filled(2, 1, 1, 7, 7)),
    "a control for one frame": small(control(300, 2, 1), filled(0), filled(1, 4, 4), filled(2, 1, 1, 7, 7)),
    "comments and unknown extensions": small(b"\x21\xfe\x05Hello\0", filled(0), b"\x21\x77\x01a\0\x21\xfe\0", filled(1)),
    **{f"{each} repetitions": small(loop(each), *TWO) for each in (0, 1, 7, 65534, 65535)},
    "no repetitions": small(*TWO),
    "repetitions by another name": small(loop(3, b"ANIMEXTS1.0"), *TWO),
    "repetitions by an unknown name": small(loop(3, b"NETSCAPE3.0"), *TWO),
    "repetitions twice": small(loop(0), loop(5), *TWO),
    "repetitions twice, for ever": small(loop(5), filled(0), loop(0), filled(1)),
    "repetitions after the frames": small(*TWO, loop(4)),
    "a buffer and no repetitions": small(b"\x21\xff\x0bNETSCAPE2.0\x05\x02\0\1\0\0\x03\x01\x04\0\0", *TWO),
    "repetitions of two bytes": small(b"\x21\xff\x0bNETSCAPE2.0\x02\x01\x04\0", *TWO),
    "repetitions of four bytes": small(b"\x21\xff\x0bNETSCAPE2.0\x04\x01\x04\0\0\0", *TWO),
    "repetitions numbered 9": small(b"\x21\xff\x0bNETSCAPE2.0\x03\x09\x04\0\0", *TWO),
    "the name NETSCAPE alone": small(b"\x21\xff\x08NETSCAPE\x03\x01\x04\0\0", *TWO),
    **{f"a control of wrong length, {each[2]}": small(filled(0), each, filled(1)) for each in WRONG_CONTROLS},
    "an application without a name": small(filled(0), b"\x21\xff\0", filled(1)),
    "an application without data": small(filled(0), b"\x21\xff\x0bABCDEFGHIJK\0", filled(1)),
    "a name without repetitions": small(filled(0), b"\x21\xff\x0bNETSCAPE2.0\0", filled(1)),
    "the older version": gif((loop(3), control(300, 0, 1), *TWO), 8, 8, PALETTE, version=b"87a"),
    "a profile": small(b"\x21\xff\x0bICCRGBG1012" + blocks(b"no profile"), *TWO),
    "no clear code first": small(stored(blocks(packed(STEPS)))),
    "two clear codes": small(stored(blocks(packed([(4, 3), (4, 3), *STEPS])))),
    "no end code": small(stored(blocks(lzw(RAMP.tobytes(), 2, ends=False))), filled(1)),
    "more pixels than there is room for": small(stored(blocks(lzw(RAMP.tobytes() * 2, 2))), filled(1)),
    "junk after the end code": small(stored(blocks(CODES + b"more of it")[:-1] + b"\x03abc\0"), filled(1)),
    "codes of eight bits, four colours": small(GifFrame(RAMP).data()),
    "codes of one bit": small(GifFrame(RAMP % 2, code_bits=1).data(), GifFrame(RAMP % 2, interlaced=True, code_bits=1).data()),
    "codes of no bits": small(stored(blocks(packed(NO_BITS)), code_bits=0)),
    **{
        f"a full table that is {'' if clears else 'not '}cleared, {each} bits": small(
            stored(blocks(lzw(NOISE.tobytes(), each, clears=clears)), 300, 300, each), width=300, height=300
        )
        for each in (1, 2, 8)
        for clears in (True, False)
    },
    "short delays": small(*(part for each in (0, 10, 20, 50) for part in (control(each), filled(each % 4)))),
}


def test_odd_files_are_shown_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    judged = chromium_judge.frames(list(AS_CHROMIUM_SHOWS.values()))
    assert [name for name, theirs in zip(AS_CHROMIUM_SHOWS, judged, strict=True) if theirs is None or not theirs.is_whole] == []
    differ = [name for (name, data), theirs in zip(AS_CHROMIUM_SHOWS.items(), judged, strict=True) if theirs and not equals(played(data), theirs)]
    assert differ == []


def test_1000_random_gifs_are_shown_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    files = [random_gif(seed) for seed in range(1000)]
    differ = [
        seed
        for seed, (data, theirs) in enumerate(zip(files, chromium_judge.frames(files), strict=True))
        if theirs is None or not theirs.is_whole or not equals(played(data), theirs)
    ]
    assert differ == []


LAST = small(filled(0), stored(blocks(CODES)))
WHOLE = {
    "a file that lacks its last empty block": LAST[:-2],
    "a file that lacks its end code": LAST[:-3],
}
"""Chromium shows nothing of these, or not all. Every pixel is there."""


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_has_every_pixel_is_read(name: str) -> None:
    assert len(played(WHOLE[name]).canvases) == 2


BROKEN = {
    "no image": small(),
    "junk before the first image": small(b"\0", *TWO),
    "a control of wrong length before the first image": small(WRONG_CONTROLS[1], *TWO),
    "too few pixels": small(stored(blocks(lzw(RAMP.tobytes()[:50], 2))), filled(1)),
    "too few pixels in a later image": small(filled(0), stored(blocks(lzw(RAMP.tobytes()[:50], 2))), filled(1)),
    "too few pixels and junk that looks like more": small(stored(blocks(lzw(RAMP.tobytes()[:50], 2) + CODES + CODES))),
    "too few pixels of one bit": small(stored(blocks(lzw(bytes(60), 1)), code_bits=1)),
    "no data": small(stored(b"\0")),
    "no data beside the canvas": small(filled(0), filled(1, 5, 5, 30)[:11] + b"\0", filled(2)),
    "a code for nothing": small(stored(blocks(packed([(4, 3), (1, 3), (7, 3), (1, 3), (7, 3)])))),
    "a code of one bit for nothing": small(stored(blocks(packed([(2, 2), (1, 2), (6, 3)])), code_bits=1)),
    "a first code for nothing": small(stored(blocks(packed([(4, 3), (7, 3)])))),
    "codes of nine bits": small(stored(blocks(lzw(bytes(64), 9)), code_bits=9)),
    "a file cut in its first image": small(stored(blocks(CODES)))[:-12],
    "a file cut in a later image": LAST[:-12],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_lacks_a_pixel_is_damaged(name: str) -> None:
    with pytest.raises(errors.DamagedImage):
        played(BROKEN[name])


def test_data_are_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = numpy.random.default_rng(5).integers(0, 256, (90, 70), numpy.uint8)
    palette = numpy.random.default_rng(6).integers(0, 256, (256, 3), numpy.uint8)
    data = gif([GifFrame(pixels).data()], 70, 90, palette)
    for piece_bytes in (1, 7, 256, 1000):
        monkeypatch.setattr("backend.codec.image.gif.pixels.PIECE_BYTES", piece_bytes)
        assert (played(data).canvases[0][..., :3] == palette[pixels]).all()


def test_a_frame_larger_than_the_limit_is_refused_though_little_of_it_is_seen() -> None:
    with pytest.raises(errors.TooManyPixels):
        played(small(filled(0), stored(blocks(CODES), 60000, 60000)))


def test_xmp_is_a_note_and_a_profile_is_none(convert: Convert) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b"hello " * 100 + b"</x:xmpmeta>"
    trailer = bytes((1, *range(255, -1, -1), 0))
    result = convert(small(b"\x21\xff\x0bXMP DataXMP" + packet + trailer, *TWO), metadata="all")
    assert packet in result.data and result.converted.frames == 2


SQUARE = GifFrame(numpy.full((20, 20), 2, numpy.uint8), 50, 50, code_bits=2).data()
REPORTED = {
    "02a: what no frame has covered is nothing": (small(filled(0, 4, 4, 4, 4)), 0, (2, 2), NOTHING),
    "02b: the background colour is none": (small(control(100, 2), filled(0, 4, 4), filled(1, 1, 1, 7, 7)), 1, (2, 2), NOTHING),
    "02c: nothing was there before the first frame": (small(control(100, 3), filled(0), filled(1, 1, 1, 7, 7)), 1, (2, 2), NOTHING),
    "02d: frames beyond the screen keep their size": (small(filled(0, 64, 64), SQUARE, width=64, height=64), 1, (40, 40), RED),
    "02d: and begin at their place": (small(filled(0, 64, 64), SQUARE, width=64, height=64), 1, (50, 50), BLUE),
}


@pytest.mark.parametrize("name", REPORTED)
def test_reported_files_are_right(convert: Convert, name: str) -> None:
    data, frame, place, right = REPORTED[name]
    with convert(data, lossless=True).image() as image:
        image.seek(frame)
        assert image.convert("RGBA").getpixel(place) == right


def test_reported_short_delays_become_those_of_browsers(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    delays = [0, 10, 20, 50, 100, 0]
    parts = [part for number, each in enumerate(delays) for part in (control(each), filled(number % 4))]
    [theirs] = chromium_judge.frames([convert(small(*parts)).data])
    assert theirs and theirs.durations_ms == [100, 100, 20, 50, 100, 100]


def test_the_first_frame_alone_lies_on_its_canvas(convert: Convert) -> None:
    with convert(small(filled(0, 4, 4, 2, 2), filled(1)), animation="first", lossless=True).image() as image:
        assert (image.size, image.convert("RGBA").getpixel((1, 1)), image.convert("RGBA").getpixel((2, 2))) == ((8, 8), NOTHING, RED)


def test_results_play_as_their_sources_in_chromium(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    """Through the sealed child and the encoder. Equal canvases become one, which is shown for as long."""
    sources = [random_gif(seed) for seed in range(5000, 5040)]
    results = [convert(each, lossless=True).data for each in sources]
    for source, result in zip(chromium_judge.frames(sources), chromium_judge.frames(results), strict=True):
        assert source and result
        shown, again = timeline(source), timeline(result)
        assert [at for at, _ in shown] == [at for at, _ in again]
        assert not any(difference(one, other).any() for (_, one), (_, other) in zip(shown, again, strict=True))


def test_pillow_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    assert len(played(small(*TWO)).canvases) == 2
