"""libjpeg-turbo through ctypes: the copy that Pillow has loaded, row by row, with the structures of ``jpeglib.h`` at its ABI 62.

Pillow decodes a picture as a whole; here rows can be used as they come. The library and its settings (the defaults) are Pillow's, so the pixels
are equal.

On a fatal error libjpeg calls ``error_exit``, which must not return. So the process ends there, with code 0, after ``on_fatal`` has reported
the error: use this only in a process that may end at any time.
"""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from PIL import (
    _imaging,  # noqa: F401  (importing it makes the loader map libjpeg)
    features,
)

from backend import errors
from backend.codec.native import loader
from backend.codec.native.source import Source

ABI, STRUCTURE_BYTES = 62, 632
"""JPEG_LIB_VERSION, and what a jpeg_decompress_struct of it takes where pointers have eight bytes; the library compares both."""
RGB, RGBX = 2, 7
"""JCS_RGB, three bytes a pixel, and libjpeg-turbo's own JCS_EXT_RGBX, four."""
INPUT_BYTES = 64 << 10
END_OF_IMAGE = b"\xff\xd9"
MESSAGE_BYTES = 200
Pointer = c.c_void_p


class ErrorManager(c.Structure):
    """jpeg_error_mgr."""


class SourceManager(c.Structure):
    """jpeg_source_mgr."""


class Decompress(c.Structure):
    """jpeg_decompress_struct, as far as ``output_scanline``."""


OnError = c.CFUNCTYPE(None, c.POINTER(Decompress))
Fill = c.CFUNCTYPE(c.c_int, c.POINTER(Decompress))
Skip = c.CFUNCTYPE(None, c.POINTER(Decompress), c.c_long)
Format = c.CFUNCTYPE(None, Pointer, c.c_char_p)

ErrorManager._fields_ = [
    ("error_exit", OnError),
    ("emit_message", Pointer),
    ("output_message", OnError),
    ("format_message", Format),
    ("reset_error_mgr", Pointer),
    ("msg_code", c.c_int),
    ("msg_parm", c.c_char * 80),
    ("trace_level", c.c_int),
    ("num_warnings", c.c_long),
    ("tables", Pointer * 6),
]
SourceManager._fields_ = [
    ("next_input_byte", Pointer),
    ("bytes_in_buffer", c.c_size_t),
    ("init_source", OnError),
    ("fill_input_buffer", Fill),
    ("skip_input_data", Skip),
    ("resync_to_restart", Pointer),
    ("term_source", OnError),
]
_KNOWN: list[tuple[str, Any]] = [
    ("err", c.POINTER(ErrorManager)),
    ("mem", Pointer),
    ("progress", Pointer),
    ("client_data", Pointer),
    ("is_decompressor", c.c_int),
    ("global_state", c.c_int),
    ("src", c.POINTER(SourceManager)),
    ("image_width", c.c_uint),
    ("image_height", c.c_uint),
    ("num_components", c.c_int),
    ("jpeg_color_space", c.c_int),
    ("out_color_space", c.c_int),
    ("scale_num", c.c_uint),
    ("scale_denom", c.c_uint),
    ("output_gamma", c.c_double),
    ("switches", c.c_int * 12),
    ("output_width", c.c_uint),
    ("output_height", c.c_uint),
    ("out_color_components", c.c_int),
    ("output_components", c.c_int),
    ("rec_outbuf_height", c.c_int),
    ("actual_number_of_colors", c.c_int),
    ("colormap", Pointer),
    ("output_scanline", c.c_uint),
]
_known_bytes = sum(c.sizeof(each[1]) for each in _KNOWN)  # nothing is padded between them
Decompress._fields_ = [*_KNOWN, ("others", c.c_ubyte * (STRUCTURE_BYTES - _known_bytes))]


@cache
def library() -> c.CDLL | None:
    """``None`` where Pillow has another libjpeg; then Pillow decodes everything."""
    if c.sizeof(Pointer) != 8 or not features.check_feature("libjpeg_turbo"):
        return None
    try:
        found = c.CDLL(loader.path("jpeg", rf"\.{ABI}(?:\.\d+)*"))
    except loader.Unusable:
        return None
    decompress = c.POINTER(Decompress)
    loader.declare(found, "jpeg_std_error", Pointer, c.POINTER(ErrorManager))
    loader.declare(found, "jpeg_CreateDecompress", None, decompress, c.c_int, c.c_size_t)
    loader.declare(found, "jpeg_read_header", c.c_int, decompress, c.c_int)
    loader.declare(found, "jpeg_start_decompress", c.c_int, decompress)
    loader.declare(found, "jpeg_read_scanlines", c.c_uint, decompress, Pointer, c.c_uint)
    loader.declare(found, "jpeg_finish_decompress", c.c_int, decompress)
    loader.declare(found, "jpeg_destroy_decompress", None, decompress)
    return found


