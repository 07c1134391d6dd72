"""The eight ways to turn and mirror a rectangle, composed by arithmetic and applied once.

An orientation is a signed permutation matrix ``(a, b, c, d)``: a pixel's offset from the centre, x to the right and y down, goes from (x, y) to
(ax + by, cx + dy). Order follows sharp: EXIF orientation, then flip and flop, then rotate.
"""

from __future__ import annotations

from PIL import Image

from backend.codec.geometry import IntBox, Point, Size
from backend.core.options import Options

Orientation = tuple[int, int, int, int]

UPRIGHT: Orientation = (1, 0, 0, 1)
_FLIP: Orientation = (1, 0, 0, -1)
_FLOP: Orientation = (-1, 0, 0, 1)
_CLOCKWISE: Orientation = (0, -1, 1, 0)

BY_EXIF: dict[int, Orientation] = {
    1: UPRIGHT,
    2: _FLOP,
    3: (-1, 0, 0, -1),
    4: _FLIP,
    5: (0, 1, 1, 0),
    6: _CLOCKWISE,
    7: (0, -1, -1, 0),
    8: (0, 1, -1, 0),
}
"""EXIF 2.32 §4.6.4, tag 0x0112: what brings the stored rows upright."""

_METHODS: dict[Orientation, Image.Transpose] = {
    _FLOP: Image.Transpose.FLIP_LEFT_RIGHT,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    _FLIP: Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    _CLOCKWISE: Image.Transpose.ROTATE_270,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    (0, 1, -1, 0): Image.Transpose.ROTATE_90,
}


def orientation_for(options: Options, exif: int, applied: int = 1) -> Orientation:
    """From the rows as decoded to what the options ask for. ``applied`` is the EXIF orientation that the decoder has already carried out."""
    result = BY_EXIF.get(exif, UPRIGHT) if options.auto_orient else inverse(BY_EXIF.get(applied, UPRIGHT))
    if options.flip:
        result = compose(result, _FLIP)
    if options.flop:
        result = compose(result, _FLOP)
    for _ in range(options.rotate // 90):
        result = compose(result, _CLOCKWISE)
    return result


def compose(first: Orientation, second: Orientation) -> Orientation:
    """First the one, then the other."""
    a, b, c, d = first
    e, f, g, h = second
    return e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d


def inverse(orientation: Orientation) -> Orientation:
    """The matrix is orthogonal, so its inverse is its transpose."""
    a, b, c, d = orientation
    return a, c, b, d


def swaps_sides(orientation: Orientation) -> bool:
    return orientation[0] == 0


def as_stored(size: Size, orientation: Orientation) -> Size:
    """An upright size before ``orientation`` is applied, or a stored size after it."""
    return (size[1], size[0]) if swaps_sides(orientation) else size


def orient(image: Image.Image, orientation: Orientation) -> Image.Image:
    return image if orientation == UPRIGHT else image.transpose(_METHODS[orientation])


def box_as_stored(box: IntBox, size: Size, orientation: Orientation) -> IntBox:
    """Where a part of the upright picture lies in the stored one, which has this ``size``."""
    width, height = as_stored(size, orientation)
    a, b, c, d = inverse(orientation)
    corners = [(2 * x - width, 2 * y - height) for x, y in ((box[0], box[1]), (box[2], box[3]))]
    (x, y), (p, q) = (((a * x + b * y + size[0]) // 2, (c * x + d * y + size[1]) // 2) for x, y in corners)
    return min(x, p), min(y, q), max(x, p), max(y, q)


def turned_point(point: Point, orientation: Orientation) -> Point:
    a, b, c, d = orientation
    x, y = point[0] - 0.5, point[1] - 0.5
    return a * x + b * y + 0.5, c * x + d * y + 0.5
