"""JPEG: its header is read here and its pixels by libjpeg, so that broken notes cost no picture, and damaged data is no picture.

It is decoded at a fraction of its size where that is enough. Of several images in a file, the first is the picture.
"""

from __future__ import annotations

from functools import cached_property

from PIL import Image

from backend.codec.geometry import Box, Size
from backend.codec.image import decode
from backend.codec.image.jpeg import notes as jpeg_notes
from backend.codec.image.jpeg.header import read_header
from backend.codec.image.jpeg.pixels import Shares, read_pixels
from backend.codec.image.notes import exif
from backend.codec.image.notes.notes import Notes
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.image.steps.step import Traits
from backend.codec.native import libjpeg_abi
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits


class JpegPicture(Picture):
    is_reducible = True

    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        self._source, self._shape, self._limits = source, shape, limits
        self._header = read_header(source)
        self._scale = 1
        limits.check_pixels(*self._header.size)

    @property
    def traits(self) -> Traits:
        width, height = self._header.size
        return Traits((-(-width // self._scale), -(-height // self._scale)), self._header.mode)

    @property
    def is_progressive(self) -> bool:
        return self._header.is_progressive

    @property
    def exif_orientation(self) -> int:
        return exif.orientation(jpeg_notes.exif_of(self._header.apps))

    @cached_property
    def profile(self) -> bytes:
        return jpeg_notes.profile_of(self._header.apps)

    @property
    def notes(self) -> Notes:
        return jpeg_notes.notes_of(self._source, self._header.apps)

    @property
    def extras(self) -> frozenset[str]:
        return jpeg_notes.extras_of(self._source, self._header.apps)

    @property
    def reduced_by(self) -> int:
        return self._scale

    def reduce(self, wanted: Size) -> Box | None:
        width, height = self._header.size
        self._scale = decode.reduction(self._header.size, wanted)
        return (0, 0, width / self._scale, height / self._scale) if self._scale > 1 else None

    def read(self, on_share: OnShare) -> Image.Image:
        if libjpeg_abi.library() is None:
            return self._read_by_pillow(on_share)
        traits, shares = self.traits, Shares(self._source, self.is_progressive, on_share)
        return read_pixels(self._source, traits.mode, traits.size, self._scale, shares.on_rows)

    def _read_by_pillow(self, on_share: OnShare) -> Image.Image:
        """Where its libjpeg cannot be used from here: damage is seen where the file ends too early."""
        image = decode.open_image(self._source.buffered(), self._shape, self._limits)
        if self._scale > 1:
            image.draft(image.mode, (image.width // self._scale, image.height // self._scale))
        self._load(image, on_share)
        return image
