"""The parts of a TIFF file: directories, and strips as each compression keeps them (TIFF 6.0, §2, §9, §13)."""

from __future__ import annotations

import struct
import zlib

SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
NONE, LZW, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 8, 32773, 32946


class Directory:
    """An IFD with the data that its entries point to."""

    def __init__(self, order: str) -> None:
        self._order, self._entries = order, dict[int, tuple[int, int, bytes]]()

    def put(self, tag: int, kind: int, *values: int) -> None:
        letter = {SHORT: "H", LONG: "I", RATIONAL: "I"}[kind]
        count = len(values) // 2 if kind == RATIONAL else len(values)
        self._entries[tag] = kind, count, struct.pack(f"{self._order}{len(values)}{letter}", *values)

    def value(self, tag: int) -> int:
        """The first number of an entry; 0 where there is none."""
        return int.from_bytes(self._entries[tag][2][:2], "little" if self._order == "<" else "big") if tag in self._entries else 0

    def put_bytes(self, tag: int, data: bytes) -> None:
        self._entries[tag] = UNDEFINED, len(data), data

    def bytes(self, start: int, following: int) -> bytes:
        """As it stands at ``start`` in the file."""
        head = struct.pack(f"{self._order}H", len(self._entries))
        body, rest = b"", b""
        after = start + 2 + 12 * len(self._entries) + 4
        for tag, (kind, count, data) in sorted(self._entries.items()):
            if len(data) > 4:
                value = struct.pack(f"{self._order}I", after + len(rest))
                rest += data + bytes(len(data) % 2)
            else:
                value = data + bytes(4 - len(data))
            body += struct.pack(f"{self._order}HHI", tag, kind, count) + value
        return head + body + struct.pack(f"{self._order}I", following) + rest


def compressed(rows: list[bytes], compression: int) -> bytes:
    match compression:
        case 5:
            return lzw(b"".join(rows))
        case 8 | 32946:
            return zlib.compress(b"".join(rows))
        case 32773:
            return b"".join(_packbits(row) for row in rows)
        case _:
            return b"".join(rows)


def _packbits(row: bytes) -> bytes:
    """§9: each row by itself."""
    out, at = bytearray(), 0
    while at < len(row):
        count = 1
        while count < 128 and at + count < len(row) and row[at + count] == row[at]:
            count += 1
        if count > 1:
            out += bytes((257 - count, row[at]))
        else:
            while count < 128 and at + count < len(row) and row[at + count] != row[at + count - 1]:
                count += 1
            out += bytes([count - 1]) + row[at : at + count]
        at += count
    return bytes(out)


def lzw(data: bytes) -> bytes:
    """§13: highest bit first; codes grow, and the table is cleared, one entry early."""
    codes: list[tuple[int, int]] = [(256, 9)]
    table, size, prefix = _fresh(), 9, b""
    for each in data:
        longer = prefix + bytes([each])
        if longer in table:
            prefix = longer
            continue
        codes.append((table[prefix], size))
        table[longer] = len(table) + 2
        following = len(table) + 2
        if following == 4094:
            codes.append((256, size))
            table, size = _fresh(), 9
        elif following == 1 << size:
            size += 1
        prefix = bytes([each])
    if prefix:
        codes.append((table[prefix], size))
        size += len(table) + 3 == 1 << size
    return _highest_first([*codes, (257, size)])


def _fresh() -> dict[bytes, int]:
    return {bytes([value]): value for value in range(256)}


def _highest_first(codes: list[tuple[int, int]]) -> bytes:
    bits = "".join(format(code, f"0{size}b") for code, size in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
