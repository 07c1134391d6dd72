"""A watermark: a PNG that the operator gave a name, and how it lies on a picture. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

TILE = "tile"
"""The place of a mark that is repeated all over the picture; the others are gravities."""
MAX_PIXELS = 4_000_000
"""Of the PNG: more than a mark can show on most pictures. It is decoded anew for each, at about 22 ms a megapixel."""


@dataclass(frozen=True, slots=True)
class Placement:
    """``scale`` is the mark's longer side as a share of the picture's shorter one, and ``margin`` the distance to the edge as such a share.

    With ``tile``, ``margin`` is the distance between marks too. ``opacity`` (0–1) multiplies the PNG's own.
    """

    place: str = "southeast"
    scale: float = 0.25
    opacity: float = 1.0
    margin: float = 0.02


@dataclass(frozen=True, slots=True)
class Watermark:
    """``png`` is empty in a codec's child, which is given the file by a descriptor. ``digest`` differs where the mark looks different."""

    placement: Placement
    png: bytes = field(default=b"", repr=False)
    digest: str = ""
