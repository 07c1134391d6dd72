"""PNG: samples of 16 bits are rounded to 8."""

from __future__ import annotations

from PIL import Image

from backend.codec.image import decode, sixteen_bit
from backend.codec.image.readers.picture import OnShare, Picture


class PngPicture(Picture):
    def read(self, on_share: OnShare) -> Image.Image:
        image = self._image
        if sixteen_bit.is_grey_with_alpha(image):
            sixteen_bit.decode_as_bytes(image)
            self._load(image, on_share)
            return sixteen_bit.merge_bytes(image)
        if not sixteen_bit.is_colour(image):
            return super().read(on_share)
        low = decode.open_image(self._source.buffered(), self._shape, self._limits)
        sixteen_bit.exchange_bytes(low)
        self._load(image, lambda share: on_share(share / 2))
        self._load(low, lambda share: on_share((1 + share) / 2))
        return sixteen_bit.round_to_eight_bits(image, low)
