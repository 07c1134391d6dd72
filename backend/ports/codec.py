"""The codec, as the flows see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from backend.core.conversion import Conversion, Converted, Progress


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
    ) -> Converted: ...
