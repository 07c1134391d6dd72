"""AVIF and HEIC files without pixels, box by box: enough for what walks their boxes."""

from __future__ import annotations

import struct

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap\0"


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def full_box(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, bytes((version, 0, 0, 0)), *parts)


def nclx(primaries: int, transfer: int, matrix: int = 6, full: int = 1) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, full << 7))


def ispe(width: int = 64, height: int = 48) -> bytes:
    return full_box(b"ispe", struct.pack(">II", width, height))


def aux(urn: bytes) -> bytes:
    return full_box(b"auxC", urn)


def heif(brand: bytes, kinds: list[bytes], *properties: bytes, refers: bytes = b"", behind: bytes = b"") -> bytes:
    """Items 1, 2, … of ``kinds``; the first is the primary one and has all properties. ``refers`` is made by ``reference``."""
    entries = [full_box(b"infe", struct.pack(">HH4s", number, 0, kind), b"\0", version=2) for number, kind in enumerate(kinds, 1)]
    numbers = bytes(range(1, len(properties) + 1))
    ipma = full_box(b"ipma", struct.pack(">IHB", 1, 1, len(properties)), numbers)
    meta = full_box(
        b"meta",
        full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", b"\0\1"),
        full_box(b"iinf", struct.pack(">H", len(entries)), *entries),
        box(b"iprp", box(b"ipco", *properties), ipma),
        refers,
    )
    return box(b"ftyp", brand, bytes(4), b"mif1", brand) + meta + box(b"mdat", bytes(100)) + behind


def reference(kind: bytes, item: int, *others: int) -> bytes:
    return full_box(b"iref", box(kind, struct.pack(f">HH{len(others)}H", item, len(others), *others)))
