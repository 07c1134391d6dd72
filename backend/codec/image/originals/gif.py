"""GIF: the screen, images with their controls, and how often it plays. Comments, text and other applications' data go (GIF89a §23–26)."""

from __future__ import annotations

from backend.core.image_headers.gif_parts import APPLICATION, CONTROL, LOOP_NAMES, GifExtension, GifImage, end_of_blocks, part_at, screen_of
from backend.core.image_headers.reader import HeaderReader

_TRAILER = b";"


def gif_parts(data: memoryview) -> list[bytes | memoryview] | None:
    """Raises ``DamagedImage`` where the file ends amid a part, or without a trailer."""
    file = HeaderReader(lambda at, length: bytes(data[at : at + length]), len(data))
    at = screen_of(file).parts_at
    parts: list[bytes | memoryview] = [data[:at]]
    while part := part_at(file, at):
        end = end_of_blocks(file, part.blocks_at)
        if _is_shown(part, data):
            parts.append(data[at:end])
        at = end
    return [*parts, _TRAILER]


def _is_shown(part: GifExtension | GifImage, data: memoryview) -> bool:
    if isinstance(part, GifImage) or part.label == CONTROL:
        return True
    return part.label == APPLICATION and bytes(data[part.blocks_at : part.blocks_at + 12]) in LOOP_NAMES
