"""libwebp through ctypes: the copy that Pillow has loaded, with the structures of ``src/webp/encode.h`` and ``mux.h`` (1.3.2 to 1.6).

Pillow never sets libwebp's progress hook, so it cannot report an encode's progress. Here the same library is called with the same settings and
the hook set; the bytes are equal. ctypes releases the interpreter lock during the call, and the hook takes it for a moment.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from functools import cache

from PIL import (
    Image,
    _webp,  # noqa: F401  (importing it makes the loader map libwebp)
)

from backend.codec.native import loader

ABI = 0x020F
"""WEBP_ENCODER_ABI_VERSION of the structures below; the library refuses another major part."""
OLDEST = (1, 3, 2)
"""The first without CVE-2023-4863."""
MUX_ABI = 0x0109


class Config(c.Structure):
    """WebPConfig."""

    _fields_ = [
        ("lossless", c.c_int),
        ("quality", c.c_float),
        ("method", c.c_int),
        ("image_hint", c.c_int),
        ("target_size", c.c_int),
        ("target_psnr", c.c_float),
        ("segments", c.c_int),
        ("sns_strength", c.c_int),
        ("filter_strength", c.c_int),
        ("filter_sharpness", c.c_int),
        ("filter_type", c.c_int),
        ("autofilter", c.c_int),
        ("alpha_compression", c.c_int),
        ("alpha_filtering", c.c_int),
        ("alpha_quality", c.c_int),
        ("passes", c.c_int),
        ("show_compressed", c.c_int),
        ("preprocessing", c.c_int),
        ("partitions", c.c_int),
        ("partition_limit", c.c_int),
        ("emulate_jpeg_size", c.c_int),
        ("thread_level", c.c_int),
        ("low_memory", c.c_int),
        ("near_lossless", c.c_int),
        ("exact", c.c_int),
        ("use_delta_palette", c.c_int),
        ("use_sharp_yuv", c.c_int),
        ("qmin", c.c_int),
        ("qmax", c.c_int),
    ]


class Picture(c.Structure):
    """WebPPicture."""


Hook = c.CFUNCTYPE(c.c_int, c.c_int, c.POINTER(Picture))
"""``(percent, picture)``; answering 0 ends the encode."""

Picture._fields_ = [
    ("use_argb", c.c_int),
    ("colorspace", c.c_int),
    ("width", c.c_int),
    ("height", c.c_int),
    ("y", c.c_void_p),
    ("u", c.c_void_p),
    ("v", c.c_void_p),
    ("y_stride", c.c_int),
    ("uv_stride", c.c_int),
    ("a", c.c_void_p),
    ("a_stride", c.c_int),
    ("pad1", c.c_uint32 * 2),
    ("argb", c.c_void_p),
    ("argb_stride", c.c_int),
    ("pad2", c.c_uint32 * 3),
    ("writer", c.c_void_p),
    ("custom_ptr", c.c_void_p),
    ("extra_info_type", c.c_int),
    ("extra_info", c.c_void_p),
    ("stats", c.c_void_p),
    ("error_code", c.c_int),
    ("progress_hook", Hook),
    ("user_data", c.c_void_p),
    ("pad3", c.c_uint32 * 3),
    ("pad4", c.c_void_p),
    ("pad5", c.c_void_p),
    ("pad6", c.c_uint32 * 8),
    ("memory_yuva", c.c_void_p),
    ("memory_argb", c.c_void_p),
    ("pad7", c.c_void_p * 2),
]


class MemoryWriter(c.Structure):
    """WebPMemoryWriter."""

    _fields_ = [("mem", c.c_void_p), ("size", c.c_size_t), ("max_size", c.c_size_t), ("pad", c.c_uint32)]


class Data(c.Structure):
    """WebPData."""

    _fields_ = [("bytes", c.c_void_p), ("size", c.c_size_t)]


class AnimOptions(c.Structure):
    """WebPAnimEncoderOptions, with WebPMuxAnimParams first."""

    _fields_ = [
        ("background", c.c_uint32),
        ("loop_count", c.c_int),
        ("minimize_size", c.c_int),
        ("kmin", c.c_int),
        ("kmax", c.c_int),
        ("allow_mixed", c.c_int),
        ("verbose", c.c_int),
        ("padding", c.c_uint32 * 4),
    ]


LAYOUTS = ("RGB", "RGBX", "RGBA")
"""Of pixels that are imported: the bytes of one pixel, in their order."""
# WebPEncodingError.
OUT_OF_MEMORY, BITSTREAM_OUT_OF_MEMORY, BAD_DIMENSION, PARTITION0_OVERFLOW, PARTITION_OVERFLOW, FILE_TOO_BIG, USER_ABORT = 1, 2, 5, 6, 7, 9, 10


class Unusable(loader.Unusable):
    """The installed libwebp is too old, or its structures differ from those declared here."""


@cache
def encoder() -> c.CDLL:
    """The library with its signatures declared. Raises ``Unusable``."""
    library = c.CDLL(loader.path("webp"))
    config, picture = c.POINTER(Config), c.POINTER(Picture)
    loader.declare(library, "WebPConfigInitInternal", c.c_int, config, c.c_int, c.c_float, c.c_int)
    loader.declare(library, "WebPValidateConfig", c.c_int, config)
    loader.declare(library, "WebPPictureInitInternal", c.c_int, picture, c.c_int)
    loader.declare(library, "WebPPictureAlloc", c.c_int, picture)
    loader.declare(library, "WebPPictureFree", None, picture)
    for layout in LAYOUTS:
        loader.declare(library, f"WebPPictureImport{layout}", c.c_int, picture, c.c_void_p, c.c_int)
    loader.declare(library, "WebPEncode", c.c_int, config, picture)
    loader.declare(library, "WebPMemoryWriterInit", None, c.POINTER(MemoryWriter))
    loader.declare(library, "WebPMemoryWriterClear", None, c.POINTER(MemoryWriter))
    loader.declare(library, "WebPGetEncoderVersion", c.c_int)
    loader.declare(library, "WebPFree", None, c.c_void_p)
    loader.declare(library, "WebPDecodeRGBAInto", c.c_void_p, c.c_char_p, c.c_size_t, c.c_void_p, c.c_size_t, c.c_int)
    loader.declare(library, "WebPGetInfo", c.c_int, c.c_char_p, c.c_size_t, c.POINTER(c.c_int), c.POINTER(c.c_int))
    _check(library)
    return library


@cache
def muxer() -> c.CDLL:
    """libwebpmux, for animations."""
    library = c.CDLL(loader.path("webpmux"))
    loader.declare(library, "WebPAnimEncoderOptionsInitInternal", c.c_int, c.POINTER(AnimOptions), c.c_int)
    loader.declare(library, "WebPAnimEncoderNewInternal", c.c_void_p, c.c_int, c.c_int, c.POINTER(AnimOptions), c.c_int)
    loader.declare(library, "WebPAnimEncoderAdd", c.c_int, c.c_void_p, c.POINTER(Picture), c.c_int, c.POINTER(Config))
    loader.declare(library, "WebPAnimEncoderAssemble", c.c_int, c.c_void_p, c.POINTER(Data))
    loader.declare(library, "WebPAnimEncoderGetError", c.c_char_p, c.c_void_p)
    loader.declare(library, "WebPAnimEncoderDelete", None, c.c_void_p)
    return library


def importer(layout: str) -> Callable[..., int]:
    """``WebPPictureImport…`` for a layout: ``(picture, address, stride_bytes)``; 0 where memory does not suffice."""
    function: Callable[..., int] = getattr(encoder(), f"WebPPictureImport{layout}")  # by index, ctypes would make one without the signature
    return function


def version() -> tuple[int, int, int]:
    return _version(encoder())


def new_config(quality: float) -> Config:
    config = Config()
    if not encoder().WebPConfigInitInternal(c.byref(config), 0, quality, ABI):
        raise Unusable("libwebp refuses the encoder ABI")
    return config


def new_picture() -> Picture:
    picture = Picture()
    if not encoder().WebPPictureInitInternal(c.byref(picture), ABI):
        raise Unusable("libwebp refuses the picture ABI")
    return picture


def decode(data: bytes) -> Image.Image:
    """A still that this library made, as RGBA, or as RGBX where it is a simple lossy file, which has no transparency. Raises ``Unusable``."""
    library, width, height = encoder(), c.c_int(), c.c_int()
    library.WebPGetInfo(data, len(data), c.byref(width), c.byref(height))
    pixels = bytearray(4 * width.value * height.value)
    lent = (c.c_char * len(pixels)).from_buffer(pixels)
    if not library.WebPDecodeRGBAInto(data, len(data), lent, len(pixels), 4 * width.value):
        raise Unusable("libwebp cannot read what it wrote")
    mode = "RGBX" if data[12:16] == b"VP8 " else "RGBA"
    return Image.frombuffer(mode, (width.value, height.value), pixels, "raw", mode, 0, 1)


def _check(library: c.CDLL) -> None:
    """The library itself compares the major ABI only; so look whether fields at the end of the structure hold their documented defaults."""
    if _version(library) < OLDEST:
        raise Unusable(f"libwebp {_version(library)} is older than {OLDEST}")
    config = Config()
    is_known = library.WebPConfigInitInternal(c.byref(config), 0, 75.0, ABI)
    if not is_known or (config.method, config.near_lossless, config.qmin, config.qmax) != (4, 100, 0, 100):
        raise Unusable("libwebp's WebPConfig has another layout")


def _version(library: c.CDLL) -> tuple[int, int, int]:
    packed = library.WebPGetEncoderVersion()
    return packed >> 16, packed >> 8 & 255, packed & 255
