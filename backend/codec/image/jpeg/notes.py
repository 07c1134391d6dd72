"""Notes in a JPEG's application segments. What is broken is left out, and costs nothing else.

EXIF 2.32 §4.7.2; XMP part 3 §1.1.3 (JPEG); ICC.1:2022 B.4; ISO/IEC 19566-5 (JUMBF) for C2PA.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.codec.image.jpeg.gain_map import has_gain_map
from backend.codec.image.jpeg.header import APP1, APP2, APP11, APP13, App
from backend.codec.image.notes import exif
from backend.codec.image.notes.notes import Notes
from backend.codec.native.source import Source

EXIF, XMP, EXTENDED_XMP = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
ICC, PHOTOSHOP, JUMBF = b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"JP"
PROFILE_BYTES = 4 << 20
EXTENDED_XMP_BYTES = 1 << 20
"""More is not joined; nor would a result keep it."""
IPTC_RESOURCE = 0x0404
_GUID_BYTES = 32
_GUID = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})")
_HAS_EXTENDED = re.compile(rb"\s[\w.-]+:HasExtendedXMP\s*=\s*(?:\"[^\"]*\"|'[^']*')|<([\w.-]+:HasExtendedXMP)\s*>[^<]*</\1\s*>")
_RDF = re.compile(rb"<([\w.-]+:RDF)\b[^<>]*>")
_C2PA_TYPE = bytes.fromhex("6332706100110010800000aa00389b71")
"""C2PA 2.1 §11.1.4: the UUID of a manifest store's box."""


def notes_of(source: Source, apps: Sequence[App]) -> Notes:
    xmp = _with_extended(_first(apps, APP1, XMP), apps)
    return Notes(profile_of(apps), exif_of(apps), xmp, _iptc(apps), extras_of(source, apps))


def extras_of(source: Source, apps: Sequence[App]) -> frozenset[str]:
    """``source`` is the file, for the images after the first."""
    is_there = {"gain_map": has_gain_map(source, apps), "c2pa": _has_c2pa(apps)}
    return frozenset(name for name, is_so in is_there.items() if is_so)


def exif_of(apps: Sequence[App]) -> bytes:
    """From the TIFF header on. Of several, the first counts, as in browsers."""
    tiff = exif.without_prefix(EXIF + _first(apps, APP1, EXIF))
    return tiff if tiff.startswith((b"II", b"MM")) else b""


def profile_of(apps: Sequence[App]) -> bytes:
    """Joined in the order of its parts' numbers; empty where one is missing or comes twice."""
    parts = [each.contents[len(ICC) :] for each in apps if each.marker == APP2 and each.contents.startswith(ICC)]
    by_number = {part[0]: part[2:] for part in parts if len(part) > 2}
    count = len(parts)
    is_whole = sorted(by_number) == list(range(1, count + 1)) and all(part[1] == count for part in parts)
    profile = b"".join(by_number[number] for number in sorted(by_number)) if is_whole else b""
    return profile if len(profile) <= PROFILE_BYTES else b""


def _has_c2pa(apps: Sequence[App]) -> bool:
    """APP11: ``JP``, an instance of two bytes, a packet number of four; then the box ``jumb``, whose first box ``jumd`` tells its type."""
    heads = (each.contents[: 8 + 16 + 8 + 16] for each in apps if each.marker == APP11 and each.contents.startswith(JUMBF))
    return any(b"jumd" + _C2PA_TYPE in head for head in heads)


def _first(apps: Sequence[App], marker: int, begin: bytes) -> bytes:
    """What follows ``begin`` in the first such segment."""
    return next((each.contents[len(begin) :] for each in apps if each.marker == marker and each.contents.startswith(begin)), b"")


def _iptc(apps: Sequence[App]) -> bytes:
    """Image resources may go over several segments: ``8BIM``, a number, a name of even length, and the data, padded to even length."""
    data = b"".join(each.contents[len(PHOTOSHOP) :] for each in apps if each.marker == APP13 and each.contents.startswith(PHOTOSHOP))
    at = 0
    while data[at : at + 4] == b"8BIM" and len(data) >= at + 12:
        name_bytes = 1 + data[at + 6]
        begin = at + 6 + name_bytes + name_bytes % 2 + 4
        length = int.from_bytes(data[begin - 4 : begin], "big")
        if int.from_bytes(data[at + 4 : at + 6], "big") == IPTC_RESOURCE:
            return data[begin : begin + length] if begin + length <= len(data) else b""
        at = begin + length + length % 2
    return b""


def _with_extended(xmp: bytes, apps: Sequence[App]) -> bytes:
    """The packet with the descriptions of its extension, where there is one, all of it has arrived, and it belongs to this packet."""
    guid = _GUID.search(xmp)
    descriptions = _descriptions(_extension(guid[1], apps)) if guid else b""
    end = _end_of_rdf(xmp)
    return _HAS_EXTENDED.sub(b"", xmp[:end]) + descriptions + xmp[end:] if descriptions and end else xmp


def _descriptions(packet: bytes) -> bytes:
    begin = _RDF.search(packet)
    return packet[begin.end() : _end_of_rdf(packet)] if begin else b""


def _end_of_rdf(packet: bytes) -> int:
    """Where its end tag begins; 0 where there is none."""
    begin = _RDF.search(packet)
    return max(0, packet.rfind(b"</" + begin[1])) if begin else 0


def _extension(guid: bytes, apps: Sequence[App]) -> bytes:
    """Each part: the GUID, the length of the whole and the part's offset in it, four bytes each, and the part."""
    begin = EXTENDED_XMP + guid
    parts = [each.contents[len(begin) :] for each in apps if each.marker == APP1 and each.contents.startswith(begin)]
    whole = bytearray()
    for part in sorted(parts, key=lambda part: part[4:8]):
        length, offset = int.from_bytes(part[:4], "big"), int.from_bytes(part[4:8], "big")
        if offset != len(whole) or length > EXTENDED_XMP_BYTES:
            return b""
        whole += part[8:]
    return bytes(whole) if parts and len(whole) == int.from_bytes(parts[0][:4], "big") else b""
