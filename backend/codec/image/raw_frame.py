"""One frame as an animated file stores it, before it is drawn on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

Blend = Literal["source", "over"]
"""How the frame is drawn: in place of what is there, alpha included, or over it."""
Dispose = Literal["none", "background", "previous"]
"""What becomes of the frame's rectangle before the next frame is drawn: kept, cleared to nothing, or as it was before this frame."""


@dataclass(frozen=True, slots=True)
class RawFrame:
    """``image`` is RGBA, or RGB where it is opaque, in the colours of the file.

    It lies at ``left``, ``top`` of the canvas, perhaps in part beyond it.
    """

    image: Image.Image
    left: int
    top: int
    duration_ms: float
    blend: Blend
    dispose: Dispose
