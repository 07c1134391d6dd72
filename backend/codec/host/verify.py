"""Comparing what a child reported with the file that it left."""

from __future__ import annotations

import os
from dataclasses import replace

from backend import errors
from backend.codec.result_file import shape_of
from backend.core.conversion import Conversion, Converted, Shape


def verify(converted: Converted, result_fd: int, conversion: Conversion) -> None:
    """Compare the child's report with the file as it is kept. Raises ``DamagedImage`` where they differ: then the image has taken the child over."""
    is_original = "original" in converted.facts
    name = conversion.shape.format if is_original else conversion.output.name
    size_bytes, shape = os.fstat(result_fd).st_size, shape_of(result_fd, name)
    reported = Shape(name, converted.width, converted.height, converted.frames)
    is_as_reported = _is_original(reported, shape, conversion) if is_original else shape == reported
    if not is_as_reported or size_bytes != converted.bytes:
        raise errors.DamagedImage(private=f"the child reported {converted}, the file has {size_bytes} bytes, {shape}")


def _is_original(reported: Shape, shape: Shape | None, conversion: Conversion) -> bool:
    """A file with the source's own header, where that was asked for. ``reported`` is upright, a header tells the sides as stored."""
    is_same = replace(reported, width=reported.height, height=reported.width) == shape or reported == shape
    return conversion.may_give_original and shape == conversion.shape and is_same
