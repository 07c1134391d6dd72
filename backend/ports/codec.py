"""The codec, as the flows see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from backend.core.conversion import Conversion, Converted, Progress, Variants


class Codec(Protocol):
    """Pixels. Raises ``DamagedImage``, ``UnsupportedFormat``, ``TooManyPixels``, ``TooManyFrames``, ``InvalidOption``,
    ``EncodeTimeout``, and ``Stopped`` once ``should_stop`` said so. Raises ``StorageFull`` and ``BackendUnavailable`` where this machine fails,
    and ``ChildDied`` where the image may be to blame."""

    def convert(
        self,
        source_fd: int,
        result_fd: int,
        conversion: Conversion,
        *,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        tick_s: float = ...,
        variants: Variants | None = ...,
    ) -> Converted:
        """The result; of several, the first. ``variants`` is needed where the conversion has some: then ``result_fd`` is a file for the codec to
        work in, and each is kept as soon as it is there."""
