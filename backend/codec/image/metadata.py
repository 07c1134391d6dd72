"""Which metadata of a source goes into its result: none by default, copyright notices, or all of it.

The EXIF orientation is reset where it was applied. Colours are sRGB by then: a source with a profile gets sRGB's own, one without gets none.
"""

from __future__ import annotations

import re

from PIL import Image

from backend.codec.encoders.encoder import Metadata
from backend.codec.image.colour import SRGB_PROFILE
from backend.codec.image.notes import Notes
from backend.core.options import Options

MAX_BYTES = 1 << 20
"""Of EXIF and of XMP each; what is larger is left out."""
_ORIENTATION, _ARTIST, _COPYRIGHT = 0x0112, 0x013B, 0x8298
_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))\d')


def metadata_for(notes: Notes, options: Options) -> Metadata:
    """What cannot be read is left out."""
    if options.metadata == "none":
        return Metadata()
    exif = _exif(notes, options)
    if options.metadata == "copyright":
        return Metadata(exif=exif)
    return Metadata(SRGB_PROFILE if notes.profile else b"", exif, _xmp(notes, options))


def _exif(notes: Notes, options: Options) -> bytes:
    given = Image.Exif()
    try:
        given.load(notes.exif)
        tags = given if options.metadata == "all" else _only(given, (_ARTIST, _COPYRIGHT))
        if _ORIENTATION in tags and options.auto_orient:
            tags[_ORIENTATION] = 1
        packed = tags.tobytes() if len(tags) else b""
    except Exception:  # a process edge: EXIF is untrusted, and a picture is no worse without it
        return b""
    return packed.removeprefix(b"Exif\0\0") if len(packed) <= MAX_BYTES else b""


def _only(given: Image.Exif, wanted: tuple[int, ...]) -> Image.Exif:
    result = Image.Exif()
    for tag in wanted:
        if given.get(tag):
            result[tag] = given[tag]
    return result


def _xmp(notes: Notes, options: Options) -> bytes:
    packet = _XMP_ORIENTATION.sub(rb"\g<1>1", notes.xmp) if options.auto_orient else notes.xmp
    return packet if len(packet) <= MAX_BYTES else b""
