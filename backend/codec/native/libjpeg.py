"""JPEG through libjpeg-turbo, row by row, and whether its data is whole.

Pillow decodes a picture as a whole and drops libjpeg's warnings; here rows can be used as they come, and warnings count. The library and its
settings (the defaults) are Pillow's, so the pixels are equal.

On a fatal error libjpeg calls ``error_exit``, which must not return. So the process ends there, with code 0, after ``on_fatal`` has reported
the error: use this only in a process that may end at any time.
"""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backend import errors
from backend.codec.native import jpeg_bits, jpeg_damage
from backend.codec.native.libjpeg_abi import (
    ABI,
    STRUCTURE_BYTES,
    ComponentInfo,
    Decompress,
    ErrorManager,
    Fill,
    OnError,
    Pointer,
    Skip,
    SourceManager,
    library,
)
from backend.codec.native.source import Source

GREY, RGB, CMYK, RGBX = 1, 2, 4, 7
"""JCS_GRAYSCALE, JCS_RGB, JCS_CMYK: one, three and four bytes a pixel. JCS_EXT_RGBX is libjpeg-turbo's own, four bytes."""
INPUT_BYTES = 64 << 10
END_OF_IMAGE = b"\xff\xd9"
MESSAGE_BYTES = 200
POINTER_BYTES = c.sizeof(Pointer)
MAX_UNITS = 200_000
"""Decoded after the picture: a few hundred milliseconds' work."""
COEFFICIENTS = 64
"""Of a block."""


class _Reading:
    """The one file that libjpeg reads. Its callbacks are made before the process is sealed, since they need executable memory."""

    source: Source
    buffer = c.create_string_buffer(INPUT_BYTES)
    is_at_end = False
    """Whether the file has ended, and ends of image are made up."""
    judge: jpeg_damage.Judge
    damage: str | None = None
    said = ""
    """The last warning."""
    on_fatal: Callable[[errors.GatewayError], None] = lambda _error: None


def preload() -> None:
    if library() is not None:
        jpeg_bits.place()


def set_on_fatal(on_fatal: Callable[[errors.GatewayError], None]) -> None:
    """``on_fatal`` is called before the process ends because of a fatal error of libjpeg."""
    _Reading.on_fatal = on_fatal


def _exit_on_error(decompress: c._Pointer[Decompress]) -> None:
    try:
        _Reading.on_fatal(jpeg_damage.fatal_error(_message(decompress)))
    finally:
        os._exit(0)


def _judge_warning(decompress: c._Pointer[Decompress]) -> None:
    """libjpeg's own ``emit_message`` counts warnings, and calls this for the first. One that does no harm is not counted, so the next comes too."""
    _Reading.damage = "a warning that cannot be judged"
    said = _Reading.said = _message(decompress)
    is_in_data = decompress.contents.input_scan_number > 0
    _Reading.damage = _Reading.judge.damage_in(said, _offset(decompress)) if is_in_data else None
    if _Reading.damage is None and _Reading.judge.is_patient:
        decompress.contents.err.contents.num_warnings = -1


def _message(decompress: c._Pointer[Decompress]) -> str:
    text = c.create_string_buffer(MESSAGE_BYTES)
    decompress.contents.err.contents.format_message(decompress, text)
    return text.value.decode(errors="replace")


def _offset(decompress: c._Pointer[Decompress]) -> int:
    """Of the byte of the file that libjpeg reads next."""
    unread_bytes = 0 if _Reading.is_at_end else decompress.contents.src.contents.bytes_in_buffer
    return _Reading.source.tell() - int(unread_bytes)


def _fill(decompress: c._Pointer[Decompress]) -> int:
    try:
        count = _Reading.source.readinto(_Reading.buffer)
    except OSError:
        count = 0
    if not count:
        _Reading.is_at_end, count = True, len(END_OF_IMAGE)
        c.memmove(_Reading.buffer, END_OF_IMAGE, count)
    source = decompress.contents.src.contents
    source.next_input_byte, source.bytes_in_buffer = c.addressof(_Reading.buffer), count
    return 1


def _skip(decompress: c._Pointer[Decompress], count: int) -> None:
    """Over a segment; what is not in the buffer is not read either."""
    source = decompress.contents.src.contents
    step = min(max(0, count), source.bytes_in_buffer)
    source.next_input_byte += step
    source.bytes_in_buffer -= step
    if count > step:
        _Reading.source.seek(count - step, os.SEEK_CUR)


_EXIT, _WARN, _FILL, _SKIP = OnError(_exit_on_error), OnError(_judge_warning), Fill(_fill), Skip(_skip)
_NOTHING = OnError(lambda _decompress: None)


