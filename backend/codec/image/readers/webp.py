"""WebP: what its container holds beside what Pillow reads (RFC 9649 §2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backend.codec.image.notes import Notes
from backend.codec.image.readers.picture import Picture

_FIRST_CHUNK_AT, _CHUNK_HEAD_BYTES = 12, 8
_MAX_CHUNKS = 1000
"""An animation has one a frame, and Content Credentials stand behind them (C2PA 2.1, appendix A)."""


class WebpPicture(Picture):
    @property
    def notes(self) -> Notes:
        extras = frozenset(("c2pa",)) if b"C2PA" in self._chunk_names() else frozenset()
        return replace(super().notes, extras=extras)

    def _chunk_names(self) -> Iterator[bytes]:
        at = _FIRST_CHUNK_AT
        for _chunk in range(_MAX_CHUNKS):
            self._source.seek(at)
            head = self._source.read(_CHUNK_HEAD_BYTES) or b""
            if len(head) < _CHUNK_HEAD_BYTES:
                return
            yield head[:4]
            length = int.from_bytes(head[4:], "little")
            at += _CHUNK_HEAD_BYTES + length + length % 2
