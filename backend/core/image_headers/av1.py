"""The colours that AV1's sequence header tells: AV1 Bitstream & Decoding Process Specification §5.3 (OBUs), §5.5.1, §5.5.2."""

from __future__ import annotations

from typing import NamedTuple

_SEQUENCE_HEADER = 1
_SELECT_SCREEN_CONTENT_TOOLS = 2


class ColourDescription(NamedTuple):
    """H.273's numbers."""

    primaries: int
    transfer: int
    matrix: int


class _Bits:
    """Zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        return (self._value >> self._left if self._left >= 0 else self._value << -self._left) & ((1 << count) - 1)

    def skip(self, *counts: int) -> None:
        self._left -= sum(counts)

    def skip_uvlc(self) -> None:
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        self.skip(zeros)


def colour_description(data: bytes) -> ColourDescription | None:
    """Of the first OBUs of an image. ``None`` where no sequence header stands among them, or where it has none."""
    at = 0
    while at + 2 <= len(data):
        kind, has_extension, has_size = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
        size, at = _leb128(data, at + 1 + has_extension) if has_size else (len(data), at + 1 + has_extension)
        if kind == _SEQUENCE_HEADER:
            return _of_sequence_header(_Bits(data[at : at + size]))
        at += size
    return None


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """The number, and where what follows begins."""
    value = 0
    for shift in range(0, 56, 7):
        byte = data[at] if at < len(data) else 0
        value, at = value | (byte & 127) << shift, at + 1
        if byte < 128:
            break
    return value, at


def _of_sequence_header(bits: _Bits) -> ColourDescription | None:
    profile, _still, is_reduced = bits.take(3), bits.take(1), bits.take(1)
    if is_reduced:
        bits.skip(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    bits.skip(width_bits, height_bits)
    if not is_reduced and bits.take(1):  # frame_id_numbers_present_flag
        bits.skip(4, 3)
    bits.skip(3)
    if not is_reduced:
        _skip_tools(bits)
    bits.skip(3)
    is_deep = bits.take(1)
    bits.skip(1 if profile == 2 and is_deep else 0, 0 if profile == 1 else 1)
    return ColourDescription(bits.take(8), bits.take(8), bits.take(8)) if bits.take(1) else None


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing_info_present_flag
        bits.skip(32, 32)
        if bits.take(1):
            bits.skip_uvlc()
        if bits.take(1):  # decoder_model_info_present_flag
            delay_bits = bits.take(5) + 1
            bits.skip(32, 5, 5)
    has_display_delay = bits.take(1)
    for _point in range(bits.take(5) + 1):
        bits.skip(12)
        if bits.take(5) > 7:
            bits.skip(1)
        if delay_bits and bits.take(1):
            bits.skip(2 * delay_bits, 1)
        if has_display_delay and bits.take(1):
            bits.skip(4)


def _skip_tools(bits: _Bits) -> None:
    bits.skip(4)
    has_order_hint = bits.take(1)
    bits.skip(2 if has_order_hint else 0)
    if _SELECT_SCREEN_CONTENT_TOOLS if bits.take(1) else bits.take(1):
        bits.skip(0 if bits.take(1) else 1)
    bits.skip(3 if has_order_hint else 0)
