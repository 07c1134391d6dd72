"""Small ICC profiles (ICC.1:2010, version 2.4): a matrix of primaries with a gamma, or a grey curve."""

from __future__ import annotations

import struct

import numpy
from numpy.typing import NDArray

Matrix = NDArray[numpy.float64]
D50 = (0.9642, 1.0, 0.8249)
PRIMARIES = {
    "srgb": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "display-p3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "adobe-rgb": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
WHITE_D65 = (0.3127, 0.3290)
BRADFORD = numpy.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))


def xyz(chromaticity: tuple[float, float]) -> Matrix:
    x, y = chromaticity
    return numpy.array((x / y, 1.0, (1 - x - y) / y))


def matrix_to_d50(primaries: tuple[tuple[float, float], ...]) -> Matrix:
    """RGB to XYZ, its D65 white adapted to D50 by Bradford (Annex E)."""
    white = xyz(WHITE_D65)
    columns = numpy.stack([xyz(each) for each in primaries], 1)
    to_xyz = columns * numpy.linalg.solve(columns, white)
    scale = (BRADFORD @ numpy.array(D50)) / (BRADFORD @ white)
    adapted: Matrix = numpy.linalg.inv(BRADFORD) @ numpy.diag(scale) @ BRADFORD @ to_xyz
    return adapted


def rgb_profile(name: str, gamma: float) -> bytes:
    matrix, curve = matrix_to_d50(PRIMARIES[name]), _curve(gamma)
    tags = {b"rXYZ": _xyz(matrix[:, 0]), b"gXYZ": _xyz(matrix[:, 1]), b"bXYZ": _xyz(matrix[:, 2]), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"made for a test\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {b"desc": desc, b"cprt": b"text\0\0\0\0" + text, b"wtpt": _xyz(numpy.array(D50)), **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*D50) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _xyz(values: Matrix) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(each * 65536) for each in values))
