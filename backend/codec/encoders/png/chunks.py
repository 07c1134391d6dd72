"""The chunks of a PNG around its compressed pixels (PNG, third edition, §5.3, §11)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from backend.codec.encoders.encoder import Metadata
from backend.codec.geometry import Size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
"""Colour types (§11.2.1)."""
_RELATIVE_COLORIMETRIC = b"\1"
"""The rendering intent of ``backend/codec/image/colour.py`` (§11.3.2.5)."""
_XMP_HEAD = b"XML:com.adobe.xmp\0\0\0\0\0"
"""Keyword, not compressed, no language, no translated keyword (§11.3.3.4)."""


@dataclass(frozen=True, slots=True)
class Header:
    """``depth`` is in bits a sample."""

    size: Size
    depth: int
    colour: int


@dataclass(frozen=True, slots=True)
class Colours:
    """A palette: three bytes an entry, and the alpha of its first entries; the others are opaque."""

    rgb: bytes
    alpha: bytes


def before_data(header: Header, metadata: Metadata, colours: Colours | None = None) -> bytes:
    """Pixels are sRGB. The profile is for RGB, which grey may not have (§11.3.2.3): there, and without a profile, a chunk says that it is sRGB."""
    has_profile = bool(metadata.icc) and header.colour not in (GREY, GREY_ALPHA)
    icc = b"sRGB\0\0" + zlib.compress(metadata.icc, 9)
    chunks = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", *header.size, header.depth, header.colour, 0, 0, 0)),
        _chunk(b"iCCP", icc) if has_profile else _chunk(b"sRGB", _RELATIVE_COLORIMETRIC),
        _chunk(b"PLTE", colours.rgb) if colours else b"",
        _chunk(b"tRNS", colours.alpha) if colours and colours.alpha else b"",
        _chunk(b"eXIf", metadata.exif) if metadata.exif else b"",
        _chunk(b"iTXt", _XMP_HEAD + metadata.xmp) if metadata.xmp else b"",
    )
    return SIGNATURE + b"".join(chunks)


def data(pieces: list[bytes]) -> list[bytes | memoryview]:
    """One IDAT for each piece, not copied."""
    parts: list[bytes | memoryview] = []
    for piece in pieces:
        parts += (len(piece).to_bytes(4, "big") + b"IDAT", piece, zlib.crc32(piece, zlib.crc32(b"IDAT")).to_bytes(4, "big"))
    return parts


def _chunk(kind: bytes, contents: bytes) -> bytes:
    return len(contents).to_bytes(4, "big") + kind + contents + zlib.crc32(contents, zlib.crc32(kind)).to_bytes(4, "big")


END = _chunk(b"IEND", b"")
