"""Where a file's chunks lie (PNG §5.3), and what is in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from backend.codec.native.source import Source

SIGNATURE_BYTES, HEAD_BYTES, SUM_BYTES = 8, 8, 4
MAX_CHUNKS = 1_000_000
"""Looked at in one file; at 2 µs each, the walk takes 2 s at most. A picture of 1 000 megapixels in ordinary IDAT chunks has half as many."""
MAX_BYTES = 8 << 20
"""Of a chunk that is read as a whole, and of what is inflated from it. Results carry 1 MiB of a note; profiles of 3 MiB are seen."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """``at`` is where the contents begin. They may reach beyond the end of the file."""

    kind: bytes
    at: int
    length: int

    @property
    def is_critical(self) -> bool:
        """PNG §5.4: a decoder that does not know it cannot show the picture."""
        return not self.kind[0] & 0x20


def chunks_of(source: Source) -> Iterator[Chunk]:
    """Up to IEND, the end of the file, or ``MAX_CHUNKS``."""
    at = SIGNATURE_BYTES
    for _ in range(MAX_CHUNKS):
        head = source.read_at(at, HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            return
        chunk = Chunk(head[4:], at + HEAD_BYTES, int.from_bytes(head[:4], "big"))
        yield chunk
        if chunk.kind == b"IEND":
            return
        at = chunk.at + chunk.length + SUM_BYTES


def contents_of(chunk: Chunk, source: Source) -> bytes | None:
    """``None`` where the checksum is wrong or missing, or the chunk is longer than ``MAX_BYTES``."""
    if chunk.length > MAX_BYTES:
        return None
    data = source.read_at(chunk.at, chunk.length + SUM_BYTES)
    contents, checksum = data[: chunk.length], data[chunk.length :]
    return contents if checksum == zlib.crc32(contents, zlib.crc32(chunk.kind)).to_bytes(4, "big") else None
