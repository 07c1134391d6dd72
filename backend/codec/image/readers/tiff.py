"""TIFF: Pillow turns it upright by itself, and reads samples of 16 bits, which are rounded to 8."""

from __future__ import annotations

from PIL import Image, TiffImagePlugin

from backend.codec.image import decode, exif, sixteen_bit
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits


class TiffPicture(Picture):
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

    def read(self, on_share: OnShare) -> Image.Image:
        image = self._image
        if sixteen_bit.is_colour(image):
            low = decode.open_image(self._source.buffered(), self._shape, self._limits)
            sixteen_bit.exchange_bytes(low)
            self._load(image, lambda share: on_share(share / 2))
            self._load(low, lambda share: on_share((1 + share) / 2))
            return sixteen_bit.round_to_eight_bits(image, low)
        return super().read(on_share)
