"""AVIF through libavif and libaom as Pillow carries them. The encoder tells nothing of its progress, and runs in the one thread of the child."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, _avif

from backend.codec.encoders import still_passes
from backend.codec.encoders.encoder import Animation, Encoded, Encoder, Metadata, OnShare
from backend.codec.encoders.registry import register
from backend.codec.geometry import Size
from backend.core.options import Options

MS_A_MEGAPIXEL = (12000.0, 6000.0, 3000.0, 1800.0, 1200.0, 800.0, 440.0, 300.0, 180.0, 100.0, 60.0)
"""By speed."""
DEFAULT_QUALITY = 60


class AvifEncoder(Encoder):
    def preload(self) -> None:
        _avif.codec_versions()

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        pixels = image.tobytes("raw", image.mode)
        size, mode = image.size, image.mode

        def encode_at(quality: int) -> bytes:
            encoder = _open(size, metadata, options, quality)
            encoder.add(pixels, 0, size, mode, True)
            return bytes(encoder.finish())

        ms = self.cost_ms(options, image.width * image.height, has_alpha=image.mode == "RGBA")
        data, facts = still_passes.encode(image, options, encode_at, _decode, on_share, encode_ms=ms)
        image.close()
        yield Encoded([data], facts=facts)

    @contextmanager
    def encode_animation(self, source: Animation, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        quality = DEFAULT_QUALITY if options.quality == "auto" else options.quality
        encoder, frames = _open(source.size, metadata, options, quality), 0
        for frames, frame in enumerate(source.read_frames(), 1):
            with frame.image as image:
                encoder.add(image.tobytes("raw", image.mode), frame.until_ms - frame.at_ms, image.size, image.mode, False)
            on_share(frames / (source.frame_count + 1))
        yield Encoded([bytes(encoder.finish())], frames)

    def cost_ms(self, options: Options, pixels: int, *, has_alpha: bool) -> float:
        return MS_A_MEGAPIXEL[options.speed] * pixels / 1e6


def _open(size: Size, metadata: Metadata, options: Options, quality: int) -> _avif.AvifEncoder:
    return _avif.AvifEncoder(
        size,
        options.subsampling,
        quality,
        options.speed,
        1,  # thread
        "aom",
        "full",
        0,  # rows and columns of tiles, as powers of two
        0,
        False,  # alpha is not premultiplied
        False,
        metadata.icc,
        metadata.exif,
        1,  # upright
        metadata.xmp,
        None,
    )


def _decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["AVIF"])


register("avif", AvifEncoder())
