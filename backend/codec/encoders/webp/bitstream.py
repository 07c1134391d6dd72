"""One picture into one WebP bitstream, with libwebp's own percent. The bytes equal those of Pillow's ``save`` at the same settings."""

from __future__ import annotations

import ctypes as c
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from backend import errors
from backend.codec.native import arrow_buffer, libwebp
from backend.codec.resource_limits import is_lossless
from backend.core.formats import OUTPUT
from backend.core.options import Options

OnPercent = Callable[[int], None]
LOSSLESS_EFFORT = 75.0
"""libwebp's default: for the lossless encoder, quality is how hard it tries."""


class TooSlow(Exception):
    """The encode was given up, since its time was over."""


class _Listener:
    """Holds the listener of the encode under way, and when that is given up."""

    on_percent: OnPercent | None = None
    ends_at_s = math.inf


def _pass_on(percent: int, _picture: object) -> int:
    if _Listener.on_percent is not None:
        _Listener.on_percent(percent)
    return int(time.monotonic() < _Listener.ends_at_s)


_HOOK = libwebp.Hook(_pass_on)
"""Made once, before any child is sealed: a ctypes callback needs executable memory, which a sealed process cannot get."""


def config_for(options: Options, quality: float) -> libwebp.Config:
    """The settings that Pillow would use, and those that it does not offer."""
    config = libwebp.new_config(quality)
    config.method = int(options.method)
    config.lossless = int(is_lossless(options))
    config.near_lossless = 100 if options.near_lossless is None else options.near_lossless
    config.alpha_quality = options.alpha_quality
    config.use_sharp_yuv = int(options.sharp_yuv)
    if not libwebp.encoder().WebPValidateConfig(c.byref(config)):
        raise errors.Internal(private=f"libwebp refuses its settings for {options}")
    return config


@contextmanager
def import_picture(image: Image.Image, *, argb: bool) -> Iterator[libwebp.Picture]:
    """Copy the pixels into libwebp: as ARGB (for lossless and sharp YUV), else converted to YUV. ``image`` may be closed afterwards."""
    picture = libwebp.new_picture()
    picture.width, picture.height, picture.use_argb = image.width, image.height, int(argb)
    try:
        with arrow_buffer.lend(image) as lent:
            importer = libwebp.importer(lent.layout)
            if not importer(c.byref(picture), lent.address, lent.stride_bytes):
                raise MemoryError("libwebp has no memory for the picture")
        yield picture
    finally:
        libwebp.encoder().WebPPictureFree(c.byref(picture))


@contextmanager
def encode(picture: libwebp.Picture, config: libwebp.Config, on_percent: OnPercent, *, within_s: float = math.inf) -> Iterator[memoryview]:
    """The WebP file in memory that libwebp owns, valid until the context ends. Raises an error of the contract, and ``TooSlow`` once ``within_s``
    is over."""
    library = libwebp.encoder()
    writer = libwebp.MemoryWriter()
    library.WebPMemoryWriterInit(c.byref(writer))
    try:
        _Listener.ends_at_s = time.monotonic() + within_s
        _encode_into(writer, picture, config, on_percent)
        _Listener.ends_at_s = math.inf
        yield memoryview((c.c_ubyte * writer.size).from_address(writer.mem)).cast("B")
    finally:
        library.WebPMemoryWriterClear(c.byref(writer))


def _encode_into(writer: libwebp.MemoryWriter, picture: libwebp.Picture, config: libwebp.Config, on_percent: OnPercent) -> None:
    library = libwebp.encoder()
    listen(picture, on_percent)
    picture.writer = c.cast(library.WebPMemoryWrite, c.c_void_p)
    picture.custom_ptr = c.addressof(writer)
    if library.WebPEncode(c.byref(config), c.byref(picture)):
        return None
    if picture.error_code == libwebp.PARTITION0_OVERFLOW and not config.partition_limit:
        config.partition_limit = 100
        library.WebPMemoryWriterClear(c.byref(writer))
        return _encode_into(writer, picture, config, on_percent)
    _Listener.ends_at_s = math.inf
    raise TooSlow if picture.error_code == libwebp.USER_ABORT else error_for(picture.error_code, picture.width, picture.height)


def listen(picture: libwebp.Picture, on_percent: OnPercent) -> None:
    """Have the next encode of ``picture`` call ``on_percent``."""
    _Listener.on_percent = on_percent
    picture.progress_hook = _HOOK


def error_for(code: int, width: int, height: int) -> errors.GatewayError:
    """libwebp's error code as an error of the contract."""
    if code in (libwebp.OUT_OF_MEMORY, libwebp.BITSTREAM_OUT_OF_MEMORY):
        return errors.TooManyPixels("memory")
    if code == libwebp.BAD_DIMENSION:
        return errors.InvalidOption("side", width=width, height=height, limit=OUTPUT["webp"].max_side, format=OUTPUT["webp"].source.label)
    return errors.Internal(private=f"libwebp error {code} at {width} × {height}")
