"""Mutations of good files, and how the sealed codec ends with each."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from contextlib import closing

import pillow_heif

from backend import errors
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.formats import sniff
from backend.core.image_headers import read_shape
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import Variants

LIMITS = Limits(pixels=5_000_000)
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
OPTIONS = (
    Options(),
    Options(width=40),
    Options(lossless=True, method=1),
    Options(method=2, width=50, height=50, fit="cover", metadata="all"),
    Options(quality="auto", method=0, animation="first", rotate=90),
    Options(target_bytes=900, method=1, sharp_yuv=True, metadata="copyright"),
    Options(near_lossless=40, method=0, width=70, height=70, fit="contain", enlarge=True, auto_orient=False, flip=True),
    Options(lossless="auto", quality="auto", method=1),
    Options(never_larger=True, quality=100, method=0),
    Options(crop="3,2,40,30", width=9, sharpen=1.5, method=0),
    Options(trim=12, blur=2.5, method=0),
    Options(trim=0, width=30, height=30, fit="cover", gravity="attention", enlarge=True, dpr=1.5, method=0),
    Options(width=20, height=30, fit="cover", gravity="entropy", blur=100, method=0),
    Options(format="avif", speed=10, metadata="all"),
    Options(format="avif", speed=9, quality="auto", width=40, subsampling="4:4:4"),
    Options(format="jpeg", metadata="all", background="#20406080"),
    Options(format="jpeg", target_bytes=700, progressive=False, subsampling="4:4:4", rotate=270),
    Options(format="png", metadata="all"),
    Options(format="png", colors=7, width=33, never_larger=True),
    Options(widths="50,20,7", formats="webp,avif,jpeg,png", speed=10, method=0),
    Options(widths="400,60", formats="png,jpeg", height=40, fit="cover", gravity="attention", trim=3, sharpen=1, metadata="all"),
    Options(formats="png,webp", never_larger=True, method=0),
)


def outcome(codec: SealedCodec, data: bytes, options: Options, number: int) -> str:
    image_format = sniff(data[:4096])
    if image_format is None or image_format.pillow is None:
        return "unsupported_format"
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result, closing(Variants()) as variants:
        given.write(data)
        given.flush()
        try:
            shape = read_shape(image_format, lambda at, length: os.pread(given.fileno(), length, at), len(data), LIMITS)
            conversion = Conversion(shape, options, LIMITS)
            watchers = {"on_progress": lambda _: None, "should_stop": lambda: False}
            codec.convert(given.fileno(), result.fileno(), conversion, **watchers, variants=variants)
        except errors.Internal as error:
            print(f"mutation {number} ({image_format.name}): {error}", file=sys.stderr, flush=True)
            return f"internal.{error.variant}"
        except errors.GatewayError as error:
            return error.code
        return "converted"


def mutated(data: bytes, seed: int) -> bytes:
    """A few bytes changed, a span dropped, doubled or overwritten, or the end cut off; mostly in the first part, where structure is."""
    chance = random.Random(seed)
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = min(len(result) - 1, int(len(result) * chance.random() ** chance.choice((1, 3))))
        span = min(len(result) - at, chance.choice((1, 1, 2, 4, 32, 512)))
        match chance.randrange(7):
            case 0 | 1:
                result[at] = chance.randrange(256)
            case 2:
                result[at] = chance.choice(INTERESTING)
            case 3:
                result[at] ^= 1 << chance.randrange(8)
            case 4:
                del result[at : at + span]
            case 5:
                result[at:at] = result[at : at + span]
            case 6:
                result[at : at + span] = bytes([chance.choice(INTERESTING)]) * span
        if not result:
            return b"\0"
    return bytes(result[: int(len(result) * chance.random())] if chance.random() < 0.05 else result)


def good_files() -> list[bytes]:
    from tests.unit.codec.conftest import picture, saved
    from tests.unit.codec.encoders.test_animation import animated, moving
    from tests.unit.codec.image.test_colour import png_of_16_bits, wide_gamut

    pillow_heif.register_heif_opener()
    small = picture(96, 64)
    return [
        saved(small, "JPEG", icc_profile=wide_gamut()),
        saved(small, "JPEG", progressive=True),
        saved(small.convert("CMYK"), "JPEG"),
        saved(small, "PNG"),
        saved(small.convert("P"), "PNG"),
        png_of_16_bits(32, 16, [number * 31 % 65536 for number in range(32 * 16 * 3)], 2),
        saved(small, "GIF"),
        saved(small, "WEBP"),
        saved(picture(96, 64, "RGBA"), "WEBP", lossless=True),
        saved(small, "TIFF"),
        *(saved(small, "TIFF", compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
        saved(small.convert("1"), "TIFF", compression="group4"),
        saved(small, "BMP"),
        saved(small, "AVIF"),
        saved(small, "HEIF"),
        saved(picture(64, 64, "RGBA"), "ICO", sizes=[(16, 16), (64, 64)]),
        *(animated(moving(), name) for name in ("GIF", "PNG", "WEBP", "AVIF")),
    ]