class Rows:
    """A picture under way, from its first row to its last."""

    def __init__(self, decompress: Decompress, *, is_one_scan: bool) -> None:
        turbo = library()
        assert turbo is not None
        self._decompress, self._is_one_scan, self._read_scanlines = decompress, is_one_scan, turbo.jpeg_read_scanlines
        self._address = c.addressof(decompress)
        self.width, self.height = decompress.output_width, decompress.output_height

    def read_into(self, addresses: c.Array[c.c_void_p], count: int) -> None:
        """Write the next ``count`` rows to ``addresses``; a fourth byte of RGBX is 255. Raises ``DamagedImage``."""
        address, left = c.addressof(addresses), count
        while left:
            got = self._read_scanlines(self._address, address, left)
            address, left = address + POINTER_BYTES * got, left - got
        if _Reading.damage is not None:
            raise errors.DamagedImage(private=f"libjpeg: {_Reading.damage}")

    def finish(self) -> None:
        """To be called after the last row. Raises ``DamagedImage`` where the data does not end with it, or has not all arrived."""
        damage = self._damage_at_end()
        if damage is not None:
            raise errors.DamagedImage(private=f"libjpeg: {damage}")

    def _damage_at_end(self) -> str | None:
        if _Reading.is_at_end and self._decompress.arith_code:
            return "the file is cut off"  # an arithmetic decoder reads zeros after the end, and cannot know
        if not self._is_one_scan:
            return None if not _Reading.is_at_end or _has_all_coefficients(self._decompress) else "the file ends before its last scan"
        place = None if self._decompress.arith_code else jpeg_bits.place()
        if place is None:
            return _Reading.judge.damage_after_scan(self._offset(), None, None)
        decoder = jpeg_bits.BlockDecoder(self._decompress, place)
        goes_on = None if self._decompress.restart_interval else lambda end: self._goes_on(decoder, end)
        return _Reading.judge.damage_after_scan(self._offset(), decoder.bits(), goes_on)

    def _goes_on(self, decoder: jpeg_bits.BlockDecoder, end: int) -> bool:
        """Whether the data after the picture is data of a picture, too, to its last bit at ``end``."""
        for _unit in range(MAX_UNITS):
            bits, offset = decoder.bits(), self._offset()
            if bits.count + 8 * max(0, end - offset) < 8:
                return bits.is_padded
            _Reading.said, self._decompress.err.contents.num_warnings = "", 0
            decoder.decode_unit()
            if _Reading.said.startswith(jpeg_damage.PREMATURE_END) or (decoder.bits(), self._offset()) == (bits, offset):
                return False
        return True

    def _offset(self) -> int:
        return _offset(c.pointer(self._decompress))


def _has_all_coefficients(decompress: Decompress) -> bool:
    """Whether each component's scans have come, in a progressive file to the last bit."""
    count = decompress.num_components
    if decompress.coef_bits:
        return not any(decompress.coef_bits[: COEFFICIENTS * count])
    components = c.cast(decompress.comp_info, c.POINTER(ComponentInfo))
    return all(components[number].quant_table for number in range(count))


@contextmanager
def open_rows(source: Source, layout: int, scale: int = 1) -> Iterator[Rows]:
    """The rows of a JPEG, at 1/``scale`` of its size (1, 2, 4 or 8). ``layout`` suits its colours. Raises ``DamagedImage``."""
    turbo, decompress, error_manager, source_manager = library(), Decompress(), ErrorManager(), SourceManager()
    assert turbo is not None
    source.seek(0)
    _Reading.source, _Reading.judge = source, jpeg_damage.Judge(source.read_at)
    _Reading.is_at_end, _Reading.damage = False, None
    turbo.jpeg_std_error(c.byref(error_manager))
    error_manager.error_exit, error_manager.output_message = _EXIT, _WARN
    decompress.err = c.pointer(error_manager)
    turbo.jpeg_CreateDecompress(c.byref(decompress), ABI, STRUCTURE_BYTES)
    source_manager.init_source = source_manager.term_source = _NOTHING
    source_manager.fill_input_buffer, source_manager.skip_input_data = _FILL, _SKIP
    source_manager.resync_to_restart = c.cast(turbo.jpeg_resync_to_restart, Pointer)
    decompress.src = c.pointer(source_manager)
    try:
        turbo.jpeg_read_header(c.byref(decompress), 1)
        decompress.out_color_space, decompress.scale_denom = layout, scale
        is_one_scan = not turbo.jpeg_has_multiple_scans(c.byref(decompress))
        turbo.jpeg_start_decompress(c.byref(decompress))
        yield Rows(decompress, is_one_scan=is_one_scan)
    finally:
        turbo.jpeg_destroy_decompress(c.byref(decompress))
