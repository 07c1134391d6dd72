"""libjpeg-turbo as ctypes sees it: the copy that Pillow has loaded, with the structures of ``jpeglib.h`` at its ABI 62."""

from __future__ import annotations

import ctypes as c
from functools import cache
from typing import Any

from PIL import (
    _imaging,  # noqa: F401  (importing it makes the loader map libjpeg)
    features,
)

from backend.codec.native import loader

ABI, STRUCTURE_BYTES = 62, 632
"""JPEG_LIB_VERSION, and what a jpeg_decompress_struct of it takes where pointers have eight bytes; the library compares both."""
Pointer = c.c_void_p


class ErrorManager(c.Structure):
    """jpeg_error_mgr."""


class SourceManager(c.Structure):
    """jpeg_source_mgr."""


class Decompress(c.Structure):
    """jpeg_decompress_struct, as far as ``restart_interval``."""


class ComponentInfo(c.Structure):
    """jpeg_component_info. ``quant_table`` is set once a scan of the component has begun."""

    _fields_ = [("numbers", c.c_int * 20), ("quant_table", Pointer), ("dct_table", Pointer)]


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
    ("input_scan_number", c.c_int),
    ("input_iMCU_row", c.c_uint),
    ("output_scan_number", c.c_int),
    ("output_iMCU_row", c.c_uint),
    ("padding", c.c_uint),
    ("coef_bits", c.POINTER(c.c_int)),
    ("tables", Pointer * 12),
    ("data_precision", c.c_int),
    ("padding_too", c.c_uint),
    ("comp_info", Pointer),
    ("progressive_mode", c.c_int),
    ("arith_code", c.c_int),
    ("arith_conditioning", c.c_ubyte * 48),
    ("restart_interval", c.c_uint),
]
_known_bytes = sum(c.sizeof(each[1]) for each in _KNOWN)  # what the compiler pads is named
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
    loader.declare(found, "jpeg_mem_src", None, decompress, c.c_char_p, c.c_ulong)
    loader.declare(found, "jpeg_has_multiple_scans", c.c_int, decompress)
    loader.declare(found, "jpeg_start_decompress", c.c_int, decompress)
    loader.declare(found, "jpeg_read_scanlines", c.c_uint, Pointer, Pointer, c.c_uint)
    loader.declare(found, "jpeg_destroy_decompress", None, decompress)
    return found