class _Reading:
    """The one file that libjpeg reads. Its callbacks are made before the process is sealed, since they need executable memory."""

    source: Source
    buffer = c.create_string_buffer(INPUT_BYTES)
    is_truncated = False
    on_fatal: Callable[[errors.GatewayError], None] = lambda _error: None


def set_on_fatal(on_fatal: Callable[[errors.GatewayError], None]) -> None:
    """``on_fatal`` is called before the process ends because of a fatal error of libjpeg."""
    _Reading.on_fatal = on_fatal


def _exit_on_error(decompress: c._Pointer[Decompress]) -> None:
    try:
        message = c.create_string_buffer(MESSAGE_BYTES)
        decompress.contents.err.contents.format_message(decompress, message)
        said = message.value.decode(errors="replace")
        is_memory = said.startswith("Insufficient memory")
        _Reading.on_fatal(errors.TooManyPixels("memory", private=said) if is_memory else errors.DamagedImage(private=said))
    finally:
        os._exit(0)


def _fill(decompress: c._Pointer[Decompress]) -> int:
    try:
        count = _Reading.source.readinto(_Reading.buffer)
    except OSError:
        count = 0
    if not count:
        _Reading.is_truncated, count = True, len(END_OF_IMAGE)
        c.memmove(_Reading.buffer, END_OF_IMAGE, count)
    source = decompress.contents.src.contents
    source.next_input_byte, source.bytes_in_buffer = c.addressof(_Reading.buffer), count
    return 1


def _skip(decompress: c._Pointer[Decompress], count: int) -> None:
    source = decompress.contents.src.contents
    while count > source.bytes_in_buffer and not _Reading.is_truncated:
        count -= source.bytes_in_buffer
        _fill(decompress)
    step = min(max(0, count), source.bytes_in_buffer)
    source.next_input_byte += step
    source.bytes_in_buffer -= step


_EXIT, _FILL, _SKIP, _NOTHING = OnError(_exit_on_error), Fill(_fill), Skip(_skip), OnError(lambda _decompress: None)


class Rows:
    """A picture under way, from its first row to its last."""

    def __init__(self, decompress: Decompress) -> None:
        self._decompress = c.byref(decompress)
        self.width, self.height = decompress.output_width, decompress.output_height

    def read_into(self, addresses: c.Array[c.c_void_p], count: int) -> None:
        """Write the next ``count`` rows to ``addresses``; a fourth byte a pixel is 255. Raises ``DamagedImage`` where the file ends before."""
        read, begin, done = library().jpeg_read_scanlines, c.addressof(addresses), 0  # type: ignore[union-attr]
        while done < count:
            got = read(self._decompress, begin + c.sizeof(Pointer) * done, count - done)
            if not got or _Reading.is_truncated:
                raise _truncation_error()
            done += got

    def finish(self) -> None:
        """To be called after the last row: reads what follows, so that the same files count as damaged as in Pillow."""
        library().jpeg_finish_decompress(self._decompress)  # type: ignore[union-attr]


@contextmanager
def open_rows(source: Source, layout: int) -> Iterator[Rows]:
    """The rows of a colour JPEG that Pillow has opened. ``layout`` is ``RGB`` or ``RGBX``. Raises ``DamagedImage``."""
    turbo, decompress, error_manager, source_manager = library(), Decompress(), ErrorManager(), SourceManager()
    assert turbo is not None
    source.seek(0)
    _Reading.source, _Reading.is_truncated = source, False
    turbo.jpeg_std_error(c.byref(error_manager))
    error_manager.error_exit, error_manager.output_message = _EXIT, _NOTHING
    decompress.err = c.pointer(error_manager)
    turbo.jpeg_CreateDecompress(c.byref(decompress), ABI, STRUCTURE_BYTES)
    source_manager.init_source = source_manager.term_source = _NOTHING
    source_manager.fill_input_buffer, source_manager.skip_input_data = _FILL, _SKIP
    source_manager.resync_to_restart = c.cast(turbo.jpeg_resync_to_restart, Pointer)
    decompress.src = c.pointer(source_manager)
    try:
        if turbo.jpeg_read_header(c.byref(decompress), 1) != 1:
            raise _truncation_error()
        decompress.out_color_space = layout
        if not turbo.jpeg_start_decompress(c.byref(decompress)) or _Reading.is_truncated:
            raise _truncation_error()
        yield Rows(decompress)
    finally:
        turbo.jpeg_destroy_decompress(c.byref(decompress))


def _truncation_error() -> errors.DamagedImage:
    return errors.DamagedImage(private="libjpeg: the file is cut off")
