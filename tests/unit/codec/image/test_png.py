"""Still PNGs: all that PngSuite has and more, written here, and shown as Chromium shows it; and what is wrong with a file but not its picture."""

from __future__ import annotations

import io
import struct
import zlib

import numpy
import pytest
from PIL import Image

from backend import errors
from backend.core.limits import Limits
from tests.support.chromium_pictures import ChromiumJudge, Pixels, difference
from tests.support.png_files import (
    DEPTHS,
    END,
    GREY,
    KINDS,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    Png,
    chunk,
    header,
    noise,
    palette,
    pieces,
    scanlines,
)
from tests.unit.codec import hostile
from tests.unit.codec.conftest import Convert, declared
from tests.unit.codec.image.readers_here import opened, pixels_of

SIZES = [(1, 1), (2, 1), (1, 2), (3, 5), (5, 3), (7, 7), (8, 8), (9, 2), (33, 31)]
N = noise(32, 24)
STILL = Png(N)
DATA, RAW = STILL.data, scanlines(N)
HALF = len(DATA) // 2
INDEXED = Png(noise(32, 24, PALETTE, 4), PALETTE, 4)
COLOURS = INDEXED.colours or b""


def shown(convert: Convert, data: bytes) -> Pixels:
    return pixels_of(convert(data, lossless=True, method=0).image())


def assert_as_in_chromium(judge: ChromiumJudge, files: dict[str, bytes], tolerance: float = 1.0) -> None:
    """No pixel is further away, and the mean is under 1 step."""
    for name, its in zip(files, judge.shown(list(files.values())), strict=True):
        assert its is not None, name
        with opened(files[name]) as picture:
            distance = difference(pixels_of(picture.read(lambda _share: None)), its.pixels)
        assert (distance.mean() < 1, distance.max() <= tolerance) == (True, True), (name, distance.mean(), distance.max())


def idat(*parts: bytes) -> bytes:
    return b"".join(chunk(b"IDAT", part) for part in parts)


@pytest.mark.parametrize("interlace", [0, 1], ids=["in rows", "interlaced"])
def test_every_kind_in_every_size_is_as_in_chromium(chromium_judge: ChromiumJudge, interlace: int) -> None:
    kinds = [(colour, depth, size) for colour, depth in KINDS for size in SIZES]
    files = {f"{each}": Png(noise(*each[2], each[0], each[1]), each[0], each[1], interlace).file() for each in kinds}
    assert_as_in_chromium(chromium_judge, files, tolerance=2.0)  # Chromium takes the high byte of 16 bits, for a colour and its alpha


@pytest.mark.parametrize("filtering", range(5))
def test_every_filter_is_as_in_chromium(chromium_judge: ChromiumJudge, filtering: int) -> None:
    files = {f"{each}": Png(noise(21, 17, *each), *each, filters=[filtering]).file() for each in KINDS}
    assert_as_in_chromium(chromium_judge, files, tolerance=2.0)


def test_one_transparent_colour_is_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    """Eight bits of the value count, also for smaller samples."""
    files = {}
    for colour in (GREY, RGB):
        for depth in DEPTHS[colour]:
            samples = noise(32, 24, colour, depth)
            key = [int(each) for each in samples[5, 5]]
            for name, values in {
                "a pixel": key,
                "a high bit": [each | 0x4000 for each in key],
                "beyond the depth": [each | 1 << min(depth, 15) for each in key],
            }.items():
                told = struct.pack(f">{len(values)}H", *values)
                for note in (told, told + bytes(2), told[:-1]):
                    files[f"{colour} {depth} {name} {len(note)}"] = Png(samples, colour, depth, between=chunk(b"tRNS", note)).file()
    assert_as_in_chromium(chromium_judge, files)


