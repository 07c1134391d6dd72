"""ICC profiles of version 4 from RGB: a matrix with three curves, or a table. ICC.1:2022."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from backend.codec.image.colour_signal.matrices import Matrix
from backend.codec.image.colour_signal.primaries import D50
from backend.codec.image.colour_signal.transfers import Curve

_HEAD_BYTES = 128
_VERSION = b"\x04\x40\0\0"
_DATE = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)


def matrix_profile(matrix: Matrix, curve: Curve) -> bytes:
    """``matrix`` leads from linear RGB to XYZ under D50."""
    columns = zip(*matrix, strict=True)
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    return _profile(tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _parametric(curve)))


def table_profile(side: int, levels: Iterable[int], curve: Curve, matrix: Matrix) -> bytes:
    """A table of ``side``³ nodes of RGB in 16 bits, blue fastest; then ``curve`` for each channel; then ``matrix`` to XYZ under D50.

    §10.12 (lutAToBType): A curves, table, M curves, matrix, B curves. Its XYZ counts 1 + 32767/32768 as full.
    """
    straight = _parametric(Curve(1.0)) * 3
    full = 65535 / 32768
    scaled = b"".join(_fixed(value / full) for row in matrix for value in row) + bytes(12)
    values = struct.pack(f">{3 * side**3}H", *levels)
    table = bytes([side] * 3 + [0] * 13) + b"\x02\0\0\0" + values
    table += bytes(-len(table) % 4)
    parts = (straight, scaled, _parametric(curve) * 3, table, straight)
    offsets = [32 + sum(map(len, parts[:number])) for number in range(len(parts))]
    head = b"mAB \0\0\0\0\x03\x03\0\0" + struct.pack(">5I", *offsets)
    return _profile({b"A2B0": head + b"".join(parts)})


def _profile(tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _text("RGB"), b"cprt": _text("CC0"), b"wtpt": _xyz(D50)} | tags
    table, body, start = b"", b"", _HEAD_BYTES + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4x", start + len(body)) + _VERSION + b"mntrRGB XYZ " + _DATE + b"acsp" + bytes(28)
    head += b"".join(map(_fixed, D50)) + bytes(_HEAD_BYTES - len(head) - 12)
    return head + struct.pack(">I", len(tags)) + table + body


def _text(text: str) -> bytes:
    """§10.15 (multiLocalizedUnicodeType), of ASCII. A sealed process cannot load Python's codec for UTF-16."""
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", 2 * len(text), 28) + b"".join(b"\0" + bytes([ord(each)]) for each in text)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _parametric(curve: Curve) -> bytes:
    return b"para\0\0\0\0\0\x04\0\0" + b"".join(map(_fixed, curve))


def _fixed(value: float) -> bytes:
    """s15Fixed16Number."""
    return struct.pack(">i", max(-(1 << 31), min((1 << 31) - 1, round(value * 65536))))
