"""Where libjpeg keeps the bits that it has not used: found in the library that is installed."""

from __future__ import annotations

from backend.codec.native import jpeg_bits
from backend.codec.native.jpeg_bits import Bits


def test_the_place_is_found_in_the_library_of_this_machine() -> None:
    assert jpeg_bits.place() is not None


def test_padding_is_ones_or_zeros_in_the_byte_that_was_begun() -> None:
    assert Bits(0, 0).is_padded
    assert Bits(5, 0b11111).is_padded
    assert Bits(5, 0).is_padded
    assert not Bits(5, 0b11011).is_padded
    assert Bits(11, 0b111_10101010).is_padded
    assert not Bits(11, 0b110_11111111).is_padded
