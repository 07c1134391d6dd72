"""The boxes of AVIF and HEIC: ISO/IEC 14496-12 §4.2 (boxes), §8.11 (items, their properties, and what refers to what)."""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.core.image_headers.reader import HeaderReader

FULL_BOX_BYTES = 4
Span = tuple[int, int]
"""Where a box's contents begin and end."""


def places(file: HeaderReader, span: Span) -> list[tuple[bytes, int]]:
    """The boxes in ``span`` in their order: kind, and where the contents begin."""
    at, end = span
    found = []
    while at + 8 <= end:
        file.step()
        length, kind, head = file.number(at, 4), file.take(at + 4, 4), 8
        if length == 1:
            length, head = file.number(at + 8, 8), 16
        if length and length < head:
            raise errors.DamagedImage(private="HEIF: a box shorter than its own head")
        found.append((kind, at + head))
        at += length or end
    return found


def boxes(file: HeaderReader, span: Span) -> dict[bytes, Span]:
    """The first box of each kind in ``span``."""
    found = places(file, span)
    ends = [at - 8 for _kind, at in found[1:]] + [span[1]]
    return {kind: (at, end) for (kind, at), end in reversed(list(zip(found, ends, strict=False)))}


def box_at(file: HeaderReader, span: Span, *path: bytes) -> Span:
    """The first box at the end of a path of kinds; an empty span where there is none."""
    for kind in path:
        span = boxes(file, span).get(kind, (0, 0))
    return span


@dataclass(frozen=True, slots=True)
class Meta:
    """The box ``meta``: what it says of items."""

    file: HeaderReader
    inside: dict[bytes, Span]

    @classmethod
    def of(cls, file: HeaderReader, span: Span) -> Meta:
        return cls(file, boxes(file, (span[0] + FULL_BOX_BYTES, span[1])))

    @property
    def primary_item(self) -> int:
        """Raises ``DamagedImage`` where there is none."""
        if not {b"pitm", b"iprp"} <= self.inside.keys():
            raise errors.DamagedImage(private="HEIF: no primary item")
        at = self.inside[b"pitm"][0]
        return self.file.number(at + FULL_BOX_BYTES, 2 if self.file.number(at, 1) == 0 else 4)

    def all_properties(self) -> list[tuple[bytes, int]]:
        """Kind, and where the contents begin."""
        return places(self.file, box_at(self.file, self.inside.get(b"iprp", (0, 0)), b"ipco"))

    def properties_of(self, item: int) -> list[tuple[bytes, int]]:
        found = self.all_properties()
        return [found[number - 1] for number in self._property_numbers(item) if 0 < number <= len(found)]

    def item_kinds(self) -> dict[int, bytes]:
        """§8.11.6: ``iinf`` and its ``infe`` of versions 2 and 3."""
        start, end = self.inside.get(b"iinf", (0, 0))
        if not end:
            return {}
        first = start + FULL_BOX_BYTES + (2 if self.file.number(start, 1) == 0 else 4)
        kinds = {}
        for kind, at in places(self.file, (first, end)):
            version = self.file.number(at, 1)
            id_bytes = 2 if version == 2 else 4
            if kind == b"infe" and version >= 2:
                kinds[self.file.number(at + 4, id_bytes)] = self.file.take(at + 6 + id_bytes, 4)
        return kinds

    def first_reference(self, kind: bytes, item: int) -> int | None:
        """§8.11.12: the first item that ``item`` refers to by ``kind``."""
        start, end = self.inside.get(b"iref", (0, 0))
        if not end:
            return None
        id_bytes = 2 if self.file.number(start, 1) == 0 else 4
        for name, at in places(self.file, (start + FULL_BOX_BYTES, end)):
            if name == kind and self.file.number(at, id_bytes) == item and self.file.number(at + id_bytes, 2):
                return self.file.number(at + id_bytes + 2, id_bytes)
        return None

    def data_offset(self, item: int) -> int | None:
        """§8.11.3: where in the file the item's data begins; in ``idat``, too."""
        file, (at, end) = self.file, self.inside.get(b"iloc", (0, 0))
        if not end:
            return None
        version, sizes, more = file.number(at, 1), file.number(at + 4, 1), file.number(at + 5, 1)
        id_bytes, base_bytes, index_bytes = (4 if version == 2 else 2), more >> 4, (more & 15 if version else 0)
        count, at = file.number(at + 6, id_bytes), at + 6 + id_bytes
        for _entry in range(count):
            file.step()
            is_in_idat = bool(version) and file.number(at + id_bytes, 2) & 15 == 1
            base_at = at + id_bytes + (4 if version else 2)
            extents_at = base_at + base_bytes
            if file.number(at, id_bytes) == item:
                offset = file.number(base_at, base_bytes) + file.number(extents_at + 2 + index_bytes, sizes >> 4)
                return offset + (self.inside.get(b"idat", (0, 0))[0] if is_in_idat else 0)
            at = extents_at + 2 + file.number(extents_at, 2) * (index_bytes + (sizes >> 4) + (sizes & 15))
        return None

    def _property_numbers(self, item: int) -> list[int]:
        """Numbers (from 1) of the properties that belong to ``item``."""
        file, start = self.file, box_at(self.file, self.inside.get(b"iprp", (0, 0)), b"ipma")[0]
        if not start:
            return []
        version, wide, at = file.number(start, 1), file.number(start + 3, 1) & 1, start + 8
        id_bytes, index_bytes = (2 if version == 0 else 4), 1 + wide
        for _entry in range(file.number(start + 4, 4)):
            file.step()
            count = file.number(at + id_bytes, 1)
            if file.number(at, id_bytes) == item:
                first = at + id_bytes + 1
                return [file.number(first + n * index_bytes, index_bytes) & (0x7FFF if wide else 0x7F) for n in range(count)]
            at += id_bytes + 1 + count * index_bytes
        return []
