"""What an image may be before anything is queued or decoded: pure checks, one for each limit."""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors

WEBP_MAX_SIDE = 16383
"""RFC 9649 §2.7: canvas width and height are 14 bits, less one (VP8 frame header)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's bounds on one image (``GATEWAY_MAX_…``)."""

    upload_bytes: int = 64 << 20
    pixels: int = 50_000_000
    frames: int = 256

    def check_bytes(self, received_bytes: int) -> None:
        if received_bytes > self.upload_bytes:
            raise errors.TooLarge(limit_bytes=self.upload_bytes)

    def check_pixels(self, width: int, height: int, frames: int = 1) -> None:
        """Width × height × frames, before decoding; raises ``TooManyFrames`` or ``TooManyPixels``."""
        if frames > self.frames:
            raise errors.TooManyFrames(limit=self.frames)
        if width * height * frames > self.pixels:
            raise errors.TooManyPixels(width=width, height=height, frames=frames, pixels=width * height * frames, limit=self.pixels)
