"""WebP: what its container holds beside what Pillow reads (RFC 9649 §2.7). libwebp composes the frames, as in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PIL import WebPImagePlugin

from backend.codec.encoders.encoder import Frame
from backend.codec.image.composition import without_alpha
from backend.codec.image.notes.notes import Notes
from backend.codec.image.readers.picture import Picture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits

_FIRST_CHUNK_AT, _CHUNK_HEAD_BYTES = 12, 8
_MAX_CHUNKS = 1000
"""An animation has one a frame, and Content Credentials stand behind them (C2PA 2.1, appendix A)."""
_IS_ANIMATED = 0x02
"""In the first byte of the chunk VP8X, which is the first one of an animation."""


class WebpPicture(Picture):
    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        super().__init__(source, shape, limits)
        self._may_be_uncovered = self._image.mode == "RGB" and self._is_animated()
        if self._may_be_uncovered:
            self._keep_alpha()

    @property
    def notes(self) -> Notes:
        extras = frozenset(("c2pa",)) if b"C2PA" in self._chunk_names() else frozenset()
        return replace(super().notes, extras=extras)

    def read_frames(self) -> Iterator[Frame]:
        if not self._may_be_uncovered:
            return super().read_frames()
        return (replace(each, image=without_alpha(each.image)) for each in super().read_frames())

    def _is_animated(self) -> bool:
        first = self._source.read_at(_FIRST_CHUNK_AT, _CHUNK_HEAD_BYTES + 1)
        return first.startswith(b"VP8X") and bool(first[-1] & _IS_ANIMATED)

    def _keep_alpha(self) -> None:
        """The file declares none. But what no frame covers is nothing, and libwebp says so, where Pillow would drop it."""
        assert isinstance(self._image, WebPImagePlugin.WebPImageFile)
        self._image._mode = self._image.rawmode = "RGBA"

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
