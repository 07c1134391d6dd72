"""JPEG through Pillow's libjpeg-turbo: progressive where asked for, with Huffman tables made for the picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile, JpegImagePlugin

from backend.codec.encoders import still_passes
from backend.codec.encoders.encoder import Encoded, Encoder, Metadata, OnShare
from backend.codec.encoders.jpeg import segments
from backend.codec.encoders.registry import register
from backend.core.options import Options

MS_A_MEGAPIXEL, PROGRESSIVE_MS_A_MEGAPIXEL = 6.0, 13.0
BUFFER_BYTES_A_PIXEL = 4
"""Pillow has libjpeg write the whole file into one buffer, and makes it too small for noise: of black, white and full colours that takes 3.3."""


class JpegEncoder(Encoder):
    ms_a_megapixel = PROGRESSIVE_MS_A_MEGAPIXEL

    def preload(self) -> None:
        Image.register_save(JpegImagePlugin.JpegImageFile.format, JpegImagePlugin._save)

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        """Grey has one component. The profile for RGB does not fit it, and grey without a profile is shown as sRGB."""
        image.info = {}
        before_picture = segments.of(metadata, is_grey=image.mode == "L")
        within = segments.within_target(options, before_picture)
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, BUFFER_BYTES_A_PIXEL * image.width * image.height)
        ms = self.cost_ms(options, image.width * image.height, has_alpha=False)
        data, facts = still_passes.encode(image, within, _encoder_of(image, options), _decode, on_share, encode_ms=ms)
        image.close()
        yield Encoded(segments.parts(data, before_picture), facts=facts)

    def cost_ms(self, options: Options, pixels: int, *, has_alpha: bool) -> float:
        return (PROGRESSIVE_MS_A_MEGAPIXEL if options.progressive else MS_A_MEGAPIXEL) * pixels / 1e6


def _encoder_of(image: Image.Image, options: Options) -> still_passes.EncodeAt:
    """libjpeg takes a quality of 0 for 1. Grey has no chroma; some readers would take its sampling for that of the picture."""
    subsampling = "4:4:4" if image.mode == "L" else options.subsampling

    def encode_at(quality: int) -> bytes:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, progressive=options.progressive, optimize=True, subsampling=subsampling)
        return file.getvalue()

    return encode_at


def _decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["JPEG"])


register("jpeg", JpegEncoder())
