"""RIFF, the container: metadata is put around the chunks of a WebP file (RFC 9649 §2.4, §2.7). Pixels are not copied."""

from __future__ import annotations

from backend.codec.encoders.encoder import Metadata

_ICC, _ALPHA, _EXIF, _XMP = 0x20, 0x10, 0x08, 0x04


def parts(webp: memoryview, metadata: Metadata, size: tuple[int, int]) -> list[bytes | memoryview]:
    """The file with ``metadata``, in parts. Without metadata, the file as it is."""
    if not metadata:
        return [webp]
    flags, body = _flags(webp), webp[12:]
    if bytes(webp[12:16]) == b"VP8X":
        body = webp[30:]
    flags |= _ICC * bool(metadata.icc) | _EXIF * bool(metadata.exif) | _XMP * bool(metadata.xmp)
    head = bytes([flags, 0, 0, 0]) + b"".join((side - 1).to_bytes(3, "little") for side in size)
    before = _chunk(b"VP8X", head) + _chunk(b"ICCP", metadata.icc)
    after = _chunk(b"EXIF", metadata.exif) + _chunk(b"XMP ", metadata.xmp)
    length = 4 + len(before) + len(body) + len(after)
    return [b"RIFF" + length.to_bytes(4, "little") + b"WEBP" + before, body, after]


def _flags(webp: memoryview) -> int:
    kind = bytes(webp[12:16])
    if kind == b"VP8X":
        return webp[20]
    return _ALPHA if kind == b"VP8L" and webp[24] & 0x10 else 0


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2) if payload else b""
