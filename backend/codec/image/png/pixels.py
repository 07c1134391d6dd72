"""The pixels of one image by Pillow's decoder, which is given the header, the palette and the compressed data, and nothing else of the file."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageFile, ImagePalette

from backend import errors
from backend.codec.encoders.encoder import BytePair
from backend.codec.image import sixteen_bit
from backend.codec.image.png.image_data import ImageData
from backend.codec.image.png.structure import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, Header
from backend.codec.image.sixteen_bit import Reduction

Load = Callable[[Image.Image, float, float], None]
"""``load(image, begin, end)`` reads the pixels; it is the part from ``begin`` to ``end`` (shares) of the whole."""
OpenData = Callable[[], ImageData]

_DECODERS: dict[tuple[int, int], tuple[str, str]] = {
    (GREY, 1): ("1", "1"),
    (GREY, 2): ("L", "L;2"),
    (GREY, 4): ("L", "L;4"),
    (GREY, 8): ("L", "L"),
    (GREY, 16): ("I;16", "I;16B"),
    (RGB, 8): ("RGB", "RGB"),
    (RGB, 16): ("RGB", "RGB;16B"),
    (PALETTE, 1): ("P", "P;1"),
    (PALETTE, 2): ("P", "P;2"),
    (PALETTE, 4): ("P", "P;4"),
    (PALETTE, 8): ("P", "P"),
    (GREY_ALPHA, 8): ("LA", "LA"),
    (GREY_ALPHA, 16): ("RGBA", "RGBA"),  # all four bytes of a pixel: see sixteen_bit
    (RGBA, 8): ("RGBA", "RGBA"),
    (RGBA, 16): ("RGBA", "RGBA;16B"),
}
"""Pillow's mode, and its name for the samples as they are stored. By colour and depth."""
_MARKS: dict[str, int | tuple[int, ...]] = {
    "L": 0x5B,
    "I;16": 0x5BA4,
    "P": 0x5B,
    "LA": (0x5B, 0xA4),
    "RGB": (0x5B, 0xA4, 0x36),
    "RGBA": (0x5B, 0xA4, 0x36, 0xC9),
}
"""By mode: what the last row holds until it is decoded. Any value would do; one that is rare as a whole row costs the least."""
_GREY_FACTORS = {1: 255, 2: 85, 4: 17, 8: 1}
"""By depth: what Pillow widens grey by."""


class PngPixels(ImageFile.ImageFile):
    """One image, not read yet. ``load`` raises ``DamagedImage`` where a row or a checksum is missing, and what the decoder raises."""

    format = "PNG"

    def __init__(self, header: Header, raw_mode: str, palette: bytes, open_data: OpenData) -> None:
        self._header, self._raw_mode, self._colours, self._open_data = header, raw_mode, palette, open_data
        self._mark: bytes | None = None
        super().__init__(io.BytesIO())

    def _open(self) -> None:
        self._mode, self._size = _DECODERS[self._header.colour, self._header.depth][0], self._header.size
        self.tile = [ImageFile._Tile("zip", (0, 0, *self._size), 0, self._raw_mode)]
        self.decoderconfig = (int(self._header.is_interlaced),)
        if self._mode == "P":
            self.palette = ImagePalette.raw("RGB", _fill_up(self._colours, 3))

    def load_prepare(self) -> None:
        super().load_prepare()
        self._data = self._open_data()
        row = self._last_row()
        if row is not None:
            self.im.paste(_MARKS[self._mode], row)
            self._mark = self._bytes_of(row)

    def load_read(self, _read_bytes: int) -> bytes:
        return self._data.read()

    def load_end(self) -> None:
        """Pillow takes a stream that ends before the last row for a whole picture."""
        self._data.finish()
        row = self._last_row()
        is_marked = row is None or self._bytes_of(row) == self._mark
        if is_marked and self._open_data().count_inflated_bytes(self._header.data_bytes) < self._header.data_bytes:
            raise errors.DamagedImage(private="PNG: rows are missing")

    def _last_row(self) -> tuple[int, int, int, int] | None:
        """That is decoded last: an interlaced file ends with the odd rows. ``None`` where none can be marked."""
        width, height = self._size
        if self._mode not in _MARKS or (self._header.is_interlaced and height < 2):
            return None
        top = (height & ~1) - 1 if self._header.is_interlaced else height - 1
        return 0, top, width, top + 1

    def _bytes_of(self, row: tuple[int, int, int, int]) -> bytes:
        return Image.Image._new(self, self.im.crop(row)).tobytes()


