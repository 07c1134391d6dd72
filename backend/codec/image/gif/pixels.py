"""The pixels of one image of a GIF, as palette indexes: LZW (GIF89a appendix F) through Pillow's decoder in C."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from backend import errors
from backend.codec.image.gif.index import StoredImage
from backend.core.image_headers.reader import ReadAt

PIECE_BYTES = 256 << 10
"""Of compressed data, in memory at once."""
MOST_CODE_BITS = 8
_PILLOWS_LEAST_CODE_BITS = 2
"""The specification's, too. Files with 1 exist, and browsers show them."""
_MOST_WIDTH, _MOST_CODES = 12, 4096


def indexes_of(stored: StoredImage, read_at: ReadAt) -> Image.Image:
    """Mode P, without colours. Raises ``DamagedImage`` unless every pixel is there; whatever follows the last one is passed over."""
    image = stored.image
    code_bits = read_at(image.data_at, 1)[0]
    if code_bits > MOST_CODE_BITS:
        raise errors.DamagedImage(private=f"codes of {code_bits} bits")
    pieces = _pieces(read_at, image.blocks_at, stored.blocks_end)
    decode = _decode if code_bits >= _PILLOWS_LEAST_CODE_BITS else _decode_narrow
    indexes = decode(pieces, (image.width, image.height), code_bits, image.is_interlaced)
    if indexes is None:
        raise errors.DamagedImage(private=f"the image at byte {image.data_at} lacks pixels")
    return indexes


def _pieces(read_at: ReadAt, at: int, end: int) -> Iterator[bytes]:
    """Sub-blocks with their lengths. A last one that is cut off is given its true length."""
    held = b""
    while at < end:
        held += read_at(at, min(PIECE_BYTES, end - at))
        at = min(at + PIECE_BYTES, end)
        whole = _whole_blocks_bytes(held)
        yield held[:whole]
        held = held[whole:]
    if len(held) > 1:
        yield bytes([len(held) - 1]) + held[1:]


def _whole_blocks_bytes(held: bytes) -> int:
    at = 0
    while at < len(held) and at + held[at] < len(held):
        at += 1 + held[at]
    return at


def _decode(pieces: Iterator[bytes], size: tuple[int, int], code_bits: int, is_interlaced: bool) -> Image.Image | None:
    """None where a pixel is missing. The decoder says -1 once it has the last pixel or an error, and takes less than it was given at the end code."""
    indexes = Image.new("P", size)
    decoder = Image._getdecoder("P", "gif", (code_bits, int(is_interlaced)))
    decoder.setimage(indexes.im, (0, 0, *size))
    try:
        for piece in pieces:
            taken_bytes, error = decoder.decode(piece)
            if taken_bytes < len(piece):
                return indexes if taken_bytes < 0 and error == 0 else None
    finally:
        decoder.cleanup()
    return None


def _decode_narrow(pieces: Iterator[bytes], size: tuple[int, int], code_bits: int, is_interlaced: bool) -> Image.Image | None:
    """Codes that begin with 0 or 1 bits, which Pillow's decoder does not widen. Rare and small, so here in Python."""
    width, height = size
    pixels = bytearray()
    for run in _runs(pieces, code_bits):
        pixels += run
        if len(pixels) >= width * height:
            break
    else:
        return None
    if not is_interlaced:
        return Image.frombytes("P", size, bytes(pixels[: width * height]))
    indexes, rows = Image.new("P", size), (row for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for row in range(first, height, step))
    for number, row in enumerate(rows):
        indexes.paste(Image.frombytes("P", (width, 1), bytes(pixels[number * width : (number + 1) * width])), (0, row))
    return indexes


def _runs(pieces: Iterator[bytes], code_bits: int) -> Iterator[bytes]:
    """What each code stands for, up to the end code or one that stands for nothing."""
    clear = 1 << code_bits
    table: list[bytes] = []
    before = b""
    width = code_bits + 1
    held = filled = 0
    for byte in _bytes_of(pieces):
        held, filled = held | byte << filled, filled + 8
        while filled >= width:
            code, held, filled = held & (1 << width) - 1, held >> width, filled - width
            if code == clear or not table:
                table, before, width = [*(bytes([each]) for each in range(clear)), b"", b""], b"", code_bits + 1
            if code == clear:
                continue
            if code == clear + 1 or code > len(table) - (not before):
                return
            run = table[code] if code < len(table) else before + before[:1]
            if before and len(table) < _MOST_CODES:
                table.append(before + run[:1])
            yield run
            before = run
            width = min(_MOST_WIDTH, max(width, len(table).bit_length()))


def _bytes_of(pieces: Iterator[bytes]) -> Iterator[int]:
    for piece in pieces:
        at = 0
        while at < len(piece):
            yield from piece[at + 1 : at + 1 + piece[at]]
            at += 1 + piece[at]
