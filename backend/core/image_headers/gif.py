"""GIF: its canvas, and how many images it holds."""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.gif_parts import GifImage, end_of_blocks, part_at, screen_of
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits


def read_gif(file: HeaderReader, limits: Limits) -> Sides:
    """The walk stops at one frame more than allowed. A file that breaks off has the frames before, and the one whose data break off."""
    screen = screen_of(file)
    width, height, frames, at = screen.width, screen.height, 0, screen.parts_at
    limits.check_pixels(width, height)
    try:
        while frames <= limits.frames and width * height * frames <= limits.pixels and (part := part_at(file, at)):
            if isinstance(part, GifImage):
                frames += 1
                width, height = (width, height) if frames > 1 else screen.widened_by(part)
            at = end_of_blocks(file, part.blocks_at)
    except errors.DamagedImage:
        if not frames:
            raise
    if not frames:
        raise errors.DamagedImage(private="no image before the end")
    return width, height, frames
