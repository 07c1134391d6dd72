"""The fields of a TIFF directory as EXIF carries them: read and written without touching their bytes (TIFF 6.0 §2, CIPA DC-008 §4.6).

Offsets in EXIF count from its TIFF header, and vendors' notes hold offsets of their own. So nothing that is there is ever moved: a value is changed
in its place, and a directory with more fields is appended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Order = Literal["little", "big"]

ORIENTATION, ARTIST, COPYRIGHT, IPTC = 0x0112, 0x013B, 0x8298, 0x83BB
_EXIF, _GPS, _INTEROPERABILITY = 0x8769, 0x8825, 0xA005
ASCII, SHORT, LONG, UNDEFINED = 2, 3, 4, 7
HEADER_BYTES, ENTRY_BYTES = 8, 12
MAX_FIELDS = 4096
_ORDERS: dict[bytes, Order] = {b"II*\0": "little", b"MM\0*": "big"}
_VALUE_BYTES = {1: 1, ASCII: 1, SHORT: 2, 4: 4, 5: 8, 6: 1, UNDEFINED: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
"""Of one value, by field type; 129 is UTF-8 (CIPA DC-008-2023 §4.6.2)."""


_WHOLE_NUMBERS = frozenset((1, SHORT, LONG, 6, UNDEFINED, 8, 9))


class NotTiff(ValueError):
    """The bytes are no TIFF directory."""


@dataclass(frozen=True, slots=True)
class Field:
    """``value`` has the bytes as stored. ``value_at`` is where they stand in the block they were read from."""

    tag: int
    kind: int
    count: int
    value: bytes
    value_at: int = 0


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of a block: its fields by tag (the first of each counts), its raw entries, and where the next directory stands."""

    order: Order
    fields: dict[int, Field]
    entries: list[bytes]
    next_at: bytes


def is_tiff(block: bytes) -> bool:
    return block[:4] in _ORDERS


def number(block: bytes, tag: int) -> int | None:
    """The first value of a field of whole numbers. Raises ``NotTiff``."""
    directory = read(block)
    field = directory.fields.get(tag)
    if field is None or field.kind not in _WHOLE_NUMBERS:
        return None
    return int.from_bytes(field.value[: _VALUE_BYTES[field.kind]], directory.order)


