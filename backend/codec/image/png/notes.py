"""EXIF, XMP, IPTC and Content Credentials of a PNG: eXIf and caBX (§11.3.4.5, C2PA 2.1 §A.3.2), iTXt (XMP part 3, §1.1.5), and ImageMagick's
"Raw profile type …", which is text: the name, the count of bytes, and the bytes in hexadecimal digits.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

from backend.codec.image.notes import exif
from backend.codec.image.notes.notes import Notes
from backend.codec.image.png.chunks import MAX_BYTES, Chunk, contents_of
from backend.codec.native.source import Source

_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_XMP = b"XML:com.adobe.xmp"
_XMP_IN_APP1 = b"http://ns.adobe.com/xap/1.0/\0"
MAX_TEXTS = 20
"""That are read. A file has one of each kind; one that has many, all of them bombs, would take seconds."""
_MAX_KEYWORD_BYTES = 79
_IMAGE_RESOURCE, _IPTC_RESOURCE = b"8BIM", 0x0404


def notes_of(chunks: Iterable[Chunk], source: Source, profile: bytes) -> Notes:
    """Of each kind, the first that is whole; eXIf goes before other EXIF."""
    notes = Notes(profile, exif=exif_of(chunks, source), extras=extras_of(chunks))
    texts = ((chunk, read) for chunk in chunks if chunk.kind in _TEXTS and (read := _reader_for(chunk, source)))
    for chunk, read in islice(texts, MAX_TEXTS):
        notes = read(notes, _text_of(chunk, source))
    return notes


def extras_of(chunks: Iterable[Chunk]) -> frozenset[str]:
    return frozenset("c2pa" for chunk in chunks if chunk.kind == b"caBX")


def exif_of(chunks: Iterable[Chunk], source: Source) -> bytes:
    """What eXIf has; that alone turns a picture, as in browsers."""
    found = (contents_of(each, source) for each in chunks if each.kind == b"eXIf")
    return exif.without_prefix(next(filter(None, found), b""))


def _reader_for(chunk: Chunk, source: Source) -> Callable[[Notes, bytes], Notes] | None:
    """By the keyword; ``None`` for text that is no note."""
    keyword = source.read_at(chunk.at, min(chunk.length, _MAX_KEYWORD_BYTES + 1)).partition(b"\0")[0]
    return _with_xmp if keyword == _XMP else _RAW_PROFILES.get(keyword.lower())


def _text_of(chunk: Chunk, source: Source) -> bytes:
    """Empty where it is broken, or longer than ``MAX_BYTES`` once inflated."""
    contents = contents_of(chunk, source) or b""
    rest = contents.partition(b"\0")[2]
    if chunk.kind == b"tEXt":
        return rest
    if chunk.kind == b"zTXt":
        return inflate(rest[1:])
    is_compressed, after_language = rest[:1] == b"\1", rest[2:].partition(b"\0")[2]
    text = after_language.partition(b"\0")[2]
    return inflate(text) if is_compressed else text


def inflate(data: bytes) -> bytes:
    """Empty where it is broken, or longer than ``MAX_BYTES``."""
    inflater = zlib.decompressobj()
    try:
        result = inflater.decompress(data, MAX_BYTES)
    except zlib.error:
        return b""
    return result if inflater.eof else b""


def _raw_profile(text: bytes) -> bytes:
    try:
        _name, count, digits = text.strip().split(b"\n", 2)
        profile = bytes.fromhex(digits.decode("ascii"))
        return profile if len(profile) == int(count) else b""
    except ValueError:
        return b""


def _with_app1(notes: Notes, text: bytes) -> Notes:
    """What a JPEG has in APP1: EXIF or XMP."""
    profile = _raw_profile(text)
    if profile.startswith(_XMP_IN_APP1):
        return _with_xmp(notes, profile.removeprefix(_XMP_IN_APP1))
    return notes if notes.exif else replace(notes, exif=exif.without_prefix(profile))


def _with_xmp(notes: Notes, packet: bytes) -> Notes:
    return notes if notes.xmp else replace(notes, xmp=packet)


def _with_raw_xmp(notes: Notes, text: bytes) -> Notes:
    return _with_xmp(notes, _raw_profile(text))


def _with_iptc(notes: Notes, text: bytes) -> Notes:
    """Under either name there may be datasets, or Photoshop's image resources with the datasets among them."""
    profile = _raw_profile(text)
    return notes if notes.iptc else replace(notes, iptc=_iptc_among(profile) if profile.startswith(_IMAGE_RESOURCE) else profile)


def _iptc_among(resources: bytes) -> bytes:
    """Adobe Photoshop File Formats, "Image resource blocks": mark, number, name and data, these two padded to even lengths."""
    at = 0
    while resources[at : at + 4] == _IMAGE_RESOURCE and at + 12 <= len(resources):
        number, name_bytes = int.from_bytes(resources[at + 4 : at + 6], "big"), resources[at + 6]
        start = at + 6 + (1 + name_bytes + 1) // 2 * 2
        length = int.from_bytes(resources[start : start + 4], "big")
        if number == _IPTC_RESOURCE:
            return resources[start + 4 : start + 4 + length]
        at = start + 4 + (length + 1) // 2 * 2
    return b""


_RAW_PROFILES: dict[bytes, Callable[[Notes, bytes], Notes]] = {
    b"raw profile type exif": _with_app1,
    b"raw profile type app1": _with_app1,
    b"raw profile type xmp": _with_raw_xmp,
    b"raw profile type iptc": _with_iptc,
    b"raw profile type 8bim": _with_iptc,
}
