"""The limits on an upload, checked before anything is queued or decoded: one pure check a limit."""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors

OLDEST_REDIS = (6, 2)
"""Its scripts and streams are used as that version has them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's limits on one image (``GATEWAY_MAX_…``): bytes of the file, width × height × frames, and frames."""

    upload_bytes: int = 64 << 20
    pixels: int = 50_000_000
    frames: int = 256

    def check_bytes(self, received_bytes: int) -> None:
        """Raises ``TooLarge``."""
        if received_bytes > self.upload_bytes:
            raise errors.TooLarge(limit_bytes=self.upload_bytes)

    def check_pixels(self, width: int, height: int, frames: int = 1) -> None:
        """Raises ``TooManyFrames`` or ``TooManyPixels``."""
        if frames > self.frames:
            raise errors.TooManyFrames(limit=self.frames)
        if width * height * frames > self.pixels:
            raise errors.TooManyPixels(width=width, height=height, frames=frames, pixels=width * height * frames, limit=self.pixels)
