"""The colours in AV1's sequence header, of stills (short headers) and of sequences (long ones)."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from backend.core.image_headers.av1 import colour_description
from backend.core.image_headers.heif_facts import NclxPoints, read_heif_facts


def avif(frames: int, **options: object) -> bytes:
    images = [Image.effect_noise((96, 64), 40 + number).convert("RGB") for number in range(frames)]
    buffer = io.BytesIO()
    images[0].save(buffer, "AVIF", save_all=frames > 1, append_images=images[1:], **options)
    return buffer.getvalue()


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:0:0"])
@pytest.mark.parametrize("encoded_range", ["full", "limited"])
def test_the_header_of_a_still_and_of_a_sequence_is_read(frames: int, subsampling: str, encoded_range: str) -> None:
    data = avif(frames, subsampling=subsampling, range=encoded_range).replace(b"colrnclx", b"freenclx")
    facts = read_heif_facts(lambda at, length: data[at : at + length], len(data))
    assert facts.points == NclxPoints(1, 13, 6, is_full_range=True)


def test_bytes_that_are_no_header_say_nothing() -> None:
    assert colour_description(b"") is None
    assert colour_description(b"\x12\x00") is None
    for first in range(256):
        for fill in (0, 0x55, 0xFF):
            colour_description(bytes([first]) + bytes([fill]) * 63)