def test_palettes_and_their_transparency_are_as_in_chromium(chromium_judge: ChromiumJudge) -> None:
    samples, alphas = INDEXED.samples, bytes(range(0, 256, 16))
    files = {
        "a palette that is too short": Png(samples, PALETTE, 4, colours=COLOURS[:24]).file(),
        "a palette that is too long": Png(samples, PALETTE, 4, colours=palette(20)).file(),
        "a palette that ends within an entry": Png(samples, PALETTE, 4, colours=COLOURS[:-1]).file(),
        "few alphas": Png(samples, PALETTE, 4, between=chunk(b"tRNS", alphas[:5])).file(),
        "all alphas": Png(samples, PALETTE, 4, between=chunk(b"tRNS", alphas)).file(),
        "too many alphas": Png(samples, PALETTE, 4, between=chunk(b"tRNS", alphas * 2)).file(),
        "no alphas": Png(samples, PALETTE, 4, between=chunk(b"tRNS")).file(),
        "alphas beyond a short palette": Png(samples, PALETTE, 4, colours=COLOURS[:24], between=chunk(b"tRNS", alphas)).file(),
        "alphas before the palette": Png(samples, PALETTE, 4, before=chunk(b"tRNS", alphas)).file(),
        "alphas behind the pixels": Png(samples, PALETTE, 4, after=chunk(b"tRNS", alphas)).file(),
        "alphas twice": Png(samples, PALETTE, 4, between=chunk(b"tRNS", alphas) + chunk(b"tRNS", alphas[::-1])).file(),
        "alphas with a wrong checksum": Png(samples, PALETTE, 4, between=chunk(b"tRNS", alphas, crc=5)).file(),
        "a palette beside RGB": Png(N, colours=palette(10)).file(),
        "a palette beside grey": Png(noise(9, 9, GREY), GREY, colours=palette(10)).file(),
        "one transparent colour beside alpha": Png(noise(9, 9, RGBA), RGBA, between=chunk(b"tRNS", bytes(6))).file(),
    }
    assert_as_in_chromium(chromium_judge, files)


BROKEN = [
    chunk(kind, bytes(6), crc=5)
    for kind in (b"gAMA", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"bKGD", b"iCCP", b"eXIf", b"cHRM", b"tRNS", b"acTL")
]
HARMLESS: dict[str, bytes] = {
    "ancillary chunks with wrong checksums": Png(N, between=b"".join(BROKEN)).file(),
    "ancillary chunks without contents": Png(N, between=b"".join(chunk(each[4:8]) for each in BROKEN)).file(),
    "ancillary chunks that are too long": Png(N, between=b"".join(chunk(each[4:8], bytes(99)) for each in BROKEN if each[4:8] != b"tRNS")).file(),
    "unknown ancillary chunks": Png(N, between=chunk(b"abCd", b"123") + chunk(b"abcd") + chunk(b"a\x01Cd")).file(),
    "compressed XMP of 1 MiB": Png(N, between=chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * (1 << 20)))).file(),
    "a text bomb": Png(N, between=chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + hostile.zeros(50 << 20)) * 3).file(),
    "a profile of 3 MiB": Png(N, between=chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(3 << 20)))).file(),
    "an unknown critical chunk behind the pixels": Png(N, after=chunk(b"ABCD", b"123")).file(),
    "a wrong checksum of zlib": STILL.file(idat(DATA[:-1] + bytes([DATA[-1] ^ 1]))),
    "no checksum of zlib": STILL.file(idat(DATA[:-4])),
    "half a checksum of zlib": STILL.file(idat(DATA[:-2])),
    "no IEND": STILL.file()[:-12],
    "half an IEND": STILL.file()[:-7],
    "no checksum of the last IDAT": STILL.file()[:-16],
    "half a checksum of the last IDAT": STILL.file()[:-14],
    "bytes behind the end": STILL.file() + bytes(1000),
    "empty IDAT chunks": STILL.file(idat(b"", DATA[:HALF], b"", b"", DATA[HALF:], b"")),
    "IDAT chunks of one byte": STILL.file(idat(*pieces(DATA, 1))),
    "too many rows": STILL.file(idat(zlib.compress(RAW + bytes(500)))),
    "bytes behind the compressed data": STILL.file(idat(DATA + b"garbage" * 10)),
    "a broken IDAT behind the last row": STILL.file(idat(DATA) + chunk(b"IDAT", b"garbage", crc=3)),
    "a smaller window than the data need": STILL.file(idat(b"\x08\x1d" + DATA[2:])),
    "data without compression": STILL.file(idat(zlib.compress(RAW, 0))),
    "data compressed best": STILL.file(idat(zlib.compress(RAW, 9))),
}
"""What is wrong does not touch the pixels, or nothing is wrong that one could see."""


