"""HEIC of many tiles, as phones write it (ISO/IEC 14496-12 and 23008-12): pillow-heif writes single pictures only."""

from __future__ import annotations

import struct
from collections.abc import Iterator

Boxes = Iterator[tuple[bytes, bytes]]


def grid(tile: bytes, side: int, columns: int, rows: int) -> bytes:
    """A file that shows ``tile``, the HEIC of a square with this ``side``, over and over."""
    meta = next(body for kind, body in _boxes_of(tile) if kind == b"meta")[4:]
    properties = next(body for kind, body in _boxes_of(next(body for kind, body in _boxes_of(meta) if kind == b"iprp")) if kind == b"ipco")
    codec = next(_box(kind, body) for kind, body in _boxes_of(properties) if kind == b"hvcC")
    coded = next(body for kind, body in _boxes_of(tile) if kind == b"mdat")
    ids = range(2, 2 + columns * rows)
    layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, side * columns, side * rows)
    sizes = [_full_box(b"ispe", 0, struct.pack(">II", *each)) for each in ((side, side), (side * columns, side * rows))]
    described = [
        _full_box(b"iinf", 0, struct.pack(">H", 1 + len(ids)), _item(1, b"grid"), *(_item(each, b"hvc1") for each in ids)),
        _full_box(b"iref", 0, _box(b"dimg", struct.pack(f">HH{len(ids)}H", 1, len(ids), *ids))),
        _box(b"iprp", _box(b"ipco", codec, *sizes), _associations(ids)),
        _box(b"idat", layout),
    ]
    head = [_full_box(b"hdlr", 0, struct.pack(">I4s12xB", 0, b"pict", 0)), _full_box(b"pitm", 0, struct.pack(">H", 1))]
    kind = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def file(offset: int) -> bytes:
        return kind + _full_box(b"meta", 0, *head, _places(ids, offset, len(coded), len(layout)), *described)

    return file(len(file(0)) + 8) + _box(b"mdat", coded)


def _item(number: int, kind: bytes) -> bytes:
    return _full_box(b"infe", 2, struct.pack(">HH4sB", number, 0, kind, 0))


def _associations(ids: range) -> bytes:
    tiles = [struct.pack(">HBBB", each, 2, 0x81, 2) for each in ids]
    return _full_box(b"ipma", 0, struct.pack(">I", 1 + len(ids)), struct.pack(">HBB", 1, 1, 3), *tiles)


def _places(ids: range, offset: int, coded_bytes: int, layout_bytes: int) -> bytes:
    """The layout is in ``idat``; all tiles are the same bytes in ``mdat``."""
    tiles = [struct.pack(">HHHHII", each, 0, 0, 1, offset, coded_bytes) for each in ids]
    return _full_box(b"iloc", 1, struct.pack(">BBH", 0x44, 0, 1 + len(ids)), struct.pack(">HHHHII", 1, 1, 0, 1, 0, layout_bytes), *tiles)


def _boxes_of(data: bytes) -> Boxes:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + length]
        at += length


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]), *parts)
