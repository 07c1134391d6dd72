"""What an image's header declares, read without decoding a pixel: one walker for each readable format.

The work is bounded whatever the bytes say. A walker looks at no more than ``reader.MAX_STEPS`` markers, chunks, blocks or boxes, and jumps over
their contents; so the gateway may run it on an upload that was never checked. Width and height are as stored, before orientation.
"""

from __future__ import annotations

from collections.abc import Callable

from backend import errors
from backend.core.conversion import Shape
from backend.core.formats import Format
from backend.core.image_headers.bmp import read_bmp
from backend.core.image_headers.gif import read_gif
from backend.core.image_headers.heif import read_avif, read_heic
from backend.core.image_headers.ico import read_ico
from backend.core.image_headers.jpeg import read_jpeg
from backend.core.image_headers.png import read_png
from backend.core.image_headers.reader import MAX_FETCHES, HeaderReader, ReadAt, Sides
from backend.core.image_headers.tiff import read_tiff
from backend.core.image_headers.webp import read_webp, webp_file_bytes
from backend.core.limits import Limits

__all__ = ["MAX_FETCHES", "ReadAt", "declared_bytes", "read_shape"]

_WALKERS: dict[str, Callable[[HeaderReader, Limits], Sides]] = {
    "jpeg": read_jpeg,
    "png": read_png,
    "gif": read_gif,
    "webp": read_webp,
    "bmp": read_bmp,
    "tiff": read_tiff,
    "ico": read_ico,
    "avif": read_avif,
    "heic": read_heic,
}
_FILE_BYTES: dict[str, Callable[[HeaderReader], int]] = {"webp": webp_file_bytes}


def read_shape(image_format: Format, read_at: ReadAt, size_bytes: int, limits: Limits) -> Shape:
    """Raises ``EmptyFile``, ``DamagedImage``, ``TooManyPixels``, ``TooManyFrames``, and ``UnsupportedFormat`` for a variant that no decoder reads."""
    if size_bytes == 0:
        raise errors.EmptyFile()
    width, height, frames = _WALKERS[image_format.name](HeaderReader(read_at, size_bytes), limits)
    if width <= 0 or height <= 0:
        raise errors.DamagedImage(private=f"{width} × {height} pixels")
    limits.check_pixels(width, height, frames)
    return Shape(image_format.name, width, height, frames)


def declared_bytes(image_format: Format, read_at: ReadAt, size_bytes: int) -> int | None:
    """How long the file says it is; None for a format that does not say. Raises ``DamagedImage``."""
    tell = _FILE_BYTES.get(image_format.name)
    return None if tell is None else tell(HeaderReader(read_at, size_bytes))
