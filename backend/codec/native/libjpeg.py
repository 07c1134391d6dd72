"""libjpeg-turbo through ctypes: the copy that Pillow has loaded, row by row, with the structures of ``jpeglib.h`` at its ABI 62.

Pillow decodes a picture as a whole. Here rows can be used up as they come. The same library with the same (default) settings: the pixels are equal.

libjpeg ends a decode that it gives up by a call that must not return. So this is for processes that may end then and there: ``on_fatal`` tells why,
and the process ends with code 0.
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
    """``None`` where it is another libjpeg: then Pillow decodes all."""
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
    """The one file that libjpeg reads; its callbacks are made before the seal, since they need memory that can be run."""

    source: Source
    buffer = c.create_string_buffer(INPUT_BYTES)
    is_cut = False
    on_fatal: Callable[[errors.GatewayError], None] = lambda _error: None


def end_with(tell: Callable[[errors.GatewayError], None]) -> None:
    """``tell`` is the last thing that happens when libjpeg gives up."""
    _Reading.on_fatal = tell


def _give_up(decompress: c._Pointer[Decompress]) -> None:
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
        _Reading.is_cut, count = True, len(END_OF_IMAGE)
        c.memmove(_Reading.buffer, END_OF_IMAGE, count)
    source = decompress.contents.src.contents
    source.next_input_byte, source.bytes_in_buffer = c.addressof(_Reading.buffer), count
    return 1


def _skip(decompress: c._Pointer[Decompress], count: int) -> None:
    source = decompress.contents.src.contents
    while count > source.bytes_in_buffer and not _Reading.is_cut:
        count -= source.bytes_in_buffer
        _fill(decompress)
    step = min(max(0, count), source.bytes_in_buffer)
    source.next_input_byte += step
    source.bytes_in_buffer -= step


_GIVE_UP, _FILL, _SKIP, _NOTHING = OnError(_give_up), Fill(_fill), Skip(_skip), OnError(lambda _decompress: None)


class Rows:
    """``into`` writes the next rows; a fourth byte is 255."""

    def __init__(self, decompress: Decompress) -> None:
        self._decompress = c.byref(decompress)
        self.width, self.height = decompress.output_width, decompress.output_height

    def into(self, addresses: c.Array[c.c_void_p], count: int) -> None:
        """Raises ``DamagedImage`` where the file ends before."""
        read, begin, done = library().jpeg_read_scanlines, c.addressof(addresses), 0  # type: ignore[union-attr]
        while done < count:
            got = read(self._decompress, begin + c.sizeof(Pointer) * done, count - done)
            if not got or _Reading.is_cut:
                raise _cut()
            done += got

    def finish(self) -> None:
        """After the last row: what follows it is read too, so that the same files are damaged as for Pillow."""
        library().jpeg_finish_decompress(self._decompress)  # type: ignore[union-attr]


@contextmanager
def rows_of(source: Source, layout: int) -> Iterator[Rows]:
    """Of a colour JPEG that Pillow has opened, from its first byte. ``layout``: ``RGB`` or ``RGBX``. Raises ``DamagedImage``."""
    turbo, decompress, errors_to, read_from = library(), Decompress(), ErrorManager(), SourceManager()
    assert turbo is not None
    source.seek(0)
    _Reading.source, _Reading.is_cut = source, False
    turbo.jpeg_std_error(c.byref(errors_to))
    errors_to.error_exit, errors_to.output_message = _GIVE_UP, _NOTHING
    decompress.err = c.pointer(errors_to)
    turbo.jpeg_CreateDecompress(c.byref(decompress), ABI, STRUCTURE_BYTES)
    read_from.init_source = read_from.term_source = _NOTHING
    read_from.fill_input_buffer, read_from.skip_input_data = _FILL, _SKIP
    read_from.resync_to_restart = c.cast(turbo.jpeg_resync_to_restart, Pointer)
    decompress.src = c.pointer(read_from)
    try:
        if turbo.jpeg_read_header(c.byref(decompress), 1) != 1:
            raise _cut()
        decompress.out_color_space = layout
        if not turbo.jpeg_start_decompress(c.byref(decompress)) or _Reading.is_cut:
            raise _cut()
        yield Rows(decompress)
    finally:
        turbo.jpeg_destroy_decompress(c.byref(decompress))


def _cut() -> errors.DamagedImage:
    return errors.DamagedImage(private="libjpeg: the file is cut off")
