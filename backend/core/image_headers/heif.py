"""AVIF and HEIC: ISO/IEC 14496-12 §4.2 (boxes), §8.11 (items), §12.1.4 (clap); 23008-12 §6.5.3 (ispe).

The sides are those of the primary item, as cropped.
"""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_FULL_BOX_BYTES = 4
Span = tuple[int, int]
"""Where a box's contents begin and end."""


def read_heif(file: HeaderReader, limits: Limits) -> Sides:
    top = _boxes(file, (0, file.size_bytes))
    if file.take(8, 4) == b"avis" and b"moov" in top:
        return _heif_sequence(file, top[b"moov"])
    start, end = top.get(b"meta", (0, 0))
    inside = _boxes(file, (start + _FULL_BOX_BYTES, end))
    if not {b"pitm", b"iprp"} <= inside.keys():
        raise errors.DamagedImage(private="HEIF: no primary item")
    properties = _boxes(file, inside[b"iprp"])
    places = _places(file, properties.get(b"ipco", (0, 0)))
    own = _property_numbers(file, properties.get(b"ipma", (0, 0)), _primary_item(file, inside[b"pitm"]))
    found = dict(places[index - 1] for index in reversed(own) if 0 < index <= len(places))
    if b"ispe" not in found:
        raise errors.DamagedImage(private="HEIF: the primary item has no size")
    at, clean = found[b"ispe"], found.get(b"clap")
    if clean is not None:
        return file.number(clean, 4) // max(1, file.number(clean + 4, 4)), file.number(clean + 8, 4) // max(1, file.number(clean + 12, 4)), 1
    return file.number(at + 4, 4), file.number(at + 8, 4), 1


def _places(file: HeaderReader, span: Span) -> list[tuple[bytes, int]]:
    """The boxes in ``span`` in their order: kind, and where the contents begin."""
    at, end = span
    places = []
    while at + 8 <= end:
        file.step()
        length, kind, head = file.number(at, 4), file.take(at + 4, 4), 8
        if length == 1:
            length, head = file.number(at + 8, 8), 16
        if length and length < head:
            raise errors.DamagedImage(private="HEIF: a box shorter than its own head")
        places.append((kind, at + head))
        at += length or end
    return places


def _boxes(file: HeaderReader, span: Span) -> dict[bytes, Span]:
    """The first box of each kind in ``span``."""
    places = _places(file, span)
    ends = [at - 8 for _kind, at in places[1:]] + [span[1]]
    return {kind: (at, end) for (kind, at), end in reversed(list(zip(places, ends, strict=False)))}


def _primary_item(file: HeaderReader, span: Span) -> int:
    return file.number(span[0] + _FULL_BOX_BYTES, 2 if file.number(span[0], 1) == 0 else 4)


def _property_numbers(file: HeaderReader, span: Span, item: int) -> list[int]:
    """Numbers (from 1) of the properties that belong to ``item``."""
    version, wide, at = file.number(span[0], 1), file.number(span[0] + 3, 1) & 1, span[0] + 8
    id_bytes, index_bytes = (2 if version == 0 else 4), 1 + wide
    for _entry in range(file.number(span[0] + 4, 4)):
        file.step()
        count = file.number(at + id_bytes, 1)
        if file.number(at, id_bytes) == item:
            first = at + id_bytes + 1
            return [file.number(first + n * index_bytes, index_bytes) & (0x7FFF if wide else 0x7F) for n in range(count)]
        at += id_bytes + 1 + count * index_bytes
    return []


def _heif_sequence(file: HeaderReader, moov: Span) -> Sides:
    """The first track that is shown: sides from its header (16.16), frames from its sample sizes."""
    for kind, at in _places(file, moov):
        if kind != b"trak":
            continue
        track = _boxes(file, (at, moov[1]))
        start = track.get(b"tkhd", (0, 0))[0]
        sides_at = start + (76 if file.number(start, 1) == 0 else 88)
        width, height = file.number(sides_at, 4) >> 16, file.number(sides_at + 4, 4) >> 16
        span = track.get(b"mdia", (0, 0))
        for inner in (b"minf", b"stbl", b"stsz"):
            span = _boxes(file, span).get(inner, (0, 0))
        if width and height and span[0]:
            return width, height, max(1, file.number(span[0] + 8, 4))
    raise errors.DamagedImage(private="HEIF: no track that is shown")
