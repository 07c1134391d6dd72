"""BMP: a DIB behind a file header."""

from __future__ import annotations

from PIL import Image

from backend.codec.image.dib.pixels import mode_of, read_pixels
from backend.codec.image.notes.notes import Notes
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.image.steps.step import Traits
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.image_headers.bmp import bmp_dib, bmp_profile
from backend.core.image_headers.dib import Dib
from backend.core.image_headers.reader import HeaderReader
from backend.core.limits import Limits


class DibPicture(Picture):
    """A picture that is known without Pillow. ``_dib`` and ``_height`` are set by the subclass."""

    _dib: Dib
    _height: int

    @property
    def traits(self) -> Traits:
        return Traits((self._dib.width, self._height), mode_of(self._dib))

    @property
    def exif_orientation(self) -> int:
        return 1

    @property
    def profile(self) -> bytes:
        return b""

    @property
    def notes(self) -> Notes:
        return Notes()

    def read(self, on_share: OnShare) -> Image.Image:
        return read_pixels(self._source, self._dib, self._height, on_share)


class BmpPicture(DibPicture):
    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        self._source, self._shape, self._limits = source, shape, limits
        file = HeaderReader(source.read_at, source.size_bytes)
        self._dib, self._profile = bmp_dib(file), bmp_profile(file)
        self._height = self._dib.height
        limits.check_pixels(*self.size)

    @property
    def profile(self) -> bytes:
        return self._profile

    @property
    def notes(self) -> Notes:
        return Notes(self._profile)
