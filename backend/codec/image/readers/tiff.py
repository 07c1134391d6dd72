"""TIFF: libtiff decodes it, and Pillow turns it upright by itself. Samples of 16 bits are rounded to 8."""

from __future__ import annotations

from functools import cached_property

from PIL import Image, ImageChops, ImagePalette, TiffImagePlugin

from backend.codec.encoders.encoder import BytePair
from backend.codec.image import decode, sixteen_bit
from backend.codec.image.notes import exif, tiff_fields
from backend.codec.image.notes.notes import Notes
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits

_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_COLOUR_MAP = 320
_XMP, _IPTC = 0x02BC, tiff_fields.IPTC
_DESCRIPTIVE = frozenset((0x010D, 0x010E, 0x010F, 0x0110, 0x0112, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298))
"""What says something of the picture and not of how its samples lie: names, camera, orientation, resolution, date, rights."""
_FROM_WHITE = [round((65535 - value) / 257) for value in range(65536)]


class TiffPicture(Picture):
    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        super().__init__(source, shape, limits)
        assert isinstance(self._image, TiffImagePlugin.TiffImageFile)
        self._applied = int(self._image.tag_v2.get(tiff_fields.ORIENTATION, exif.UPRIGHT))  # Pillow forgets it when it reads the pixels
        self._image.getexif()[tiff_fields.ORIENTATION] = self._applied  # or Pillow turns the picture by XMP
        self._is_from_white = self._image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and self._image.mode.startswith("I;16")
        _widen_palette(self._image)

    @property
    def applied_orientation(self) -> int:
        return self._applied

    @property
    def exif_orientation(self) -> int:
        return exif.UPRIGHT

    @property
    def extras(self) -> frozenset[str]:
        return frozenset()

    @cached_property
    def notes(self) -> Notes:
        self._source.seek(0)
        file = self._source.read(self._source.size_bytes) or b""
        try:
            fields = tiff_fields.read(file).fields
            block = tiff_fields.subset(file, _DESCRIPTIVE)
        except tiff_fields.NotTiff:
            return Notes(self.profile)
        values = {tag: fields[tag].value for tag in (_XMP, _IPTC) if tag in fields}
        return Notes(self.profile, block, values.get(_XMP, b""), values.get(_IPTC, b""))

    @property
    def pair_mode(self) -> str | None:
        """Pillow has colour of 16 bits in a mode of 8."""
        if sixteen_bit.is_colour(self._image):
            return self._image.mode
        return "L" if self._image.mode.startswith("I;16") else None

    def read(self, on_share: OnShare) -> Image.Image:
        image = self._image
        if sixteen_bit.is_colour(image):
            return sixteen_bit.round_to_eight_bits(image, self._read_both(on_share))
        super().read(on_share)
        return image.convert("I").point(_FROM_WHITE, "L") if self._is_from_white else image

    def read_pair(self, on_share: OnShare) -> BytePair:
        if sixteen_bit.is_colour(self._image):
            low = self._read_both(on_share)
            return sixteen_bit.pair_of_colour(self._image, low)
        super().read(on_share)
        pair = sixteen_bit.pair_of_grey(self._image)
        return BytePair(ImageChops.invert(pair.high), ImageChops.invert(pair.low)) if self._is_from_white else pair

    def _read_both(self, on_share: OnShare) -> Image.Image:
        """Read the picture, and once more with the low bytes, which are returned."""
        low = decode.open_image(self._source.buffered(), self._shape, self._limits)
        sixteen_bit.exchange_bytes(low)
        self._load(self._image, lambda share: on_share(share / 2))
        self._load(low, lambda share: on_share((1 + share) / 2))
        return low


def _widen_palette(image: TiffImagePlugin.TiffImageFile) -> None:
    """Colour maps have 16 bits; old writers put 8 there, which libtiff knows by their size, as other readers do."""
    colours = image.tag_v2.get(_COLOUR_MAP)
    if image.mode in ("P", "PA") and colours and max(colours) < 256:
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))
