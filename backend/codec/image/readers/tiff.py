"""TIFF: Pillow turns it upright by itself, and reads samples of 16 bits, which are rounded to 8."""

from __future__ import annotations

from PIL import TiffImagePlugin

from backend.codec.image import exif
from backend.codec.image.readers.png import PngPicture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits


class TiffPicture(PngPicture):
    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        super().__init__(source, shape, limits)
        assert isinstance(self._image, TiffImagePlugin.TiffImageFile)
        self._applied = int(self._image.tag_v2.get(exif.ORIENTATION, exif.UPRIGHT))  # Pillow forgets it when it reads the pixels
        self._image.getexif()[exif.ORIENTATION] = self._applied  # or Pillow turns the picture by XMP

    @property
    def applied_orientation(self) -> int:
        return self._applied

    @property
    def exif_orientation(self) -> int:
        return 1
