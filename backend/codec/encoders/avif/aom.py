"""One AVIF file by libavif and libaom as Pillow carries them: in one thread, all of the picture in one tile, upright.

Tiles would be for threads, which a sealed child may not start; each costs a few bytes.
"""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image, _avif

from backend import errors
from backend.codec.encoders.encoder import Metadata
from backend.codec.geometry import Size
from backend.core.options import Options

THREADS, TILES_LOG2, UPRIGHT = 1, 0, 1
NOTHING = Metadata()


FULL, LIMITED = "full", "limited"
"""The range of the samples. Chromium 156 takes those of a sequence for limited, whatever its boxes and its bitstream say."""


def open_file(size: Size, metadata: Metadata, options: Options, quality: int, samples: str = FULL) -> _avif.AvifEncoder:
    return _avif.AvifEncoder(
        size,
        options.subsampling,
        quality,
        options.speed,
        THREADS,
        "aom",
        samples,
        TILES_LOG2,
        TILES_LOG2,
        False,  # alpha is not premultiplied
        False,  # no tiles of libavif's choice
        metadata.icc,
        metadata.exif,
        UPRIGHT,
        metadata.xmp,
        None,
    )


def closed(encoder: _avif.AvifEncoder) -> bytes:
    """The finished file. Raises ``Internal`` where the encoder gives none."""
    data = encoder.finish()
    if data is None:
        raise errors.Internal(private="libavif gave no file")
    return bytes(data)


class Pixels:
    """A picture as libavif takes it. It holds a copy, so the image may be closed."""

    def __init__(self, image: Image.Image) -> None:
        self.size, self._mode = image.size, image.mode
        self._bytes = image.tobytes("raw", image.mode)

    def encode(self, metadata: Metadata, options: Options, quality: int, speed: int | None = None) -> bytes:
        encoder = open_file(self.size, metadata, options if speed is None else replace(options, speed=speed), quality)
        encoder.add(self._bytes, 0, self.size, self._mode, True)
        return closed(encoder)


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["AVIF"])