def test_what_is_wrong_beside_the_pixels_costs_no_picture(chromium_judge: ChromiumJudge) -> None:
    assert_as_in_chromium(chromium_judge, HARMLESS, tolerance=0)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_wrong_beside_the_pixels_converts_with_all_its_metadata(convert: Convert, name: str) -> None:
    assert convert(HARMLESS[name], metadata="all", method=0).converted.width == 32


ZEROED = bytearray(STILL.file())
ZEROED[len(ZEROED) // 2 : -16] = bytes(len(ZEROED) - 16 - len(ZEROED) // 2)
DAMAGED: dict[str, bytes] = {
    "zeros in the second half": bytes(ZEROED),
    "a wrong checksum of the pixels": STILL.file(chunk(b"IDAT", DATA, crc=1)),
    "a wrong checksum of the first half": STILL.file(chunk(b"IDAT", DATA[:HALF], crc=1) + idat(DATA[HALF:])),
    "a wrong checksum of the second half": STILL.file(idat(DATA[:HALF]) + chunk(b"IDAT", DATA[HALF:], crc=1)),
    "the file ends within the pixels": STILL.file()[:HALF],
    "another chunk among the pixels": STILL.file(idat(DATA[:HALF]) + chunk(b"tEXt", b"a\0b") + idat(DATA[HALF:])),
    "a row is missing": STILL.file(idat(zlib.compress(RAW[:-97]))),
    "half a row is missing": STILL.file(idat(zlib.compress(RAW[:-40]))),
    "the last row of a black picture is missing": Png(N * 0).file(idat(zlib.compress(bytes(23 * 97)))),
    "rows of an interlaced picture are missing": Png(N, interlace=1).file(idat(zlib.compress(scanlines(N, 8, 1)[:-97]))),
    "a pixel of an interlaced row is missing": Png(N[:1], interlace=1).file(idat(zlib.compress(scanlines(N[:1], 8, 1)[:-49]))),
    "an unknown filter": STILL.file(idat(zlib.compress(RAW[: 97 * 5] + b"\x07" + RAW[97 * 5 + 1 :]))),
    "no pixels": STILL.file(b""),
    "zlib with a preset dictionary": STILL.file(idat(b"\x78\xbb" + DATA[2:])),
    "a wrong checksum of the header": STILL.file().replace(header(32, 24), header(32, 24)[:-1] + b"x"),
    "a second header": STILL.file().replace(header(32, 24), header(32, 24) * 2),
    "a wrong checksum of the palette": INDEXED.file().replace(chunk(b"PLTE", COLOURS), chunk(b"PLTE", COLOURS, crc=7)),
    "no palette": INDEXED.file().replace(chunk(b"PLTE", COLOURS), b""),
    "a palette behind the pixels": INDEXED.file().replace(chunk(b"PLTE", COLOURS), b"").replace(END, chunk(b"PLTE", COLOURS) + END),
    "an empty palette": Png(INDEXED.samples, PALETTE, 4, colours=b"").file(),
    "a palette of 300 colours": Png(INDEXED.samples, PALETTE, 4, colours=palette(300)).file(),
    "two palettes": Png(INDEXED.samples, PALETTE, 4, between=chunk(b"PLTE", COLOURS)).file(),
    "an unknown critical chunk that is broken": Png(N, between=chunk(b"ABCD", b"123", crc=4)).file(),
    "a chunk that leads beyond the end": Png(N, between=struct.pack(">I", 0x7FFFFFFF) + b"gAMA").file(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_to_the_pixels_is_said(convert: Convert, name: str) -> None:
    for options in ({}, {"width": 9}):
        with pytest.raises(errors.DamagedImage):
            convert(DAMAGED[name], **options)


@pytest.mark.parametrize(
    "change", [{"depth": 3}, {"depth": 4}, {"colour": 1}, {"colour": 5}, {"compression": 1}, {"filtering": 64}, {"interlace": 2}], ids=str
)
def test_a_header_that_says_what_no_png_can_be_is_damage(convert: Convert, change: dict[str, int]) -> None:
    values = {"width": 32, "height": 24, "depth": 8, "colour": RGB, "compression": 0, "filtering": 0, "interlace": 0, **change}
    with pytest.raises(errors.DamagedImage):
        convert(SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *values.values())) + idat(DATA) + END)


def test_apples_variant_is_named_before_anything_is_decoded() -> None:
    body = zlib.compressobj(wbits=-15)
    data = body.compress(RAW) + body.flush()
    with pytest.raises(errors.UnsupportedFormat) as caught:
        declared(SIGNATURE + chunk(b"CgBI", b"\x50\0\x20\x02") + header(32, 24) + idat(data) + END)
    assert caught.value.params["format"].startswith("CgBI")


def test_a_chunk_that_the_pixels_need_and_nobody_knows_is_named(convert: Convert) -> None:
    with pytest.raises(errors.UnsupportedFormat) as caught:
        convert(Png(N, between=chunk(b"ABCD", b"123")).file())
    assert "ABCD" in caught.value.params["format"]


def test_grey_with_one_transparent_value_stays_grey_for_its_profile() -> None:
    for depth in DEPTHS[GREY]:
        data = Png(noise(9, 9, GREY, depth), GREY, depth, between=chunk(b"tRNS", b"\0\0")).file()
        with opened(data) as picture:
            assert (picture.traits.mode, picture.read(lambda _share: None).mode) == ("LA", "LA")


@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_the_mode_is_known_before_the_pixels_are(colour: int, depth: int) -> None:
    with opened(Png(noise(9, 9, colour, depth), colour, depth).file()) as picture:
        assert picture.traits.mode == picture.read(lambda _share: None).mode


def test_the_share_read_grows_to_the_whole() -> None:
    shares: list[float] = []
    with opened(Png(noise(300, 300, RGBA, 16), RGBA, 16).file()) as picture:
        picture.read(shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 20
    assert 0.99 < shares[-1] <= 1


def test_many_thousand_chunks_cost_no_picture(convert: Convert) -> None:
    many = Png(N, between=chunk(b"teXt") * 20_000)
    assert convert(many.file(), method=0).converted.width == 32


def test_a_picture_of_more_pixels_than_allowed_is_refused_by_the_reader_too() -> None:
    data = STILL.file()
    with pytest.raises(errors.TooManyPixels), opened(data, Limits(pixels=100)):
        pass


def test_the_sealed_child_reads_it_as_this_process_does(convert: Convert) -> None:
    for colour, depth in KINDS:
        data = Png(noise(33, 31, colour, depth), colour, depth, interlace=1).file()
        with opened(data) as picture:
            assert difference(shown(convert, data), pixels_of(picture.read(lambda _share: None))).max() == 0


def test_pillow_writes_what_is_read(convert: Convert) -> None:
    image = Image.fromarray(N.astype(numpy.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    assert difference(shown(convert, buffer.getvalue()), pixels_of(image)).max() == 0
