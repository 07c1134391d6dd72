"""The pixels of a JPEG, straight into a Pillow image's memory."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable

from PIL import Image

from backend import errors
from backend.codec.geometry import Size
from backend.codec.native import arrow_buffer, libjpeg
from backend.codec.native.source import Source

OnShare = Callable[[float], None]
STRIP_BYTES = 256 << 10
LAYOUTS = {"L": libjpeg.GREY, "RGB": libjpeg.RGBX, "CMYK": libjpeg.CMYK}


class Shares:
    """Rows tell how much is done. A progressive file is read as a whole before its first row, which is half of the time."""

    def __init__(self, source: Source, is_progressive: bool, on_share: OnShare) -> None:
        self._from, self._on_share = (0.5 if is_progressive else 0.0), on_share
        source.on_read = (lambda share: on_share(share / 2)) if is_progressive else None

    def on_rows(self, share: float) -> None:
        self._on_share(self._from + (1 - self._from) * share)


def read_pixels(source: Source, mode: str, size: Size, scale: int, on_share: OnShare) -> Image.Image:
    """At 1/``scale``, where ``size`` is the result's, in a ``mode`` of ``LAYOUTS``. Raises ``DamagedImage``, ``MemoryError``.

    CMYK is stored inverted, as Adobe does, whether a marker of Adobe is there or not: so do browsers read it. Pillow has to allocate images in one
    block (``arrow_buffer.allocate_in_one_block``).
    """
    image = Image.new(mode, size, None)
    with libjpeg.open_rows(source, LAYOUTS[mode], scale) as rows, arrow_buffer.lend(image) as lent:
        if lent.is_copy:
            raise MemoryError("the picture lies in several blocks")
        if (rows.width, rows.height) != size:
            raise errors.DamagedImage(private=f"libjpeg: {rows.width} × {rows.height}, the header: {size}")
        _read_strips(rows, lent, lambda top, bottom: _on_strip(image, lent, top, bottom, on_share))
        rows.finish()
    return image


def _read_strips(rows: libjpeg.Rows, lent: arrow_buffer.LentBuffer, on_strip: Callable[[int, int], None]) -> None:
    """``on_strip`` is called with each strip's first row and the row after its last."""
    strip_rows = max(1, STRIP_BYTES // lent.stride_bytes)
    for top in range(0, rows.height, strip_rows):
        bottom = min(rows.height, top + strip_rows)
        begin, end = (lent.address + row * lent.stride_bytes for row in (top, bottom))
        rows.read_into((c.c_void_p * (bottom - top))(*range(begin, end, lent.stride_bytes)), bottom - top)
        on_strip(top, bottom)


def _on_strip(image: Image.Image, lent: arrow_buffer.LentBuffer, top: int, bottom: int, on_share: OnShare) -> None:
    if image.mode == "CMYK":
        stored = c.string_at(lent.address + top * lent.stride_bytes, (bottom - top) * lent.stride_bytes)
        image.paste(Image.frombytes("CMYK", (image.width, bottom - top), stored, "raw", "CMYK;I"), (0, top))
    on_share(bottom / image.height)
