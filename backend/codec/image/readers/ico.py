"""ICO: the largest picture of the file, which is a PNG, or a DIB with a mask of one bit a pixel behind it."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from backend.codec.image.dib.pixels import read_exactly
from backend.codec.image.readers.bmp import DibPicture
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.image.readers.png import PngPicture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.image_headers.dib import Dib
from backend.core.image_headers.ico import best_picture
from backend.core.image_headers.reader import HeaderReader
from backend.core.limits import Limits

_ALPHA = 0xFF000000
"""The mask of alpha in 32 bits, which icons need not declare."""


def open_icon(source: Source, shape: Shape, limits: Limits) -> Picture:
    best = best_picture(HeaderReader(source.read_at, source.size_bytes))
    if best.dib is None:
        return PngPicture(source.part(best.at, best.length), replace(shape, format="png"), limits)
    return IconPicture(source, best.dib, best.height, limits)


class IconPicture(DibPicture):
    def __init__(self, source: Source, dib: Dib, height: int, limits: Limits) -> None:
        self._source, self._limits, self._height = source, limits, height
        is_32_bits = dib.bits == 32 and not dib.masks[3]
        self._dib = replace(dib, masks=(*dib.masks[:3], _ALPHA)) if is_32_bits else dib
        limits.check_pixels(*self.size)

    def read(self, on_share: OnShare) -> Image.Image:
        """Alpha counts where any pixel has some; else the mask does, and rows that it lacks are opaque. So do browsers."""
        image = super().read(on_share)
        if image.mode == "RGBA" and image.getchannel("A").getextrema() != (0, 0):
            return image
        result = image.convert("RGB").convert("RGBA")
        result.putalpha(self._mask())
        return result

    def _mask(self) -> Image.Image:
        """White where something is shown."""
        width, height = self._dib.width, self._height
        stride = (width + 31) // 32 * 4
        begin = self._dib.pixels_at + height * self._dib.stride_bytes
        rows = min(height, max(0, self._source.size_bytes - begin) // stride)
        mask = Image.new("L", (width, height), 255)
        if rows:
            bits = Image.frombuffer("1", (width, rows), read_exactly(self._source, begin, rows * stride), "raw", "1;I", stride, -1)
            mask.paste(bits.convert("L"), (0, height - rows))
        return mask
