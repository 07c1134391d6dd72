"""Where in the bits of a JPEG's data libjpeg stands, and what its next block would be.

libjpeg keeps this to itself (``jpegint.h``, ``jdhuff.c``), and the place changes from version to version. So a tiny picture whose last bits are
known is decoded once, and the place is where they are found.
"""

from __future__ import annotations

import ctypes as c
from dataclasses import dataclass
from functools import cache

from backend.codec.native.libjpeg_abi import ABI, STRUCTURE_BYTES, Decompress, ErrorManager, Pointer, library

ENTROPY_AT = STRUCTURE_BYTES - 5 * c.sizeof(Pointer)
"""Of the pointer ``entropy`` in jpeg_decompress_struct: four pointers follow it."""
DECODE_AT = c.sizeof(Pointer)
"""Of the pointer ``decode_mcu`` in jpeg_entropy_decoder: ``start_pass`` stands before it."""
PLACES = range(16, 128, 8)
BLOCKS, COEFFICIENTS = 10, 64
"""A unit has at most ten blocks (ISO/IEC 10918-1 B.2.3)."""
_BLOCK_BITS = 2
_REST = bytes((0x2D, 0xA5, 0x5A, 0xC3, 0x3C, 0x96))
"""Two bits are the only block's; the others stay in libjpeg's buffer."""
_TABLE = b"\1" + bytes(15) + b"\0"
"""One code of one bit, for the value 0."""
_PICTURE = b"".join(
    (
        b"\xff\xd8\xff\xdb\0\x43\0" + b"\1" * COEFFICIENTS,
        b"\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0",
        b"\xff\xc4\0\x14\0" + _TABLE + b"\xff\xc4\0\x14\x10" + _TABLE,
        b"\xff\xda\0\x08\1\1\0\0\x3f\0" + _REST + b"\xff\xd9",
    )
)
_Decode = c.CFUNCTYPE(c.c_int, Pointer, Pointer)


@dataclass(frozen=True, slots=True)
class Bits:
    """What has been read of the data and not been used: ``count`` bits, the first of them the highest of ``value``."""

    count: int
    value: int

    @property
    def whole_bytes(self) -> int:
        return self.count // 8

    @property
    def is_padded(self) -> bool:
        """Whether the rest of the byte that was begun holds ones alone (F.1.2.3), or zeros, as some writers have it."""
        rest_bits = self.count % 8
        rest = self.value >> 8 * self.whole_bytes
        return rest in (0, (1 << rest_bits) - 1)


class BlockDecoder:
    """Of a baseline file under way."""

    def __init__(self, decompress: Decompress, place: int) -> None:
        self._decompress, self._place = c.addressof(decompress), place
        self._entropy = _entropy(self._decompress)
        self._decode = _Decode(c.c_void_p.from_address(self._entropy + DECODE_AT).value or 0)
        self._blocks = c.create_string_buffer(BLOCKS * COEFFICIENTS * 2)
        begin = c.addressof(self._blocks)
        self._rows = (Pointer * BLOCKS)(*range(begin, begin + len(self._blocks) - 1, COEFFICIENTS * 2))

    def bits(self) -> Bits:
        return _bits(self._entropy, self._place)

    def decode_unit(self) -> None:
        """Decode a unit (an MCU) more than the picture has."""
        self._decode(self._decompress, c.addressof(self._rows))


@cache
def place() -> int | None:
    """Of the bits in jpeg_entropy_decoder; ``None`` where they are not found."""
    turbo, decompress, error_manager, row = library(), Decompress(), ErrorManager(), c.create_string_buffer(8)
    assert turbo is not None
    turbo.jpeg_std_error(c.byref(error_manager))
    decompress.err = c.pointer(error_manager)
    turbo.jpeg_CreateDecompress(c.byref(decompress), ABI, STRUCTURE_BYTES)
    try:
        turbo.jpeg_mem_src(c.byref(decompress), _PICTURE, len(_PICTURE))
        turbo.jpeg_read_header(c.byref(decompress), 1)
        turbo.jpeg_start_decompress(c.byref(decompress))
        turbo.jpeg_read_scanlines(c.addressof(decompress), c.addressof(Pointer(c.addressof(row))), 1)
        wanted = 8 * len(_REST) - _BLOCK_BITS
        known = Bits(wanted, int.from_bytes(_REST, "big") & (1 << wanted) - 1)
        entropy = _entropy(c.addressof(decompress))
        found = [each for each in PLACES if _bits(entropy, each) == known]
        return found[0] if len(found) == 1 else None
    finally:
        turbo.jpeg_destroy_decompress(c.byref(decompress))


def _entropy(decompress: int) -> int:
    return c.c_void_p.from_address(decompress + ENTROPY_AT).value or 0


def _bits(entropy: int, place: int) -> Bits:
    """``bit_buf_type get_buffer; int bits_left;``: the buffer's lowest bits are the newest."""
    count = c.c_int.from_address(entropy + place + 8).value
    held = max(0, min(64, count))
    return Bits(count, c.c_uint64.from_address(entropy + place).value & (1 << held) - 1)
