"""JPEG through Pillow's libjpeg-turbo: progressive where asked for, with Huffman tables made for the picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, JpegImagePlugin

from backend.codec.encoders import still_passes
from backend.codec.encoders.encoder import Encoded, Encoder, Metadata, OnShare
from backend.codec.encoders.registry import register
from backend.core.options import Options

MS_A_MEGAPIXEL, PROGRESSIVE_MS_A_MEGAPIXEL = 6.0, 13.0
EXIF_BEGIN = b"Exif\0\0"
"""Of the marker that holds the TIFF header (Exif 3.0 §4.7.2)."""
SEGMENT_BYTES = 65533
"""ISO/IEC 10918-1 B.1.1.4: what a marker may hold, its length not counted."""


class JpegEncoder(Encoder):
    ms_a_megapixel = PROGRESSIVE_MS_A_MEGAPIXEL

    def preload(self) -> None:
        Image.register_save(JpegImagePlugin.JpegImageFile.format, JpegImagePlugin._save)

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        image.info = {}
        beside = {"icc_profile": metadata.icc or None, "exif": EXIF_BEGIN + metadata.exif if metadata.exif else b"", "xmp": metadata.xmp or None}
        how = {"progressive": options.progressive, "optimize": True, "subsampling": options.subsampling}

        def encode_at(quality: float) -> bytes:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=round(quality), **how, **beside)
            return file.getvalue()

        ms = self.cost_ms(options, image.width * image.height, has_alpha=False)
        data, facts = still_passes.encode(image, options, encode_at, _decode, on_share, encode_ms=ms)
        image.close()
        yield Encoded([data], facts=facts)

    def cost_ms(self, options: Options, pixels: int, *, has_alpha: bool) -> float:
        return (PROGRESSIVE_MS_A_MEGAPIXEL if options.progressive else MS_A_MEGAPIXEL) * pixels / 1e6


def _decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["JPEG"])


register("jpeg", JpegEncoder())
