"""BMP and ICO of every layout: shown as Chromium shows them, or refused by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from backend import errors
from tests.support.bmp_files import (
    ALPHA_BITFIELDS,
    BITFIELDS,
    CORE,
    JPEG,
    PNG,
    RGB,
    RLE4,
    RLE8,
    V3,
    V4,
    V5,
    Dib,
    bmp,
    ico,
    icon_picture,
)
from tests.support.chromium_pictures import ChromiumJudge, difference
from tests.unit.codec.conftest import Convert, picture, saved

WIDTH, HEIGHT = 9, 5
PALETTE = tuple(bytes((7 + 40 * number % 256, 3 + 90 * number % 256, 13 * number % 256)) for number in range(4))
BGR = (0xFF0000, 0xFF00, 0xFF)


def words(size: int, value: Callable[[int, int], int]) -> tuple[bytes, ...]:
    return tuple(b"".join(value(x, y).to_bytes(size, "little") for x in range(WIDTH)) for y in range(HEIGHT))


def bgra(alpha: Callable[[int, int], int]) -> tuple[bytes, ...]:
    return words(4, lambda x, y: alpha(x, y) << 24 | 28 * x << 16 | 50 * y << 8 | 200)


def dib(bits: int, rows: tuple[bytes, ...] = (), **rest: object) -> Dib:
    return Dib(WIDTH, HEIGHT, bits, rows, **rest)  # type: ignore[arg-type]


EIGHT = tuple(bytes((x + y) % 4 for x in range(WIDTH)) for y in range(HEIGHT))
FOUR = tuple(bytes((0x01, 0x23, 0x32, 0x10, 0x20)) for _row in range(HEIGHT))
TWO = tuple(bytes((0x1B, 0xE4, 0x40)) for _row in range(HEIGHT))
ONE = tuple(bytes((0xA5 ^ y, 0x80)) for y in range(HEIGHT))
TRUE = tuple(bytes((7 * x + 13 * y) % 256 for x in range(3 * WIDTH)) for y in range(HEIGHT))
HIGH = words(2, lambda x, y: 3 * x << 11 | 11 * y << 5 | 21)
FIVES = words(2, lambda x, y: (x & 1) << 15 | 3 * x << 10 | 7 * y << 5 | 21)
TENS = words(4, lambda x, y: 110 * x << 20 | 200 * y << 10 | 700)

SHOWN: dict[str, bytes] = {
    "1 bit": bmp(dib(1, ONE, palette=PALETTE[1:3])),
    "1 bit, old header": bmp(dib(1, ONE, header_bytes=CORE, palette=PALETTE[1:3])),
    "2 bits": bmp(dib(2, TWO, palette=PALETTE)),
    "4 bits": bmp(dib(4, FOUR, palette=PALETTE)),
    "8 bits": bmp(dib(8, EIGHT, palette=PALETTE)),
    "8 bits, top down": bmp(dib(8, EIGHT, palette=PALETTE, is_top_down=True)),
    "8 bits, grey": bmp(dib(8, EIGHT, palette=tuple(bytes((each, each, each)) for each in range(256)), colours_used=0)),
    "8 bits beyond the palette": bmp(dib(8, EIGHT, palette=PALETTE[:2])),
    "4 bits beyond the palette": bmp(dib(4, FOUR, palette=PALETTE[:2])),
    "16 bits": bmp(dib(16, FIVES)),
    "16 bits, newest header": bmp(dib(16, FIVES, header_bytes=V5, masks=(0, 0, 0, 0))),
    "16 bits, 5-6-5": bmp(dib(16, HIGH, compression=BITFIELDS, masks=(0xF800, 0x7E0, 0x1F))),
    "16 bits, 3-3-2": bmp(dib(16, words(2, lambda x, y: x % 8 << 5 | y << 2 | 2), compression=BITFIELDS, masks=(0xE0, 0x1C, 0x3))),
    "16 bits, 4-4-4-4": bmp(dib(16, HIGH, header_bytes=V4, compression=BITFIELDS, masks=(0xF00, 0xF0, 0xF, 0xF000))),
    "16 bits, 5-5-5-1": bmp(dib(16, FIVES, header_bytes=V4, compression=BITFIELDS, masks=(0x7C00, 0x3E0, 0x1F, 0x8000))),
    "24 bits": bmp(dib(24, TRUE)),
    "24 bits, top down": bmp(dib(24, TRUE, is_top_down=True)),
    "24 bits, newest header": bmp(dib(24, TRUE, header_bytes=V5, masks=(0, 0, 0, 0))),
    "32 bits, the fourth byte 0": bmp(dib(32, bgra(lambda x, y: 0))),
    "32 bits, the fourth byte means nothing": bmp(dib(32, bgra(lambda x, y: 20 * x))),
    "32 bits, three masks": bmp(dib(32, bgra(lambda x, y: 128), compression=BITFIELDS, masks=BGR)),
    "32 bits, four masks behind the header": bmp(dib(32, bgra(lambda x, y: 128), compression=ALPHA_BITFIELDS, masks=(*BGR, 0xFF000000))),
    "32 bits with alpha, version 3": bmp(dib(32, bgra(lambda x, y: 25 * x), header_bytes=V3, compression=BITFIELDS, masks=(*BGR, 0xFF000000))),
    "32 bits with alpha, version 5": bmp(dib(32, bgra(lambda x, y: 25 * x), header_bytes=V5, compression=BITFIELDS, masks=(*BGR, 0xFF000000))),
    "32 bits with alpha, all of it nothing": bmp(dib(32, bgra(lambda x, y: 0), header_bytes=V4, compression=BITFIELDS, masks=(*BGR, 0xFF000000))),
    "32 bits with alpha, no bit fields": bmp(dib(32, bgra(lambda x, y: 25 * x), header_bytes=V5, compression=RGB, masks=(*BGR, 0xFF000000))),
    "32 bits, newest header without masks": bmp(dib(32, bgra(lambda x, y: 128), header_bytes=V5, compression=RGB, masks=(0, 0, 0, 0))),
    "32 bits, red first": bmp(dib(32, bgra(lambda x, y: 90), header_bytes=V4, compression=BITFIELDS, masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000))),
    "32 bits, 10-10-10": bmp(dib(32, TENS, header_bytes=V4, compression=BITFIELDS, masks=(0x3FF00000, 0xFFC00, 0x3FF, 0))),
    "32 bits, 12 of red": bmp(dib(32, bgra(lambda x, y: 28 * x), header_bytes=V4, compression=BITFIELDS, masks=(0xFFF00000, 0xFF00, 0xFF, 0))),
    "32 bits, no red": bmp(dib(32, bgra(lambda x, y: 0), compression=BITFIELDS, masks=(0, 0xFF00, 0xFF))),
    "run-length, 8 bits, with a jump": bmp(
        dib(8, compression=RLE8, palette=PALETTE, data=bytes((3, 1, 0, 2, 2, 1, 2, 2, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1)))
    ),
    "run-length, 8 bits, whole": bmp(dib(8, compression=RLE8, palette=PALETTE, data=bytes((4, 1, 5, 2, 0, 0)) * HEIGHT + bytes((0, 1)))),
    "run-length, 8 bits, without an end": bmp(dib(8, compression=RLE8, palette=PALETTE, data=bytes((4, 1, 5, 2, 0, 0)) * HEIGHT)),
    "run-length, too long rows": bmp(dib(8, compression=RLE8, palette=PALETTE, data=bytes((30, 1, 0, 0)) * HEIGHT + bytes((0, 1)))),
    "run-length, 4 bits": bmp(
        dib(4, compression=RLE4, palette=PALETTE, data=bytes((5, 0x12, 3, 0x33, 0, 0, 0, 5, 0x12, 0x30, 0x20, 0, 3, 0x11, 0, 0, 9, 0x21, 0, 1)))
    ),
}
MASK = tuple(bytes((0x0F << y % 3 & 255, 0x80)) for y in range(HEIGHT))


def icon(given: Dib, mask: tuple[bytes, ...] = MASK, *, cut: int = 0, reserved: int = 0, said_bits: int | None = None) -> bytes:
    data = icon_picture(given, mask)
    return ico((WIDTH, HEIGHT, said_bits or given.bits, data[: len(data) - cut]), reserved=reserved)


SHOWN |= {
    "icon, 1 bit": icon(dib(1, ONE, palette=PALETTE[1:3])),
    "icon, 4 bits": icon(dib(4, FOUR, palette=PALETTE)),
    "icon, 8 bits": icon(dib(8, EIGHT, palette=PALETTE)),
    "icon, 16 bits": icon(dib(16, FIVES)),
    "icon, 24 bits": icon(dib(24, TRUE)),
    "icon, 24 bits, without a mask": icon(dib(24, TRUE), cut=4 * HEIGHT),
    "icon, 24 bits, half a mask": icon(dib(24, TRUE), cut=8),
    "icon, 32 bits, alpha all zero": icon(dib(32, bgra(lambda x, y: 0)), ()),
    "icon, 32 bits, alpha all zero, with a mask": icon(dib(32, bgra(lambda x, y: 0))),
    "icon, 32 bits, alpha all zero, mask missing": icon(dib(32, bgra(lambda x, y: 0)), cut=4 * HEIGHT),
    "icon, 32 bits, alpha beside a mask": icon(dib(32, bgra(lambda x, y: 30 * x))),
    "icon, 32 bits, alpha without a mask": icon(dib(32, bgra(lambda x, y: 128)), cut=4 * HEIGHT),
    "icon, 32 bits, declared alpha": icon(dib(32, bgra(lambda x, y: 128), header_bytes=V4, compression=BITFIELDS, masks=(*BGR, 0xFF000000))),
    "icon that says 32 bits and has 24": icon(dib(24, TRUE), said_bits=32),
    "icon that .NET wrote": icon(dib(24, TRUE), reserved=255),
    "icon, the deeper of two": ico(
        (WIDTH, HEIGHT, 8, icon_picture(dib(8, EIGHT, palette=PALETTE))), (WIDTH, HEIGHT, 32, icon_picture(dib(32, bgra(lambda x, y: 255))))
    ),
    "icon, the larger of two": ico(
        (WIDTH, HEIGHT, 8, icon_picture(dib(8, EIGHT, palette=PALETTE), MASK)), (4, 4, 24, icon_picture(Dib(4, 4, 24, (bytes(12),) * 4)))
    ),
    "icon with a PNG": ico((40, 30, 32, saved(picture(40, 30, "RGBA"), "PNG"))),
}


def test_pixels_are_those_of_chromium(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    wrong = []
    for name, shown in zip(SHOWN, chromium_judge.shown(list(SHOWN.values())), strict=True):
        assert shown is not None, name
        result = np.asarray(convert(SHOWN[name], lossless=True).image().convert("RGBA"))
        if result.shape != shown.pixels.shape or difference(result, shown.pixels).max() > 1:
            wrong.append(name)
    assert not wrong


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (dib(24, TRUE, compression=JPEG), "JPEG-compressed BMP"),
        (dib(0, compression=PNG, data=b""), "PNG-compressed BMP"),
        (dib(64, words(8, lambda x, y: x)), "64-bit BMP"),
        (dib(24, TRUE, header_bytes=64, compression=4), "24-bit run-length BMP"),
        (dib(1, ONE, header_bytes=64, compression=3, palette=PALETTE[:2]), "Huffman-compressed BMP"),
        (dib(32, bgra(lambda x, y: 0), compression=BITFIELDS, masks=(0xF0F000, 0xFF00, 0xFF)), "split-mask BMP"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_not_read_is_refused_by_its_name(convert: Convert, given: Dib, name: str) -> None:
    with pytest.raises(errors.UnsupportedFormat) as caught:
        convert(bmp(given))
    assert caught.value.params["format"] == name


CUT = ("1 bit", "8 bits", "16 bits", "24 bits", "32 bits, three masks", "run-length, 8 bits, whole", "icon, 24 bits, without a mask")


@pytest.mark.parametrize("name", CUT)
def test_missing_rows_are_damage(convert: Convert, name: str) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(SHOWN[name][:-12])


def test_large_pictures_are_read_in_strips(convert: Convert) -> None:
    source = picture(1500, 1100)
    assert np.array_equal(np.asarray(convert(saved(source, "BMP"), lossless=True, method=0).image()), np.asarray(source))
