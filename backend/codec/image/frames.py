"""The frames of an animation that its decoder composes: whole canvases with the moment each appears, and how often the whole is shown."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from backend.codec.encoders.encoder import Frame
from backend.codec.image import decode
from backend.codec.image.composition import played_ms
from backend.core.limits import Limits


def read_frames(image: Image.Image, limits: Limits) -> Iterator[Frame]:
    """From the first to the last. ``image`` is opened. Raises ``DamagedImage``, ``TooManyFrames``, ``TooManyPixels``.

    The ends of frames are the file's, in whole milliseconds, so that durations that are none do not drift.
    """
    number, at_ms, ended_ms = 0, 0.0, 0.0
    while decode.seek(image, number):
        number += 1
        limits.check_pixels(*image.size, number)
        decode.load(image)
        end_ms = image.info["timestamp"] + image.info["duration"]
        until_ms = at_ms + played_ms(end_ms - ended_ms)
        yield Frame(_copy(image), round(at_ms), round(until_ms))
        at_ms, ended_ms = until_ms, end_ms


def _copy(image: Image.Image) -> Image.Image:
    """Apart from the decoder's image, into which the next frame is drawn."""
    copy = image.copy()
    copy.info = {name: value for name, value in image.info.items() if name in ("icc_profile", "transparency")}
    return copy
