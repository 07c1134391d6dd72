"""RIFF, the container: metadata is put around the chunks of a WebP file (RFC 9649 §2.4, §2.7). Pixels are not copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backend.codec.encoders.encoder import Metadata
from backend.core.options import Options

FIRST_CHUNK_AT, HEAD_BYTES, FRAME_HEAD_BYTES = 12, 8, 16
"""Of the file, of a chunk, and of an animation's frame before its own chunks (§2.7.1.1)."""
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


def within_target(options: Options, metadata: Metadata) -> Options:
    """``target_bytes`` less what ``metadata`` take of it."""
    if options.target_bytes is None or not metadata:
        return options
    chunks = (b"\0" * 10, *(each for each in (metadata.icc, metadata.exif, metadata.xmp) if each))
    return replace(options, target_bytes=max(1, options.target_bytes - sum(HEAD_BYTES + len(each) + len(each) % 2 for each in chunks)))


def is_lossless(webp: memoryview) -> bool:
    """Whether every picture in the file is coded without loss."""
    return all(kind != b"VP8 " for kind in _picture_kinds(webp, FIRST_CHUNK_AT, len(webp)))


def _picture_kinds(webp: memoryview, at: int, end: int) -> Iterator[bytes]:
    while at + HEAD_BYTES <= end:
        kind, length = bytes(webp[at : at + 4]), int.from_bytes(webp[at + 4 : at + HEAD_BYTES], "little")
        if kind == b"ANMF":
            yield from _picture_kinds(webp, at + HEAD_BYTES + FRAME_HEAD_BYTES, at + HEAD_BYTES + length)
        elif kind in (b"VP8 ", b"VP8L"):
            yield kind
        at += HEAD_BYTES + length + length % 2


def _flags(webp: memoryview) -> int:
    kind = bytes(webp[12:16])
    if kind == b"VP8X":
        return webp[20]
    return _ALPHA if kind == b"VP8L" and webp[24] & 0x10 else 0


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2) if payload else b""
