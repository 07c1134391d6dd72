"""A reader in this process, without the seal: what it gives for a file in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy
from PIL import Image

from backend.codec.image.readers import open_picture
from backend.codec.image.readers.picture import Picture
from backend.codec.native.source import Source
from backend.core.limits import Limits
from tests.support.chromium_pictures import Animation, Pixels, difference
from tests.unit.codec.conftest import declared


@contextmanager
def opened(data: bytes, limits: Limits = Limits()) -> Iterator[Picture]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield open_picture(Source(file.fileno()), declared(data, limits), limits)


def frames_of(data: bytes) -> list[tuple[Pixels, int]]:
    """Each frame's canvas, and how long it is shown in ms."""
    with opened(data) as picture:
        return [(pixels_of(each.image), each.until_ms - each.at_ms) for each in picture.read_frames()]


def pixels_of(image: Image.Image) -> Pixels:
    return numpy.asarray(image.convert("RGBA")).copy()


def timeline(animation: Animation) -> list[tuple[float, Pixels]]:
    """The moments at which the picture changes."""
    found: list[tuple[float, Pixels]] = []
    at = 0.0
    for frame in animation.frames:
        if not found or difference(found[-1][1], frame.pixels).any():
            found.append((at, frame.pixels))
        at += frame.duration_ms
    return found
