"""Files by a plan and not by chance: what the well-known test set of PNG covers, and every way to tell colours without a profile."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy
from PIL import Image

from tests.system.differential.writers import avif, exif, icc
from tests.system.differential.writers.png import CHANNELS, DEPTHS, SIGNATURE, Form, chromaticities, chunk, header, pixels
from tests.system.differential.writers.sample import Bytes, Chance

SIDE = 32
GAMMAS = (35000, 45000, 55000, 70000, 100000, 250000)
SIDES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 33, 34, 35, 36, 37, 38, 39, 40)
PRIMARIES = {"bt709": 1, "bt470m": 4, "bt470bg": 5, "smpte170m": 6, "bt2020": 9, "xyz": 10, "dci-p3": 11, "display-p3": 12}
TRANSFERS = {"bt709": 1, "gamma-2.2": 4, "gamma-2.8": 5, "linear": 8, "srgb": 13, "bt2020": 14, "pq": 16, "hlg": 18}
"""ISO/IEC 23091-2, tables 2 and 3."""


def forms() -> Iterator[Form]:
    for colour, depths in DEPTHS.items():
        for depth in depths:
            yield from (Form(colour, depth, is_interlaced) for is_interlaced in (False, True))


def png_files() -> dict[str, bytes]:
    """By what each is for."""
    found = {f"basic-{form.colour}-{form.depth}-{form.is_interlaced}": _file(form) for form in forms()}
    for colour in (2, 6):
        found[f"suggested-palette-{colour}"] = _file(Form(colour, 8, False), chunk(b"PLTE", bytes(range(96))))
    for gamma in GAMMAS:
        for form in (Form(0, 16, False), Form(2, 8, False), Form(3, 8, False), Form(6, 16, True)):
            found[f"gamma-{gamma}-{form.colour}-{form.depth}"] = _file(form, chunk(b"gAMA", struct.pack(">I", gamma)))
    for side in SIDES:
        found[f"side-{side}"] = _file(Form(3, 4, side % 2 == 0), side=side)
    for form in (Form(0, 1, False), Form(0, 8, True), Form(0, 16, False), Form(2, 8, False), Form(2, 16, True), Form(3, 2, False), Form(3, 8, True)):
        found[f"transparent-{form.colour}-{form.depth}"] = _file(form, after=_transparency(form))
    return found | dict(_notes()) | dict(_streams())


def _notes() -> Iterator[tuple[str, bytes]]:
    """Chunks that change no pixel, but EXIF's."""
    form = Form(2, 8, False)
    for name, data in {
        "bKGD": struct.pack(">HHH", 255, 0, 0),
        "pHYs": struct.pack(">IIB", 1, 4, 0),
        "sBIT": b"\5\5\5",
        "tIME": struct.pack(">H5B", 2026, 11, 29, 12, 0, 0),
        "tEXt": b"Title\0a title",
        "zTXt": b"Comment\0\0" + zlib.compress(b"a comment"),
        "iTXt": "Titel\0\0\0de\0Titel\0Größe".encode(),
        "sPLT": b"some\0\x08" + bytes(12),
        "sRGB": b"\0",
    }.items():
        yield f"note-{name}", _file(form, chunk(name.encode(), data))
    yield "note-hIST", _file(Form(3, 4, False), after=chunk(b"hIST", bytes(32)))
    for turn in range(1, 9):
        yield f"turned-{turn}", _file(Form(6, 8, False), after=chunk(b"eXIf", exif.orientation(turn)))


def _streams() -> Iterator[tuple[str, bytes]]:
    """The same data in one chunk or many, filtered in each way."""
    form = Form(2, 8, False)
    head, whole = header(SIDE, SIDE, form), pixels(Chance("stream"), _picture(form, SIDE), form)
    for size in (1, 7, 100):
        parts = [chunk(b"IDAT", whole[at : at + size]) for at in range(0, len(whole), size)]
        yield f"data-by-{size}", SIGNATURE + head + b"".join(parts) + chunk(b"IEND", b"")
    for kind in range(5):
        data = zlib.compress(b"".join(pixels_by(kind)))
        yield f"filter-{kind}", SIGNATURE + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pixels_by(kind: int) -> Iterator[bytes]:
    """Rows whose filtered bytes are a slope: every filter makes a picture of it."""
    for row in range(SIDE):
        yield bytes([kind]) + bytes((row + at) % 7 for at in range(3 * SIDE))


def _picture(form: Form, side: int) -> Bytes:
    return Chance("plan").picture(side, side, CHANNELS[form.colour], 1 << form.depth)


def _file(form: Form, before: bytes = b"", after: bytes = b"", side: int = SIDE) -> bytes:
    palette = chunk(b"PLTE", Chance("palette").bytes(3 << form.depth)) if form.colour == 3 else b""
    data = chunk(b"IDAT", pixels(Chance("filters"), _picture(form, side), form))
    return SIGNATURE + header(side, side, form) + before + palette + after + data + chunk(b"IEND", b"")


def _transparency(form: Form) -> bytes:
    if form.colour == 3:
        return chunk(b"tRNS", bytes(range(0, 256, 64))[: 1 << form.depth])
    return chunk(b"tRNS", b"".join(int(each).to_bytes(2, "big") for each in _picture(form, SIDE)[0, 0]))


def coloured_pngs() -> dict[str, bytes]:
    """Every pair of cICP; gAMA with and without cHRM."""
    form, found = Form(2, 8, False), {}
    for name, primaries in PRIMARIES.items():
        for other, transfer in TRANSFERS.items():
            found[f"cicp-{name}-{other}"] = _file(form, chunk(b"cICP", bytes((primaries, transfer, 0, 1))))
    for gamma in GAMMAS:
        for name in icc.PRIMARIES:
            for colour in (2, 3, 6):
                both = chunk(b"gAMA", struct.pack(">I", gamma)) + chromaticities(name)
                found[f"chrm-{name}-{gamma}-{colour}"] = _file(Form(colour, 8, False), both)
    return found


def coloured_avifs() -> dict[str, bytes]:
    """Every pair of nclx, at full and limited range."""
    found = {}
    plain = Image.fromarray(numpy.ascontiguousarray(_picture(Form(2, 8, False), SIDE)))
    for span in ("full", "limited"):
        data = avif.saved(plain, quality=100, speed=10, subsampling="4:4:4", range=span)
        for name, primaries in PRIMARIES.items():
            for other, transfer in TRANSFERS.items():
                found[f"nclx-{name}-{other}-{span}"] = avif.with_nclx(data, primaries, transfer)
    return found
