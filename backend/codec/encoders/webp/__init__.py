"""WebP through libwebp and libwebpmux: the copies that Pillow has loaded, called by ctypes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from PIL import Image

from backend.codec.encoders.encoder import Animation, Encoded, Encoder, Metadata, OnShare
from backend.codec.encoders.registry import register
from backend.codec.encoders.webp import animation, riff, smaller, still
from backend.codec.encoders.webp.planes import WebpPlanes, open_planes
from backend.codec.geometry import Size
from backend.codec.native import libwebp
from backend.codec.progress import curves
from backend.codec.result_file import shape_in
from backend.core.formats import OUTPUT
from backend.core.options import Options

ROW = OUTPUT["webp"]


class WebpEncoder(Encoder):
    def preload(self) -> None:
        libwebp.encoder()
        libwebp.muxer()

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        size, encode = image.size, smaller.encode_image if options.lossless == "auto" else still.encode_image
        with encode(image, riff.within_target(options, metadata), on_share) as (webp, facts):
            yield Encoded(riff.parts(webp, metadata, size), facts=facts)

    @contextmanager
    def encode_animation(self, source: Animation, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        with animation.encode_animation(source, riff.within_target(options, metadata), on_share) as (webp, facts):
            yield Encoded(riff.parts(webp, metadata, source.size), shape_in(webp, ROW).frames, facts)

    def accepts_planes(self, options: Options) -> bool:
        return not (still.needs_argb(options) or options.quality == "auto" or options.lossless == "auto")

    def open_planes(self, size: Size, options: Options) -> AbstractContextManager[WebpPlanes]:
        return open_planes(size, options)

    def cost_ms(self, options: Options, pixels: int, *, has_alpha: bool) -> float:
        return curves.cost_ms(options, pixels, has_alpha=has_alpha)


register(ROW.name, WebpEncoder())
