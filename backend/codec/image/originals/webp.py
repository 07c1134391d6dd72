"""WebP: the chunks of pictures, animation and colours (RFC 9649 §2.7). EXIF, XMP and unknown chunks go, and the header no longer names them."""

from __future__ import annotations

_FIRST_CHUNK_AT, _HEAD_BYTES = 12, 8
_SHOWN = frozenset((b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"))
_NOTES = 0x08 | 0x04
"""Flags of VP8X for EXIF and XMP."""


def webp_parts(data: memoryview) -> list[bytes | memoryview] | None:
    """None where the last chunk is not whole."""
    parts: list[bytes | memoryview] = []
    at = _FIRST_CHUNK_AT
    while at + _HEAD_BYTES <= len(data):
        kind, length = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + _HEAD_BYTES], "little")
        end = at + _HEAD_BYTES + length + length % 2
        if end > len(data):
            return None
        if kind == b"VP8X":
            parts += [data[at : at + _HEAD_BYTES], bytes([data[at + _HEAD_BYTES] & ~_NOTES]), data[at + _HEAD_BYTES + 1 : end]]
        elif kind in _SHOWN:
            parts.append(data[at:end])
        at = end
    return [b"RIFF" + (4 + sum(map(len, parts))).to_bytes(4, "little") + b"WEBP", *parts]
