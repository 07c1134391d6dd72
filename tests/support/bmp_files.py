"""Small BMP and ICO files of every kind, written from Microsoft's descriptions of their structures and not by an imaging library."""

from __future__ import annotations

import struct
from dataclasses import dataclass

RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS = 0, 1, 2, 3, 4, 5, 6
CORE, INFO, V2, V3, V4, V5 = 12, 40, 52, 56, 108, 124
SRGB = 0x73524742


@dataclass(frozen=True)
class Dib:
    """A device-independent bitmap. ``rows`` are packed pixels, the first row on top; ``data`` replaces them where it is compressed.

    ``masks`` are red, green, blue and, in headers that have a place for it, alpha. ``palette`` has entries of blue, green, red.
    """

    width: int
    height: int
    bits: int
    rows: tuple[bytes, ...] = ()
    header_bytes: int = INFO
    compression: int = RGB
    masks: tuple[int, ...] = ()
    palette: tuple[bytes, ...] = ()
    is_top_down: bool = False
    data: bytes | None = None
    colours_used: int | None = None

    def head(self, height: int) -> bytes:
        """With masks and palette."""
        palette = b"".join(each + (b"" if self.header_bytes == CORE else b"\0") for each in self.palette)
        if self.header_bytes == CORE:
            return struct.pack("<IHHHH", CORE, self.width, height, 1, self.bits) + palette
        used = len(self.palette) if self.colours_used is None else self.colours_used
        tall = -height if self.is_top_down else height
        head = struct.pack("<IiiHHIIiiII", self.header_bytes, self.width, tall, 1, self.bits, self.compression, len(self.pixels()), 0, 0, used, 0)
        masks = struct.pack(f"<{len(self.masks)}I", *self.masks)
        if self.header_bytes == INFO:
            return head + masks + palette
        rest = masks.ljust(16, b"\0") + struct.pack("<I", SRGB)
        return (head + rest.ljust(self.header_bytes - INFO, b"\0"))[: self.header_bytes] + palette

    def pixels(self) -> bytes:
        if self.data is not None:
            return self.data
        ordered = self.rows if self.is_top_down else self.rows[::-1]
        return b"".join(row.ljust((len(row) + 3) // 4 * 4, b"\0") for row in ordered)


def bmp(dib: Dib) -> bytes:
    head, pixels = dib.head(dib.height), dib.pixels()
    at = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + head + pixels


def icon_picture(dib: Dib, mask: tuple[bytes, ...] = ()) -> bytes:
    """With its mask of one bit a pixel, set where nothing is shown."""
    rows = mask or (b"\0" * ((dib.width + 7) // 8),) * dib.height
    return dib.head(2 * dib.height) + dib.pixels() + b"".join(row.ljust((len(row) + 3) // 4 * 4, b"\0") for row in rows[::-1])


def ico(*pictures: tuple[int, int, int, bytes], reserved: int = 0) -> bytes:
    """``pictures``: width, height, bits a pixel, and the bytes of each."""
    head, body, at = struct.pack("<HHH", 0, 1, len(pictures)), b"", 6 + 16 * len(pictures)
    for width, height, bits, data in pictures:
        head += struct.pack("<BBBBHHII", width & 255, height & 255, 0, reserved, 1, bits, len(data), at + len(body))
        body += data
    return head + body
