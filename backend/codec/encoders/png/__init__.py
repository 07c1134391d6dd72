"""PNG: grey, colour and transparency in 8 or 16 bits, or a palette: of so many ``colors``, or by itself where it loses nothing. Not interlaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from backend.codec.encoders.encoder import BytePair, Encoded, Encoder, Metadata, OnShare
from backend.codec.encoders.png import chunks, palette, pixels, sixteen_bits
from backend.codec.encoders.png.palette import Indexed
from backend.codec.encoders.registry import register
from backend.core.options import Options

Parts = list[bytes | memoryview]
_WITHOUT_ALPHA = {"LA": "L", "RGBA": "RGB"}


class PngEncoder(Encoder):
    ms_a_megapixel = 190.0

    @contextmanager
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: OnShare) -> Iterator[Encoded]:
        if image.mode in _WITHOUT_ALPHA and image.getchannel("A").getextrema() == (255, 255):
            image = image.convert(_WITHOUT_ALPHA[image.mode])
        colors = options.colors
        parts = _smallest_parts(image, metadata) if colors is None else _indexed_parts(palette.nearest(image, colors), metadata)
        image.close()
        yield Encoded(parts)

    @contextmanager
    def encode_sixteen_bits(self, pair: BytePair, metadata: Metadata, on_share: OnShare) -> Iterator[Encoded]:
        before = chunks.before_data(pixels.header_of(pair.high, 16), metadata)
        parts = _joined(before, sixteen_bits.compress(pair, on_share))
        pair.close()
        yield Encoded(parts)


def _smallest_parts(image: Image.Image, metadata: Metadata) -> Parts:
    """With the palette of its colours where there is one: that is nearly always smaller, but not for slopes and tiny pictures."""
    parts = _joined(chunks.before_data(pixels.header_of(image), metadata), pixels.compress(image))
    indexed = palette.exact(image)
    others = [_indexed_parts(indexed, metadata)] if indexed else []
    return min(parts, *others, key=_size_of) if others else parts


def _indexed_parts(indexed: Indexed, metadata: Metadata) -> Parts:
    depth = pixels.depth_of(indexed)
    before = chunks.before_data(pixels.header_of(indexed.image, depth), metadata, indexed.colours)
    return _joined(before, pixels.compress(indexed.image, depth))


def _joined(before: bytes, compressed: list[bytes]) -> Parts:
    return [before, *chunks.data(compressed), chunks.END]


def _size_of(parts: Parts) -> int:
    return sum(map(len, parts))


register("png", PngEncoder())
