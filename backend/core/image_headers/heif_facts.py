"""What an AVIF or HEIC file says beside sides and pixels: its colours by code points, and what comes with it that is not the picture itself.

ISO/IEC 14496-12 §12.1.5 (colr), §12.1.6 (clli, mdcv); 23008-12 §6.5.8 (auxC); ISO 21496-1 (tmap); C2PA 2.1 §A.5 (uuid).
"""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.core.image_headers.av1 import colour_description
from backend.core.image_headers.heif_boxes import FULL_BOX_BYTES, Meta, Span, box_at, boxes, places
from backend.core.image_headers.reader import HeaderReader, ReadAt

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_GAIN_MAP_URNS = (b"urn:com:apple:photo:2020:aux:hdrgainmap", b"urn:com:photo:aux:hdrgainmap")
_SAMPLE_ENTRY_BYTES = 78
"""§12.1.3: of a visual sample entry, before its boxes."""
_MDCV_UNITS_A_NIT = 10_000
_AV1_HEAD_BYTES = 64
"""Hold any sequence header that a still has."""
Place = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class NclxPoints:
    """H.273's numbers, as the file has them."""

    primaries: int
    transfer: int
    matrix: int
    is_full_range: bool


@dataclass(frozen=True, slots=True)
class HeifFacts:
    """``points`` is None where neither a box nor AV1's sequence header says them.

    ``peak_nits``: 0 where the file does not say it. ``extras``: ``gain_map``, ``c2pa``."""

    points: NclxPoints | None = None
    peak_nits: float = 0.0
    extras: frozenset[str] = frozenset()


def read_heif_facts(read_at: ReadAt, size_bytes: int) -> HeifFacts:
    """Nothing of a file whose boxes cannot be walked: whether it is damaged, its decoder says."""
    file = HeaderReader(read_at, size_bytes)
    try:
        properties = shown_properties(file)
        points = nclx_points(file, properties) or _points_of_av1(file)
        return HeifFacts(points, _peak_nits(file, properties), _extras(file))
    except errors.DamagedImage:
        return HeifFacts()


def shown_properties(file: HeaderReader) -> list[Place]:
    """Of the track that is shown, or else of the primary item."""
    top = boxes(file, (0, file.size_bytes))
    if is_sequence(file, top):
        stsd = box_at(file, top[b"moov"], b"trak", b"mdia", b"minf", b"stbl", b"stsd")
        entries = places(file, (stsd[0] + FULL_BOX_BYTES + 4, stsd[1]))
        return places(file, (entries[0][1] + _SAMPLE_ENTRY_BYTES, _end(file, entries[0][1]))) if entries else []
    meta = Meta.of(file, top.get(b"meta", (0, 0)))
    return meta.properties_of(meta.primary_item)


def _end(file: HeaderReader, contents_at: int) -> int:
    return contents_at - 8 + file.number(contents_at - 8, 4)


def nclx_points(file: HeaderReader, properties: list[Place]) -> NclxPoints | None:
    for kind, at in properties:
        if kind == b"colr" and file.take(at, 4) == b"nclx":
            primaries, transfer, matrix = (file.number(at + offset, 2) for offset in (4, 6, 8))
            return NclxPoints(primaries, transfer, matrix, is_full_range=bool(file.number(at + 10, 1) & 0x80))
    return None


def _points_of_av1(file: HeaderReader) -> NclxPoints | None:
    """What counts where no box tells it. Range and matrix are the decoder's business."""
    offset = _av1_offset(file)
    if offset is None or offset >= file.size_bytes:
        return None
    told = colour_description(file.take(offset, min(_AV1_HEAD_BYTES, file.size_bytes - offset)))
    return None if told is None else NclxPoints(*told, is_full_range=True)


def _av1_offset(file: HeaderReader) -> int | None:
    top = boxes(file, (0, file.size_bytes))
    if is_sequence(file, top):
        tables = boxes(file, box_at(file, top[b"moov"], b"trak", b"mdia", b"minf", b"stbl"))
        at, number_bytes = (tables[b"co64"][0], 8) if b"co64" in tables else (tables.get(b"stco", (0, 0))[0], 4)
        return file.number(at + FULL_BOX_BYTES + 4, number_bytes) if at else None
    meta = Meta.of(file, top.get(b"meta", (0, 0)))
    kinds, item = meta.item_kinds(), meta.primary_item
    if kinds.get(item) == b"grid":
        item = meta.first_reference(b"dimg", item) or item
    return meta.data_offset(item) if kinds.get(item) == b"av01" else None


def is_sequence(file: HeaderReader, top: dict[bytes, Span]) -> bool:
    """Whether a track is shown, and not the primary item."""
    return file.take(8, 4) == b"avis" and b"moov" in top


def _peak_nits(file: HeaderReader, properties: list[Place]) -> float:
    """The content's own, else that of the display that it was made on."""
    found = dict(reversed(properties))
    content = file.number(found[b"clli"], 2) if b"clli" in found else 0
    if content or b"mdcv" not in found:
        return float(content)
    return file.number(found[b"mdcv"] + 16, 4) / _MDCV_UNITS_A_NIT


def _extras(file: HeaderReader) -> frozenset[str]:
    top = places(file, (0, file.size_bytes))
    found = {"c2pa"} if any(kind == b"uuid" and file.take(at, 16) == _C2PA for kind, at in top) else set()
    meta = Meta.of(file, boxes(file, (0, file.size_bytes)).get(b"meta", (0, 0)))
    if b"tmap" in meta.item_kinds().values() or any(_is_gain_map(file, *each) for each in meta.all_properties()):
        found.add("gain_map")
    return frozenset(found)


def _is_gain_map(file: HeaderReader, kind: bytes, at: int) -> bool:
    return kind == b"auxC" and any(file.take(at + FULL_BOX_BYTES, len(urn)) == urn for urn in _GAIN_MAP_URNS if at + 64 < file.size_bytes)
