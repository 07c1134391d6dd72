"""Metadata in a JPEG's application segments: EXIF and XMP (APP1), ICC profiles (APP2), IPTC (APP13). Pixels are not copied.

Exif 3.0 §4.7.2; XMP part 3 §1.1.3; ICC.1:2022 B.4; Adobe Photoshop File Formats, "Image resource blocks".

A segment holds 65 533 bytes. Longer profiles and IPTC are split, a longer XMP packet has an extended form. Longer EXIF has no place, and
``core/formats`` says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

from backend.codec.encoders.encoder import Metadata
from backend.core.formats import JPEG_SEGMENT_BYTES
from backend.core.options import Options

EXIF, XMP, EXTENDED_XMP, ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0", b"ICC_PROFILE\0"
PHOTOSHOP, IPTC_RESOURCE = b"Photoshop 3.0\0", b"8BIM\4\4\0\0"
"""The resource's mark, its number and its empty name."""
APP0, APP1, APP2, APP13 = 0xE0, 0xE1, 0xE2, 0xED
_MARKER_BYTES, _LENGTH_BYTES = 2, 2
"""Of SOI, and before each segment; a length counts itself."""
_EXTENSION_HEAD_BYTES = len(EXTENDED_XMP) + 32 + 4 + 4
_WRAPPER = re.compile(rb"<\?xpacket\b[^>]*\?>")
"""An extension has none (XMP part 3 §1.1.3.1)."""
_POINTER = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%b"/></rdf:RDF></x:xmpmeta>'
)


def of(metadata: Metadata, *, is_grey: bool) -> bytes:
    """All segments that ``metadata`` need. Its profile is for RGB, so a grey picture has none."""
    exif = [_segment(APP1, EXIF + metadata.exif)] if metadata.exif else []
    icc = [] if is_grey else _icc(metadata.icc)
    return b"".join((*exif, *_xmp(metadata.xmp), *icc, *_iptc(metadata.iptc)))


def parts(jpeg: bytes, segments: bytes) -> list[bytes | memoryview]:
    """The file with ``segments`` behind its JFIF header."""
    if not segments:
        return [jpeg]
    view, at = memoryview(jpeg), _MARKER_BYTES
    if jpeg[at + 1] == APP0:
        at += _MARKER_BYTES + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return [view[:at], segments, view[at:]]


def within_target(options: Options, segments: bytes) -> Options:
    """``target_bytes`` less what ``segments`` take of it."""
    if options.target_bytes is None:
        return options
    return replace(options, target_bytes=max(1, options.target_bytes - len(segments)))


def _xmp(packet: bytes) -> Iterator[bytes]:
    if not packet:
        return
    if len(XMP) + len(packet) <= JPEG_SEGMENT_BYTES:
        yield _segment(APP1, XMP + packet)
        return
    extension = _WRAPPER.sub(b"", packet).strip(b"\0 \t\r\n")
    guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode("ascii")
    yield _segment(APP1, XMP + _POINTER % guid)
    head, most_bytes = EXTENDED_XMP + guid + len(extension).to_bytes(4, "big"), JPEG_SEGMENT_BYTES - _EXTENSION_HEAD_BYTES
    for offset in range(0, len(extension), most_bytes):
        yield _segment(APP1, head + offset.to_bytes(4, "big") + extension[offset : offset + most_bytes])


def _icc(profile: bytes) -> list[bytes]:
    pieces = _pieces(profile, JPEG_SEGMENT_BYTES - len(ICC) - 2)
    return [_segment(APP2, ICC + bytes((number, len(pieces))) + piece) for number, piece in enumerate(pieces, 1)]


def _iptc(datasets: bytes) -> list[bytes]:
    if not datasets:
        return []
    resource = IPTC_RESOURCE + len(datasets).to_bytes(4, "big") + datasets + b"\0" * (len(datasets) % 2)
    return [_segment(APP13, PHOTOSHOP + piece) for piece in _pieces(resource, JPEG_SEGMENT_BYTES - len(PHOTOSHOP))]


def _pieces(data: bytes, most_bytes: int) -> list[bytes]:
    return [data[at : at + most_bytes] for at in range(0, len(data), most_bytes)]


def _segment(marker: int, contents: bytes) -> bytes:
    return bytes((0xFF, marker)) + (_LENGTH_BYTES + len(contents)).to_bytes(2, "big") + contents
