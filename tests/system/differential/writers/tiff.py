"""TIFF files (revision 6.0, with technical notes 1 and 2): strips and tiles, planes, predictors, sample formats, photometrics."""

from __future__ import annotations

import struct

import numpy
import pyvips  # type: ignore[import-untyped]

from tests.system.differential.writers import icc
from tests.system.differential.writers.png import packed_rows
from tests.system.differential.writers.sample import Bytes, Chance, Sample
from tests.system.differential.writers.tiff_parts import DEFLATE, LONG, LZW, NONE, OLD_DEFLATE, PACKBITS, RATIONAL, SHORT, Directory, compressed
from tests.system.differential.writers.tiff_pixels import (
    ASSOCIATED,
    BITS,
    BLACK_IS_ZERO,
    CMYK,
    FLOAT,
    NAMES,
    NO_ALPHA,
    PALETTE,
    RGB,
    SIGNED,
    UNASSOCIATED,
    UNSIGNED,
    UNSPECIFIED,
    Form,
    Samples,
    expected_pixels,
    turned,
)


def tiff(seed: str) -> Sample:
    chance = Chance(seed)
    if chance.gets("by-libtiff", 0.2):
        return chance.sample(_by_libtiff(chance))
    form = _form(chance)
    width, height = chance.number(1, 60), chance.number(1, 60)
    picture = _picture(chance, width, height, form)
    mark = b"II" if form.order == "<" else b"MM"
    out = bytearray(mark + struct.pack(f"{form.order}HI", 42, 8))
    directory = Directory(form.order)
    colours = _describe(chance, directory, form, width, height)
    chunks = _tiles(chance, directory, picture, form) if chance.gets("tiled", 0.3) else _strips(chance, directory, picture, form)
    offsets, sizes = (324, 325) if "tiled" in chance.traits else (273, 279)
    directory.put(sizes, LONG, *(len(each) for each in chunks))
    directory.put(offsets, LONG, *(0 for _ in chunks))
    start = 8 + len(directory.bytes(8, 0))
    starts = [start + sum(len(each) for each in chunks[:number]) for number in range(len(chunks))]
    directory.put(offsets, LONG, *starts)
    expected = None if "iccp" in chance.traits else expected_pixels(form, picture, colours)
    if expected is not None and (turn := directory.value(274)):
        expected = turned(expected, turn)
    data = bytes(out) + directory.bytes(8, 0) + b"".join(chunks)
    if chance.gets("cut", 0.03):
        return chance.sample(data[: -len(chunks[-1]) // 2 - 1])
    return chance.sample(data, expected)


def _by_libtiff(chance: Chance) -> bytes:
    """What needs a codec: JPEG in YCbCr, fax and WebP; pyramids of several pages."""
    channels, compression = chance.one_of(1, 3, 3), chance.one_of("jpeg", "ccittfax4", "webp", "lzw")
    is_black_and_white = compression == "ccittfax4"
    if compression == "webp":
        channels = 3
    chance.note(compression)
    pixels = chance.picture(chance.number(8, 90), chance.number(8, 90), 1 if is_black_and_white else channels)
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="srgb" if pixels.shape[2] == 3 else "b-w")
    options: dict[str, object] = {"compression": compression, "Q": chance.number(50, 95)}
    if is_black_and_white:
        options |= {"bitdepth": 1, "miniswhite": chance.gets("white-is-zero", 0.5)}
    if chance.gets("tiled", 0.4):
        options |= {"tile": True, "tile_width": 32, "tile_height": 48, "pyramid": not is_black_and_white and chance.gets("pyramid", 0.5)}
    return bytes(image.tiffsave_buffer(**options))


def _form(chance: Chance) -> Form:
    photometric = chance.one_of(0, 1, 1, 2, 2, 2, 3, 5, 8)
    bits = chance.one_of(*BITS[photometric])
    sample_format = UNSIGNED
    if bits == 32:
        sample_format = chance.one_of(UNSIGNED, SIGNED, FLOAT, FLOAT)
    elif bits in (8, 16) and photometric in (BLACK_IS_ZERO, RGB) and chance.happens(0.1):
        sample_format = SIGNED
    has_extra = photometric in (BLACK_IS_ZERO, RGB, CMYK) and bits >= 8 and chance.happens(0.35)
    extra = chance.one_of(UNSPECIFIED, ASSOCIATED, UNASSOCIATED) if has_extra else NO_ALPHA
    form = Form(
        chance.one_of("<", ">"), photometric, bits, sample_format, extra, False, chance.one_of(NONE, NONE, LZW, DEFLATE, PACKBITS, OLD_DEFLATE), 1
    )
    is_planar = form.samples > 1 and chance.gets("planar", 0.3)
    predictor = 1
    if form.compression in (LZW, DEFLATE, OLD_DEFLATE) and bits in (8, 16, 32):
        predictor = chance.one_of(1, 2 if sample_format != FLOAT else 3)
    for trait in (NAMES[photometric], f"bits-{bits}", f"format-{sample_format}", f"compression-{form.compression}", f"predictor-{predictor}"):
        chance.note(trait)
    if extra != NO_ALPHA:
        chance.note(("extra-unspecified", "alpha-associated", "alpha-unassociated")[extra])
    return Form(form.order, photometric, bits, sample_format, extra, is_planar, form.compression, predictor)


def _picture(chance: Chance, width: int, height: int, form: Form) -> Samples:
    """Height × width × samples, as numbers of the file's own kind."""
    if form.bits < 8:
        return chance.picture(width, height, 1, 1 << form.bits)
    values = chance.picture(width, height, form.samples, 256 if form.bits == 8 else 65536).astype(numpy.int64)
    if form.extra == ASSOCIATED:
        top = 255 if form.bits == 8 else 65535
        values[..., :-1] = values[..., :-1] * values[..., -1:] // top
    if form.sample_format == FLOAT:
        return (values / 65535).astype(numpy.float32)
    if form.bits == 32:
        values *= 65537
    if form.sample_format == SIGNED:
        values -= 1 << (form.bits - 1)
        return values.astype(f"i{form.bits // 8}")
    return values.astype(f"u{form.bits // 8}")


def _describe(chance: Chance, directory: Directory, form: Form, width: int, height: int) -> bytes:
    """The colours of a palette, plane after plane."""
    colours = b""
    directory.put(256, SHORT, width)
    directory.put(257, SHORT, height)
    directory.put(258, SHORT, *[form.bits] * form.samples)
    directory.put(259, SHORT, form.compression)
    directory.put(262, SHORT, form.photometric)
    directory.put(277, SHORT, form.samples)
    directory.put(284, SHORT, 2 if form.is_planar else 1)
    if form.predictor != 1:
        directory.put(317, SHORT, form.predictor)
    if form.sample_format != UNSIGNED:
        directory.put(339, SHORT, *[form.sample_format] * form.samples)
    if form.extra != NO_ALPHA:
        directory.put(338, SHORT, form.extra)
    if form.photometric == PALETTE:
        colours = chance.bytes(3 << form.bits)
        directory.put(320, SHORT, *(257 * each for each in colours))
    if form.photometric == CMYK:
        directory.put(332, SHORT, 1)
    if chance.gets("orientation", 0.2):
        directory.put(274, SHORT, chance.number(1, 8))
    if chance.happens(0.3):
        directory.put(282, RATIONAL, 72, 1)
        directory.put(283, RATIONAL, 72, 1)
        directory.put(296, SHORT, 2)
    if form.photometric in (BLACK_IS_ZERO, RGB) and form.sample_format == UNSIGNED and chance.gets("iccp", 0.15):
        gamma = chance.one_of(1.8, 2.2)
        is_grey = form.photometric == BLACK_IS_ZERO
        directory.put_bytes(34675, icc.grey_profile(gamma) if is_grey else icc.rgb_profile(chance.one_of(*icc.PRIMARIES), gamma))
    return colours


def _strips(chance: Chance, directory: Directory, picture: Samples, form: Form) -> list[bytes]:
    height = picture.shape[0]
    rows = chance.one_of(height, height, 1, chance.number(1, height))
    directory.put(278, LONG, rows)
    return [_chunk(plane[top : top + rows], form) for plane in _planes(picture, form) for top in range(0, height, rows)]


def _tiles(chance: Chance, directory: Directory, picture: Samples, form: Form) -> list[bytes]:
    """Padded to multiples of 16."""
    width, height = 16 * chance.number(1, 3), 16 * chance.number(1, 3)
    directory.put(322, SHORT, width)
    directory.put(323, SHORT, height)
    down, across = -picture.shape[0] % height, -picture.shape[1] % width
    found = []
    for plane in _planes(numpy.pad(picture, ((0, down), (0, across), (0, 0))), form):
        for top in range(0, plane.shape[0], height):
            found += [_chunk(plane[top : top + height, left : left + width], form) for left in range(0, plane.shape[1], width)]
    return found


def _planes(picture: Samples, form: Form) -> list[Samples]:
    return [picture[..., each : each + 1] for each in range(form.samples)] if form.is_planar else [picture]


def _chunk(part: Samples, form: Form) -> bytes:
    rows = packed_rows(part.astype(numpy.uint8), form.bits) if form.bits < 8 else [row.tobytes() for row in _predicted(part, form)]
    return compressed(rows, form.compression)


def _predicted(part: Samples, form: Form) -> Samples:
    """§14, and Adobe's technical note 3 for floats, whose bytes are kept apart, the highest first."""
    ordered = f"{form.order}{part.dtype.str[1:]}"
    if form.predictor == 1:
        return part.astype(ordered)
    if form.predictor == 2:
        whole = part.view(f"u{form.bits // 8}")
        return numpy.concatenate([whole[:, :1], whole[:, 1:] - whole[:, :-1]], 1).astype(ordered.replace("i", "u"))
    height, samples = part.shape[0], part.shape[2]
    apart: Bytes = part.astype(">f4").reshape(height, -1).view(numpy.uint8).reshape(height, -1, 4).transpose(0, 2, 1).reshape(height, -1)
    return numpy.concatenate([apart[:, :samples], apart[:, samples:] - apart[:, :-samples]], 1)


