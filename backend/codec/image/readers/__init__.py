"""One reader for each format that is read; ``open_picture`` picks it.

To add one, add its module with a subclass of ``Picture``, and its row.
"""

from __future__ import annotations

from collections.abc import Callable

from backend.codec.image.readers.bmp import BmpPicture
from backend.codec.image.readers.gif import GifPicture
from backend.codec.image.readers.heif import HeifPicture
from backend.codec.image.readers.ico import open_icon
from backend.codec.image.readers.jpeg import JpegPicture
from backend.codec.image.readers.picture import Picture
from backend.codec.image.readers.png import PngPicture
from backend.codec.image.readers.tiff import TiffPicture
from backend.codec.image.readers.webp import WebpPicture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits

_READERS: dict[str, Callable[[Source, Shape, Limits], Picture]] = {
    "avif": HeifPicture,
    "bmp": BmpPicture,
    "gif": GifPicture,
    "heic": HeifPicture,
    "ico": open_icon,
    "jpeg": JpegPicture,
    "png": PngPicture,
    "tiff": TiffPicture,
    "webp": WebpPicture,
}
"""By the name of the format (``core.formats``)."""


def open_picture(source: Source, shape: Shape, limits: Limits) -> Picture:
    """Reads no pixels yet. Raises ``TooManyPixels`` when the decoder sees more than the header declared, and what the decoder raises."""
    return _READERS[shape.format](source, shape, limits)
