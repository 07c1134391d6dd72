"""Which metadata of a source goes into its result: none by default, notes on rights, or all of it.

It is carried and not rebuilt: the bytes of a note stay as they are. The EXIF orientation is reset where it was applied. Colours are sRGB by then:
a source with a profile gets sRGB's own, one without gets none. Where a format has no place for IPTC, it goes into EXIF, as in a TIFF file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backend.codec.encoders.encoder import Metadata
from backend.codec.image.colour import SRGB_PROFILE
from backend.codec.image.notes import iptc, tiff_fields, xmp
from backend.codec.image.notes.notes import Notes
from backend.codec.image.notes.tiff_fields import ARTIST, ASCII, COPYRIGHT, IPTC, ORIENTATION, UNDEFINED, Field, NotTiff
from backend.core.formats import MAX_NOTE_BYTES, OUTPUT, OutputFormat
from backend.core.options import Options

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
    output = OUTPUT[options.format]
    parts = {"exif": _exif(notes, options), "xmp": _XMP_ORIENTATION.sub(rb"\g<1>1", notes.xmp) if options.auto_orient else notes.xmp}
    parts["iptc"] = notes.iptc if output.has_iptc else b""
    fitting, dropped = _fitting(parts, output)
    if notes.exif and not fitting["exif"]:
        dropped |= {"exif"}
    if notes.iptc and not output.has_iptc:
        joined = _with_iptc(fitting["exif"], notes.iptc)
        fitting["exif"], dropped = (joined, dropped) if len(joined) <= output.max_exif_bytes else (fitting["exif"], dropped | {"iptc"})
    return Metadata(SRGB_PROFILE if notes.profile else b"", **fitting), dropped


def _exif(notes: Notes, options: Options) -> bytes:
    """Empty where it cannot be read and had to be changed."""
    try:
        return tiff_fields.with_number(notes.exif, ORIENTATION, 1) if notes.exif and options.auto_orient else notes.exif
    except NotTiff:
        return b""


def _with_iptc(block: bytes, iptc_bytes: bytes) -> bytes:
    note = Field(IPTC, UNDEFINED, len(iptc_bytes), iptc_bytes)
    return tiff_fields.with_field(block, note) if block else tiff_fields.block_of([note])


def _fitting(parts: Mapping[str, bytes], output: OutputFormat) -> tuple[dict[str, bytes], set[str]]:
    """The parts, of which those that are too large are empty, and the names of these."""
    dropped = {name for name, part in parts.items() if len(part) > (output.max_exif_bytes if name == "exif" else MAX_NOTE_BYTES)}
    return {name: b"" if name in dropped else part for name, part in parts.items()}, dropped


def _copyright(notes: Notes, options: Options) -> tuple[Metadata, set[str]]:
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
    fitting, dropped = _fitting(parts, OUTPUT[options.format])
    return Metadata(**fitting), dropped


def _fields_in(block: bytes) -> tuple[dict[int, Field], tiff_fields.Order]:
    """The notes on rights in EXIF, without those that are empty."""
    try:
        directory = tiff_fields.read(block)
    except NotTiff:
        return {}, "little"
    found = {tag: directory.fields[tag] for tag in (ARTIST, COPYRIGHT) if tag in directory.fields}
    return {tag: field for tag, field in found.items() if field.value.strip(b"\0 ")}, directory.order


_CHOICES = {"none": _none, "copyright": _copyright, "all": _all}
