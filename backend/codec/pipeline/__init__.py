"""A conversion from descriptor to descriptor, with one result or several. Runs in the child, sealed or not."""

from __future__ import annotations

from backend.codec.encoders.registry import preload as preload_encoders
from backend.codec.image import decode, steps
from backend.codec.image.mark import Mark
from backend.codec.native.source import Source
from backend.codec.pipeline.several import FailedIn, OnMade, Several
from backend.codec.pipeline.single import OnProgress, Single
from backend.core.conversion import Conversion, Converted

__all__ = ["FailedIn", "convert", "preload"]


def preload() -> None:
    """Load every decoder, step and encoder: a sealed child can open no file."""
    decode.preload()
    steps.load()
    preload_encoders()


def convert(
    source: Source,
    result_fd: int,
    conversion: Conversion,
    on_progress: OnProgress,
    on_made: OnMade = lambda _made: None,
    mark: Source | None = None,
) -> Converted:
    """The result; of several the first, and each is told by ``on_made`` once it is written. ``mark`` is the file of the watermark.

    Raises errors of the contract, what a decoder raises while it opens the file, and ``FailedIn`` around what one of several raises.
    """
    watermark, name = conversion.watermark, conversion.options.watermark
    own = Mark(mark, watermark.placement, name) if mark and watermark else None
    if conversion.options.is_several:
        return Several(source, result_fd, conversion, on_progress, on_made, own).convert()
    return Single(source, result_fd, conversion, on_progress, mark=own).convert()
