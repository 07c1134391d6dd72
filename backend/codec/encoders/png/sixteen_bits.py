"""Samples of 16 bits: the high and the low bytes, which Pillow holds as two pictures, are joined a strip at a time, filtered and compressed.

Each strip has the filter of the PNG specification (§9) that leaves the smallest differences.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageMath

from backend.codec.encoders.encoder import BytePair, OnShare

LEVEL = 6
STRATEGIES = (zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY)
"""Grain repeats nothing, so to look for repetitions takes three times as long for the same bytes; drawn pictures are a quarter smaller by it."""
WORTH_IT = 0.99
"""The share of the bytes that is left of the middle strip."""
STRIP_BYTES = 1 << 20
SUB, UP, PAETH = 1, 2, 4
"""§9.2"""


def compress(pair: BytePair, on_share: OnShare) -> list[bytes]:
    """The stream of IDAT, in pieces."""
    deflater, pieces = zlib.compressobj(LEVEL, strategy=_strategy_for(pair)), []
    for strip, share in _strips(pair, 0, pair.high.height):
        pieces.append(deflater.compress(strip))
        on_share(share)
    return [each for each in (*pieces, deflater.flush()) if each]


def _strategy_for(pair: BytePair) -> int:
    """By the strip in the middle."""
    strip, _share = next(_strips(pair, pair.high.height // 2, pair.high.height))
    by_runs, thorough = (_compressed_bytes(strip, strategy) for strategy in STRATEGIES)
    return STRATEGIES[thorough < WORTH_IT * by_runs]


def _compressed_bytes(strip: bytes, strategy: int) -> int:
    deflater = zlib.compressobj(LEVEL, strategy=strategy)
    return len(deflater.compress(strip)) + len(deflater.flush())


def _strips(pair: BytePair, begin: int, end: int) -> Iterator[tuple[bytes, float]]:
    """Filtered rows, and the share of them that is done."""
    width = pair.high.width
    pixel_bytes = 2 * len(pair.high.getbands())
    row_bytes = pixel_bytes * width
    rows = max(1, STRIP_BYTES // row_bytes)
    above = Image.new("L", (row_bytes, 1))
    for top in range(begin, end, rows):
        strip = _join(pair, (0, top, width, min(end, top + rows)), row_bytes)
        yield _filter(strip, above, pixel_bytes), (top + strip.height - begin) / (end - begin)
        above = strip.crop((0, strip.height - 1, row_bytes, strip.height))


def _join(pair: BytePair, box: tuple[int, int, int, int], row_bytes: int) -> Image.Image:
    """Rows as the file has them, the high byte of each sample first. As a grey picture, a byte a pixel."""
    high, low = (image.crop(box).tobytes() for image in (pair.high, pair.low))
    joined = bytearray(2 * len(high))
    joined[0::2], joined[1::2] = high, low
    return Image.frombytes("L", (row_bytes, box[3] - box[1]), bytes(joined))


def _filter(strip: Image.Image, above: Image.Image, pixel_bytes: int) -> bytes:
    """The rows, each behind the number of its filter."""
    up = _shifted(strip, above, 0, 1)
    left = _shifted(strip, None, pixel_bytes, 0)
    corner = _shifted(up, None, pixel_bytes, 0)
    candidates = {SUB: left, UP: up, PAETH: _paeth(left, up, corner)}
    filtered = {number: ImageChops.subtract_modulo(strip, predicted) for number, predicted in candidates.items()}
    number = min(filtered, key=lambda each: _size_of(filtered[each]))
    rows = Image.new("L", (strip.width + 1, strip.height), number)
    rows.paste(filtered[number], (1, 0))
    return rows.tobytes()


def _shifted(strip: Image.Image, above: Image.Image | None, right: int, down: int) -> Image.Image:
    result = Image.new("L", strip.size)
    result.paste(strip, (right, down))
    if above is not None:
        result.paste(above, (0, 0))
    return result


def _paeth(left: Image.Image, up: Image.Image, corner: Image.Image) -> Image.Image:
    """§9.4: the neighbour that is nearest to left + up − corner; of equals left, then up."""
    by_left, by_up = ImageChops.difference(up, corner), ImageChops.difference(left, corner)

    def far(of: dict[str, ImageMath._Operand]) -> ImageMath._Operand:
        return abs(of["a"] + of["b"] - of["c"] - of["c"])

    by_corner = ImageMath.lambda_eval(lambda of: of["min"](far(of), 255), a=left, b=up, c=corner).convert("L")
    is_corner = ImageChops.subtract(ImageChops.darker(by_left, by_up), by_corner).point(_ANY)
    is_up = ImageChops.subtract(by_left, by_up).point(_ANY)
    return Image.composite(corner, Image.composite(up, left, is_up), is_corner)


_ANY = [0] + [255] * 255
_SIZES = [min(value, 256 - value) for value in range(256)]


def _size_of(filtered: Image.Image) -> int:
    """The sum of all differences, as signed bytes: the less, the better it compresses (§12.7)."""
    return sum(count * size for count, size in zip(filtered.histogram(), _SIZES, strict=True))
