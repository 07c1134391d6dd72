"""The frames of an animation that its decoder composes: whole canvases with the moment each appears, and how often the whole is shown."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from backend.codec.encoders.encoder import Frame
from backend.codec.image import decode
from backend.codec.image.composition import played_ms
from backend.core.limits import Limits


def read_frames(image: Image.Image, limits: Limits) -> Iterator[Frame]:
    """From the first to the last. ``image`` is opened. Raises ``DamagedImage``, ``TooManyFrames``, ``TooManyPixels``."""
    number = int(bool(getattr(image, "default_image", False)))  # APNG: frame 0 is a still for readers without animation
    shown, at_ms = 0, 0.0
    while decode.seek(image, number):
        shown, number = shown + 1, number + 1
        limits.check_pixels(*image.size, shown)
        decode.load(image)
        until_ms = at_ms + played_ms(float(image.info.get("duration") or 0))
        yield Frame(_copy(image), round(at_ms), round(until_ms))
        at_ms = until_ms


def play_count(image: Image.Image) -> int:
    """How often the animation is shown; 0 for ever. A GIF counts repetitions, and one without a count is shown once, as in browsers."""
    loop = image.info.get("loop")
    if image.format != "GIF":
        return int(loop or 0)
    if loop is None:
        return 1
    return min(int(loop) + 1, 65535) if loop else 0


def _copy(image: Image.Image) -> Image.Image:
    """Apart from the decoder's image, into which the next frame is drawn."""
    copy = image.copy()
    copy.info = {name: value for name, value in image.info.items() if name in ("icc_profile", "transparency")}
    return copy
