"""PNG files (third edition of the specification): every colour type, depth, filter and way to tell the colours."""

from __future__ import annotations

import itertools
import struct
import zlib
from dataclasses import dataclass

import numpy

from tests.system.differential.writers import exif, icc
from tests.system.differential.writers.sample import Bytes, Chance, Sample

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""§8.1: the first column and row of each pass, and its steps."""
CICP = {"srgb": (1, 13), "display-p3": (12, 13), "bt2020": (9, 1), "linear-srgb": (1, 8), "pq": (9, 16), "hlg": (9, 18)}
BROKEN = (b"pHYs", b"tEXt", b"tIME", b"bKGD", b"zTXt", b"iTXt", b"sBIT", b"vpAg")


@dataclass(frozen=True)
class Form:
    """What IHDR says, beside the size."""

    colour: int
    depth: int
    is_interlaced: bool


def png(seed: str) -> Sample:
    chance = Chance(seed)
    width, height, form = chance.number(1, 40), chance.number(1, 40), some_form(chance)
    parts = [SIGNATURE, header(width, height, form), *colour_chunks(chance, form), *odd_chunks(chance)]
    parts += [*palette(chance, form, short=0.06), *transparency(chance, form), *_orientation(chance)]
    parts += [*split(chance, pixels(chance, some_picture(chance, width, height, form), form)), *odd_chunks(chance)]
    return chance.sample(chance.damaged(b"".join(parts) + _end(chance), 0.02))


def png_of(picture: Bytes, told: bytes) -> bytes:
    """RGBA, with the chunks that tell its colours."""
    height, width, _ = picture.shape
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in picture))
    parts = (header(width, height, Form(6, 8, False)), told, chunk(b"IDAT", data), chunk(b"IEND", b""))
    return SIGNATURE + b"".join(parts)


def profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def _end(chance: Chance) -> bytes:
    if chance.gets("no-end-chunk", 0.03):
        return b""
    return chunk(b"IEND", b"") + (chance.bytes(20) if chance.gets("data-after-end", 0.05) else b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def some_form(chance: Chance) -> Form:
    colour = chance.one_of(*CHANNELS)
    depth = chance.one_of(*DEPTHS[colour])
    chance.note(f"colour-{colour}")
    chance.note(f"depth-{depth}")
    return Form(colour, depth, chance.gets("interlaced", 0.3))


def header(width: int, height: int, form: Form) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, form.depth, form.colour, 0, 0, form.is_interlaced))


def some_picture(chance: Chance, width: int, height: int, form: Form) -> Bytes:
    found = chance.picture(width, height, CHANNELS[form.colour], 1 << form.depth)
    if form.colour in (4, 6) and chance.happens(0.5):
        found[..., -1] = chance.one_of(0, (1 << form.depth) - 1)
    return found


def palette(chance: Chance, form: Form, short: float = 0.0) -> list[bytes]:
    """For colour type 3; for 2 and 6 a suggestion that changes nothing (§11.2.2)."""
    if form.colour == 3:
        count = 1 << form.depth
        if chance.gets("index-beyond-palette", short):
            count = max(1, count // 2)
        return [chunk(b"PLTE", chance.bytes(3 * count))]
    return [chunk(b"PLTE", chance.bytes(30))] if form.colour in (2, 6) and chance.happens(0.05) else []


def transparency(chance: Chance, form: Form) -> list[bytes]:
    if form.colour in (4, 6) or not chance.gets("trns", 0.35):
        return []
    if form.colour == 3:
        return [chunk(b"tRNS", chance.bytes(chance.number(1, max(1, (1 << form.depth) // 2))))]
    value = chance.number(0, (1 << form.depth) - 1)
    return [chunk(b"tRNS", struct.pack(f">{CHANNELS[form.colour]}H", *[value] * CHANNELS[form.colour]))]


def colour_chunks(chance: Chance, form: Form) -> list[bytes]:
    """How the values are to be understood (§4.3: cICP before iCCP before sRGB before gAMA and cHRM)."""
    found = []
    if chance.gets("gama", 0.12):
        gamma = chance.one_of(45455, 100000, 55556, 38462)
        chance.note(f"gamma-{gamma}")
        found.append(chunk(b"gAMA", struct.pack(">I", gamma)))
        if chance.gets("chrm", 0.5):
            found.append(chromaticities(chance.one_of(*icc.PRIMARIES)))
    if chance.gets("srgb", 0.08):
        found.append(chunk(b"sRGB", bytes([chance.number(0, 3)])))
    elif chance.gets("iccp", 0.12):
        is_grey = form.colour in (0, 4) and not chance.gets("icc-of-other-space", 0.1)
        gamma_value = chance.one_of(1.0, 1.8, 2.2)
        profile = icc.grey_profile(gamma_value) if is_grey else icc.rgb_profile(chance.one_of(*icc.PRIMARIES), gamma_value)
        found.append(profile_chunk(profile))
    if chance.gets("cicp", 0.1):
        name = chance.one_of(*CICP)
        chance.note(f"cicp-{name}")
        found.append(chunk(b"cICP", bytes((*CICP[name], 0, 1))))
    return found


def chromaticities(name: str) -> bytes:
    points = (icc.WHITE_D65, *icc.PRIMARIES[name])
    return chunk(b"cHRM", struct.pack(">8I", *(round(100000 * each) for point in points for each in point)))


def _orientation(chance: Chance) -> list[bytes]:
    if not chance.gets("exif-orientation", 0.08):
        return []
    return [chunk(b"eXIf", exif.orientation(chance.number(1, 8), chance.one_of("<", ">")))]


def odd_chunks(chance: Chance) -> list[bytes]:
    """Ancillary chunks that a reader may pass over, some with a wrong checksum."""
    if not chance.happens(0.15):
        return []
    data = chance.bytes(chance.number(0, 60))
    whole = chunk(chance.one_of(b"prVt", b"tEXt", b"tIME"), b"Comment\0text" if chance.happens(0.5) else data)
    if chance.gets("broken-ancillary-chunk", 0.5):
        whole = chunk(chance.one_of(*BROKEN), data)[:-4] + chance.bytes(4)
    return [whole]


def split(chance: Chance, data: bytes, kind: bytes = b"IDAT") -> list[bytes]:
    if not chance.happens(0.3):
        whole = chunk(kind, data)
        return [whole[:-4] + chance.bytes(4)] if chance.gets("bad-data-checksum", 0.03) else [whole]
    cuts = sorted({0, len(data), *(chance.number(0, len(data)) for _ in range(3))})
    return [chunk(kind, data[start:end]) for start, end in itertools.pairwise(cuts)]


def pixels(chance: Chance, picture: Bytes, form: Form) -> bytes:
    """Filtered and compressed (§7 to §10)."""
    passes = ADAM7 if form.is_interlaced else ((0, 0, 1, 1),)
    parts = [_filtered(chance, picture[top::down, left::across], form) for left, top, across, down in passes]
    return zlib.compress(b"".join(parts), chance.one_of(0, 1, 6, 9))


def _filtered(chance: Chance, picture: Bytes, form: Form) -> bytes:
    if 0 in picture.shape:
        return b""
    rows = packed_rows(picture, form.depth)
    step = max(1, CHANNELS[form.colour] * form.depth // 8)
    above, found = bytes(len(rows[0])), []
    for row in rows:
        kind = chance.number(0, 4)
        found.append(bytes([kind]) + bytes(_filter(kind, row, above, step)))
        above = row
    return b"".join(found)


def packed_rows(picture: Bytes, depth: int) -> list[bytes]:
    height, width, channels = picture.shape
    flat = picture.reshape(height, width * channels)
    if depth >= 8:
        return [row.astype(">u2" if depth == 16 else "u1").tobytes() for row in flat]
    bits = numpy.unpackbits(flat.astype(numpy.uint8)[..., None], axis=2)[..., 8 - depth :].reshape(height, -1)
    return [row.tobytes() for row in numpy.packbits(bits, axis=1)]


def _filter(kind: int, row: bytes, above: bytes, step: int) -> list[int]:
    """§9.2."""
    found = []
    for at, value in enumerate(row):
        left, up_left = (row[at - step], above[at - step]) if at >= step else (0, 0)
        predicted = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], up_left))[kind]
        found.append((value - predicted) & 255)
    return found


def _paeth(left: int, up: int, up_left: int) -> int:
    estimate = left + up - up_left
    return min((left, up, up_left), key=lambda each: abs(estimate - each))
