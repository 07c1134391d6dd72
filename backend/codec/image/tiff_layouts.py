"""Has Pillow read the layouts of TIFF samples that ``core/image_headers/tiff.py`` lets through."""

from __future__ import annotations

from PIL import TiffImagePlugin

_BIG_ENDIAN, _WHITE_IS_ZERO, _UNSIGNED = TiffImagePlugin.MM, 0, (1,)
_AS_STORED, _BITS_REVERSED = 1, 2
_SIXTEEN_BITS = ("I;16B", "I;16B")


def prepare() -> None:
    """To be called once, before any TIFF is opened.

    Pillow's own reader of uncompressed data takes planes of 16 bits for bytes and does not know subsampled chroma, so libtiff reads them. It also
    reverses bits, which Pillow's table leaves out for most layouts.
    """
    TiffImagePlugin.READ_LIBTIFF = True
    known = TiffImagePlugin.OPEN_INFO
    known[_BIG_ENDIAN, _WHITE_IS_ZERO, _UNSIGNED, _AS_STORED, (16,), ()] = _SIXTEEN_BITS
    for (order, photometric, kind, fill_order, bits, extra), modes in list(known.items()):
        if fill_order == _AS_STORED:
            known.setdefault((order, photometric, kind, _BITS_REVERSED, bits, extra), modes)
