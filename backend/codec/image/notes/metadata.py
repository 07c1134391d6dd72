"""Which metadata of a source goes into its result: none by default, notes on rights, or all of it.

It is carried and not rebuilt: the bytes of a note stay as they are. The EXIF orientation is reset where it was applied. Colours are sRGB by then:
a source with a profile gets sRGB's own, one without gets none. WebP has no place for IPTC, so it goes into EXIF, as in a TIFF file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.codec.encoders.encoder import Metadata
from backend.codec.image.colour import SRGB_PROFILE
from backend.codec.image.notes import iptc, tiff_fields, xmp
from backend.codec.image.notes.notes import Notes
from backend.codec.image.notes.tiff_fields import ARTIST, ASCII, COPYRIGHT, IPTC, ORIENTATION, UNDEFINED, Field, NotTiff
from backend.core.options import Options

MAX_BYTES = 1 << 20
"""Of EXIF and of XMP each; what is larger is left out."""
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\d")


@dataclass(frozen=True, slots=True)
class Carried:
    """``dropped`` names what the result should have had and has not: what was asked for, and what no output format can hold."""

    metadata: Metadata
    dropped: tuple[str, ...]


def carry(notes: Notes, options: Options) -> Carried:
    metadata, dropped = _CHOICES[options.metadata](notes, options)
    return Carried(metadata, tuple(sorted({*dropped, *notes.extras})))


def _none(_notes: Notes, _options: Options) -> tuple[Metadata, set[str]]:
    return Metadata(), set()


def _all(notes: Notes, options: Options) -> tuple[Metadata, set[str]]:
    exif, dropped = _exif(notes, options)
    packet = _XMP_ORIENTATION.sub(rb"\g<1>1", notes.xmp) if options.auto_orient else notes.xmp
    if len(packet) > MAX_BYTES:
        packet, dropped = b"", dropped | {"xmp"}
    return Metadata(SRGB_PROFILE if notes.profile else b"", exif, packet), dropped


def _exif(notes: Notes, options: Options) -> tuple[bytes, set[str]]:
    block, dropped = notes.exif, set()
    try:
        if block and options.auto_orient:
            block = tiff_fields.with_number(block, ORIENTATION, 1)
    except NotTiff:
        block, dropped = b"", {"exif"}
    if len(block) > MAX_BYTES:
        block, dropped = b"", {"exif"}
    if not notes.iptc:
        return block, dropped
    note = Field(IPTC, UNDEFINED, len(notes.iptc), notes.iptc)
    joined = tiff_fields.with_field(block, note) if block else tiff_fields.block_of([note])
    return (joined, dropped) if len(joined) <= MAX_BYTES else (block, dropped | {"iptc"})


def _copyright(notes: Notes, _options: Options) -> tuple[Metadata, set[str]]:
    """In EXIF, which every reader knows, wherever the source has them; and what XMP says of rights as XMP."""
    properties = xmp.rights_in(notes.xmp)
    told = {
        COPYRIGHT: xmp.text_of(properties, xmp.RIGHTS) or iptc.text_of(notes.iptc, iptc.COPYRIGHT),
        ARTIST: xmp.text_of(properties, xmp.CREATOR) or iptc.text_of(notes.iptc, iptc.CREATOR),
    }
    fields, order = _fields_in(notes.exif)
    for tag, text in told.items():
        if tag not in fields and text:
            value = text.encode("utf-8", "replace") + b"\0"
            fields[tag] = Field(tag, ASCII, len(value), value)
    parts = {"exif": tiff_fields.block_of(fields.values(), order), "xmp": xmp.packet_of(properties)}
    fitting = {name: part for name, part in parts.items() if len(part) <= MAX_BYTES}
    return Metadata(exif=fitting.get("exif", b""), xmp=fitting.get("xmp", b"")), parts.keys() - fitting.keys()


def _fields_in(block: bytes) -> tuple[dict[int, Field], tiff_fields.Order]:
    """The notes on rights in EXIF, without those that are empty."""
    try:
        directory = tiff_fields.read(block)
    except NotTiff:
        return {}, "little"
    found = {tag: directory.fields[tag] for tag in (ARTIST, COPYRIGHT) if tag in directory.fields}
    return {tag: field for tag, field in found.items() if field.value.strip(b"\0 ")}, directory.order


_CHOICES = {"none": _none, "copyright": _copyright, "all": _all}
