"""JPEG: decoded at a fraction of its size where that is enough, and its EXIF is known from the start."""

from __future__ import annotations

from backend.codec.geometry import Box, Size
from backend.codec.image import decode
from backend.codec.image.readers.picture import Picture


class JpegPicture(Picture):
    is_reducible = True

    @property
    def is_progressive(self) -> bool:
        return bool(self._image.info.get("progressive"))

    @property
    def exif_orientation(self) -> int:
        return decode.exif_orientation(self._image)

    def reduce(self, wanted: Size) -> Box | None:
        return decode.reduce_at_decoding(self._image, wanted)