def read(block: bytes, at: int | None = None) -> Directory:
    """The first directory, or the one ``at``, as far as the block goes. Fields whose values lie outside of it are left out. Raises ``NotTiff``."""
    order = _ORDERS.get(block[:4])
    if order is None:
        raise NotTiff(f"begins with {block[:4]!r}")
    at = int.from_bytes(block[4:HEADER_BYTES], order) if at is None else at
    declared = int.from_bytes(block[at : at + 2], order)
    count = min(declared, (len(block) - at - 2) // ENTRY_BYTES)
    end = at + 2 + ENTRY_BYTES * count
    if at < HEADER_BYTES or not 0 < count <= MAX_FIELDS:
        raise NotTiff(f"a directory of {declared} fields at {at}, in {len(block)} bytes")
    entries = [block[each : each + ENTRY_BYTES] for each in range(at + 2, end, ENTRY_BYTES)]
    found = [_field(block, order, entry, at + 2 + ENTRY_BYTES * number) for number, entry in enumerate(entries)]
    return Directory(order, {each.tag: each for each in reversed(found) if each}, entries, block[end : end + 4].ljust(4, b"\0"))


def _field(block: bytes, order: Order, entry: bytes, entry_at: int) -> Field | None:
    tag, kind = (int.from_bytes(entry[at : at + 2], order) for at in (0, 2))
    count = int.from_bytes(entry[4:8], order)
    length = count * _VALUE_BYTES.get(kind, 0)
    at = entry_at + 8 if length <= 4 else int.from_bytes(entry[8:12], order)
    if length <= 0 or at + length > len(block):
        return None
    return Field(tag, kind, count, block[at : at + length], at)


def with_number(block: bytes, tag: int, number: int) -> bytes:
    """The block with the first value of ``tag`` set to ``number``, in its place; unchanged where there is no such field of numbers."""
    directory = read(block)
    field = directory.fields.get(tag)
    if field is None or field.kind not in _WHOLE_NUMBERS:
        return block
    value = number.to_bytes(_VALUE_BYTES[field.kind], directory.order)
    return block[: field.value_at] + value + block[field.value_at + len(value) :]


def with_field(block: bytes, field: Field) -> bytes:
    """The block with one more field: a copy of its first directory that has it is appended, and the header leads there. Raises ``NotTiff``."""
    directory = read(block)
    block += b"\0" * (len(block) % 2)
    entry, value = _entry(field, directory.order, len(block))
    others = [each for each in directory.entries if int.from_bytes(each[:2], directory.order) != field.tag]
    entries = sorted([*others, entry], key=lambda each: int.from_bytes(each[:2], directory.order))
    block += value + b"\0" * (len(value) % 2)
    header = block[:4] + len(block).to_bytes(4, directory.order)
    return header + block[HEADER_BYTES:] + _directory_bytes(entries, directory.order, directory.next_at)


def block_of(fields: Iterable[Field], order: Order = "little") -> bytes:
    """A block with one directory of these fields; empty bytes for none."""
    chosen = list(fields)
    magic = next(each for each, known in _ORDERS.items() if known == order)
    return magic + HEADER_BYTES.to_bytes(4, order) + _pack(chosen, order, HEADER_BYTES) if chosen else b""


def subset(block: bytes, tags: frozenset[int]) -> bytes:
    """A block of these fields and of the directories that EXIF hangs on them. Raises ``NotTiff``.

    For TIFF files, whose other fields tell how samples lie. Values are copied as they are.
    """
    directory = read(block)
    copy = block_of([field for tag, field in directory.fields.items() if tag in tags], directory.order)
    for pointer in (_EXIF, _GPS):
        below = _directory_at(block, directory, pointer)
        copy = _with_directory(copy, pointer, below) if copy and below else copy
    return copy


def _directory_at(block: bytes, directory: Directory, pointer: int) -> Directory | None:
    field = directory.fields.get(pointer)
    try:
        return read(block, int.from_bytes(field.value, directory.order)) if field else None
    except NotTiff:
        return None


def _with_directory(block: bytes, pointer: int, below: Directory) -> bytes:
    """``block`` with a directory of these fields, to which the field ``pointer`` leads."""
    block += b"\0" * (len(block) % 2)
    fields = [each for tag, each in below.fields.items() if tag != _INTEROPERABILITY]
    at = Field(pointer, LONG, 1, len(block).to_bytes(4, below.order))
    return with_field(block + _pack(fields, below.order, len(block)), at)


def _pack(fields: list[Field], order: Order, at: int) -> bytes:
    """A directory that stands ``at``, and behind it the values that do not fit into their entries."""
    entries, values, values_at = [], b"", at + 2 + ENTRY_BYTES * len(fields) + 4
    for field in sorted(fields, key=lambda each: each.tag):
        entry, value = _entry(field, order, values_at + len(values))
        entries.append(entry)
        values += value + b"\0" * (len(value) % 2)
    return _directory_bytes(entries, order, b"\0" * 4) + values


def _entry(field: Field, order: Order, value_at: int) -> tuple[bytes, bytes]:
    """An entry, and the value that must stand at ``value_at``: empty where the entry holds it."""
    head = field.tag.to_bytes(2, order) + field.kind.to_bytes(2, order) + field.count.to_bytes(4, order)
    if len(field.value) <= 4:
        return head + field.value.ljust(4, b"\0"), b""
    return head + value_at.to_bytes(4, order), field.value


def _directory_bytes(entries: list[bytes], order: Order, next_at: bytes) -> bytes:
    return len(entries).to_bytes(2, order) + b"".join(entries) + next_at
