"""The compressed pixels of one image: consecutive IDAT chunks, or the fdAT chunks of a frame. Their checksums are taken while they are read."""

from __future__ import annotations

import zlib

from backend import errors
from backend.codec.image.png.chunks import HEAD_BYTES, MAX_CHUNKS, SUM_BYTES, Chunk
from backend.codec.native.source import Source

PIECE_BYTES = 64 << 10
_SEQUENCE_BYTES = _ADLER_BYTES = 4


class ImageData:
    """Reads ``source`` from the chunk ``first`` on; ``sequence`` is its number if it is an fdAT. Methods raise ``DamagedImage``."""

    def __init__(self, source: Source, first: Chunk, sequence: int) -> None:
        self._source, self._at = source, first.at - HEAD_BYTES
        self._kind, self._sequence = first.kind, sequence
        self._left_bytes, self._sum, self._chunks = 0, 0, 0
        self._tail = b""
        self._is_over = not self._begin_chunk()

    def read(self) -> bytes:
        """The next piece; empty at the end.

        The last bytes come alone: they are zlib's own checksum, which counts for nothing in browsers, and a decoder that has all rows needs none.
        """
        while piece := self._read_piece():
            piece = self._tail + piece
            self._tail = piece[-_ADLER_BYTES:]
            if len(piece) > _ADLER_BYTES:
                return piece[:-_ADLER_BYTES]
        piece, self._tail = self._tail, b""
        return piece

    def _read_piece(self) -> bytes:
        while not self._is_over:
            if self._left_bytes:
                return self._take(min(self._left_bytes, PIECE_BYTES))
            self._end_chunk()
            self._is_over = not self._begin_chunk()
        return b""

    def finish(self) -> None:
        """Check the chunk that was read last, to its end. Whether more chunks follow is not looked at: the pixels are complete."""
        if self._is_over:
            return
        while self._left_bytes and self._take(min(self._left_bytes, PIECE_BYTES)):
            pass
        self._end_chunk()
        self._is_over = True

    def count_inflated_bytes(self, enough: int) -> int:
        """How many bytes there are once inflated, counted up to ``enough``. Reads all of it."""
        inflater, count = zlib.decompressobj(), 0
        try:
            while count < enough and not inflater.eof:
                piece = inflater.unconsumed_tail or self.read()
                if not piece:
                    break
                count += len(inflater.decompress(piece, PIECE_BYTES))
        except zlib.error:
            return count
        return count

    def _begin_chunk(self) -> bool:
        """False where no chunk of this kind follows."""
        head = self._read(HEAD_BYTES)
        if head[4:] != self._kind:
            return False
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            raise errors.DamagedImage(private=f"PNG: more than {MAX_CHUNKS} chunks of data")
        self._left_bytes, self._sum = int.from_bytes(head[:4], "big"), zlib.crc32(self._kind)
        if self._kind == b"fdAT":
            self._take_sequence()
        return True

    def _take_sequence(self) -> None:
        if self._left_bytes < _SEQUENCE_BYTES or int.from_bytes(self._take(_SEQUENCE_BYTES), "big") != self._sequence:
            raise errors.DamagedImage(private=f"APNG: no fdAT with the number {self._sequence}")
        self._sequence += 1

    def _take(self, count: int) -> bytes:
        data = self._read(count)
        self._sum = zlib.crc32(data, self._sum)
        self._left_bytes = self._left_bytes - len(data) if data else 0
        return data

    def _end_chunk(self) -> None:
        """A file that ends before the checksum has none that could be wrong."""
        checksum = self._read(SUM_BYTES)
        if len(checksum) == SUM_BYTES and checksum != self._sum.to_bytes(SUM_BYTES, "big"):
            raise errors.DamagedImage(private=f"PNG: the checksum of {self._kind!r} is wrong")

    def _read(self, count: int) -> bytes:
        data = self._source.read_at(self._at, count)
        self._at += len(data)
        self._source.report(self._at)
        return data
