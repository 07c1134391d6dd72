"""PNG through Pillow and zlib: grey, colour and transparency as they are, or a palette of so many ``colors``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, PngImagePlugin

from backend.codec.encoders.encoder import Encoded, Encoder, Metadata, OnShare
from backend.codec.encoders.registry import register
from backend.core.options import Options


class PngEncoder(Encoder):
    ms_a_megapixel = 230.0

    def preload(self) -> None:
        Image.register_save(PngImagePlugin.PngImageFile.format, PngImagePlugin._save)

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        image.info = {}
        if options.colors is not None:
            method = Image.Quantize.FASTOCTREE if image.has_transparency_data else Image.Quantize.MEDIANCUT
            image = image.convert("RGBA" if image.has_transparency_data else "RGB").quantize(options.colors, method)
        notes = PngImagePlugin.PngInfo()
        if metadata.xmp:
            notes.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
        file = io.BytesIO()
        image.save(file, "PNG", icc_profile=metadata.icc or None, exif=metadata.exif or None, pnginfo=notes)
        image.close()
        yield Encoded([file.getbuffer()])


register("png", PngEncoder())