def mode_of(header: Header, transparency: bytes) -> str:
    """Of the picture that ``read_image`` gives. A palette is not resolved."""
    if header.is_grey and (header.depth > 1 or transparency):
        return "LA" if transparency or header.colour == GREY_ALPHA else "L"
    mode = _DECODERS[header.colour, header.depth][0]
    return "RGBA" if transparency and mode == "RGB" else mode


def pair_mode_of(header: Header, transparency: bytes) -> str | None:
    """Of the pair that ``read_pair`` gives; None where samples have fewer than 16 bits."""
    return mode_of(header, transparency) if header.depth == 16 else None


def read_pair(header: Header, transparency: bytes, open_data: OpenData, load: Load) -> BytePair:
    """All 16 bits of each sample. Raises ``DamagedImage``."""
    raw_mode = _DECODERS[header.colour, header.depth][1]
    image: Image.Image = PngPixels(header, raw_mode, b"", open_data)
    if header.is_grey:
        load(image, 0.0, 1.0)
        key = _samples(transparency, 1)[0] if transparency else None
        return sixteen_bit.pair_of_grey_with_alpha(image) if header.colour == GREY_ALPHA else sixteen_bit.pair_of_grey(image, key)
    low = PngPixels(header, sixteen_bit.EXCHANGED[raw_mode], b"", open_data)
    load(image, 0.0, 0.5)
    load(low, 0.5, 1.0)
    return sixteen_bit.pair_of_colour(image, low, _samples(transparency, 3) if transparency else None)


def read_image(header: Header, palette: bytes, transparency: bytes, open_data: OpenData, load: Load, reduction: Reduction) -> Image.Image:
    """In 8 bits, its mode as ``mode_of`` says. Raises ``DamagedImage``."""
    raw_mode = _DECODERS[header.colour, header.depth][1]
    image: Image.Image = PngPixels(header, raw_mode, palette, open_data)
    needs_low_bytes = raw_mode in sixteen_bit.EXCHANGED and (reduction == "nearest" or bool(transparency))
    load(image, 0.0, 0.5 if needs_low_bytes else 1.0)
    if needs_low_bytes:
        low = PngPixels(header, sixteen_bit.EXCHANGED[raw_mode], palette, open_data)
        load(low, 0.5, 1.0)
        image.info |= {"transparency": _samples(transparency, 3)} if transparency else {}
        return sixteen_bit.round_to_eight_bits(image, low, reduction)
    if (header.colour, header.depth) == (GREY_ALPHA, 16):
        return sixteen_bit.merge_bytes(image, reduction)
    if (header.colour, header.depth) == (GREY, 16):
        return _grey_of_8_bits(image.convert("I"), transparency, reduction)
    return _with_transparency(image, header, palette, transparency) if transparency else image


def _with_transparency(image: Image.Image, header: Header, palette: bytes, transparency: bytes) -> Image.Image:
    if header.colour == PALETTE:
        entries = len(palette) // 3
        image.info["transparency"] = _fill_up(transparency[:entries].ljust(entries, b"\xff"), 1)
        return image
    if header.colour == RGB:
        image.info["transparency"] = tuple(value & 255 for value in _samples(transparency, 3))
        return image.convert("RGBA")
    return _grey_with_key(image.convert("L"), (_samples(transparency, 1)[0] & 255) * _GREY_FACTORS[header.depth])


def _grey_of_8_bits(image: Image.Image, transparency: bytes, reduction: Reduction) -> Image.Image:
    grey = image.point(sixteen_bit.GREYS[reduction], "L")
    if not transparency:
        return grey
    key = _samples(transparency, 1)[0]
    return Image.merge("LA", (grey, image.point([255 * (value != key) for value in range(65536)], "L")))


def _grey_with_key(image: Image.Image, key: int) -> Image.Image:
    """A key beyond the depth is no pixel's."""
    return Image.merge("LA", (image, image.point([255 * (value != key) for value in range(256)])))


def _fill_up(table: bytes, entry_bytes: int) -> bytes:
    """A pixel beyond the table has its last entry, as in Chromium."""
    return table + table[-entry_bytes:] * (256 - len(table) // entry_bytes)


def _samples(transparency: bytes, count: int) -> tuple[int, ...]:
    return tuple(int.from_bytes(transparency[at : at + 2], "big") for at in range(0, 2 * count, 2))
