"""What an encode will cost: libaom tells nothing on its way, so a sample of the picture's own pixels is encoded first, with the same settings.

Small squares from all over the picture, side by side, cost nearly as much a pixel as the picture does. So the forecast knows the content and the
machine as they are. The factors are measured: ``python -m bench.avif_time``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from PIL import Image

from backend.codec.encoders.avif.aom import NOTHING, Pixels
from backend.core import encode_time
from backend.core.options import Options

TILE = 64
MIN_TILES, MAX_TILES, SAMPLE_SHARE = 12, 48, 0.03
"""A sample's tiles: this share of the picture's pixels, but so many at least and at most."""
UNSAMPLED_S = 0.3
"""What is expected to take no longer is not sampled: it would be over as soon as the forecast."""
SLOW_UP_TO_SPEED = 5
WHOLE_SHARE, SLOW_SHARE = 0.84, 0.97
"""A pixel of the whole picture costs this share of a sample's; the second is up to ``SLOW_UP_TO_SPEED``."""
LARGE_SIDE, LARGE_SLOW_SHARE = 2160, 0.70
"""The same where both sides are so long: there libaom looks less hard (``is_4k_or_larger``, av1/encoder/speed_features.c)."""
TYPICAL_QUALITY = 60


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds of processor time: ``spent_s`` on the sample, ``encode_s`` for one encode of all of it."""

    spent_s: float
    encode_s: float


def forecast(image: Image.Image, options: Options, frames: int = 1) -> Forecast:
    """For ``image``, or for so many of its kind."""
    pixels = image.width * image.height
    expected_s = encode_time.encode_s(options.speed, pixels)
    if expected_s * frames <= UNSAMPLED_S:
        return Forecast(0.0, expected_s)
    began_s = time.process_time()
    sample = Pixels(mosaic(image))
    sample.encode(NOTHING, options, TYPICAL_QUALITY if options.quality == "auto" else int(options.quality))
    spent_s = time.process_time() - began_s
    return Forecast(spent_s, _whole_share(image, options.speed) * spent_s * pixels / (sample.size[0] * sample.size[1]))


def _whole_share(image: Image.Image, speed: int) -> float:
    if speed > SLOW_UP_TO_SPEED:
        return WHOLE_SHARE
    return LARGE_SLOW_SHARE if min(image.size) >= LARGE_SIDE else SLOW_SHARE


def mosaic(image: Image.Image) -> Image.Image:
    """Squares of a regular grid. Each begins at a multiple of eight, where a JPEG's own blocks do."""
    width, height = min(TILE, image.width), min(TILE, image.height)
    across, down = _grid(image.width // width, image.height // height, image.width * image.height)
    sample = Image.new(image.mode, (across * width, down * height))
    for column in range(across):
        for row in range(down):
            left, top = _offset(image.width - width, column, across), _offset(image.height - height, row, down)
            sample.paste(image.crop((left, top, left + width, top + height)), (column * width, row * height))
    return sample


def _grid(across: int, down: int, pixels: int) -> tuple[int, int]:
    """How many tiles are taken, of ``across`` times ``down`` that there are."""
    wanted = max(MIN_TILES, min(MAX_TILES, SAMPLE_SHARE * pixels / TILE**2))
    columns = max(1, min(across, round((wanted * across / down) ** 0.5)))
    return columns, max(1, min(down, round(wanted / columns)))


def _offset(room: int, number: int, count: int) -> int:
    return int(room * (number + 0.5) / count) // 8 * 8
