"""IPTC's Information Interchange Model, version 4: the datasets that a photograph carries (§1.5, §2.2)."""

from __future__ import annotations

CREATOR, COPYRIGHT = (2, 80), (2, 116)
_CHARACTER_SET, _UTF_8 = (1, 90), b"\x1b%G"
_MARK = 0x1C


def text_of(iptc: bytes, name: tuple[int, int]) -> str:
    """The values of a dataset, separated by semicolons; empty where there is none. ``name`` is record and number."""
    found = _datasets(iptc)
    is_utf_8 = any(each == _CHARACTER_SET and value == _UTF_8 for each, value in found)
    return "; ".join(_decode(value, is_utf_8=is_utf_8) for each, value in found if each == name)


def _decode(value: bytes, *, is_utf_8: bool) -> str:
    """Many files are in UTF-8 and do not say so."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8" if is_utf_8 else "latin-1", "replace")


def _datasets(iptc: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Up to the first that is not whole. An extended dataset (longer than 32 767 bytes) ends the list too: no text is so long."""
    found, at = [], 0
    while at + 5 <= len(iptc) and iptc[at] == _MARK:
        length = int.from_bytes(iptc[at + 3 : at + 5], "big")
        value = iptc[at + 5 : at + 5 + length]
        if length & 0x8000 or len(value) < length:
            break
        found.append(((iptc[at + 1], iptc[at + 2]), value))
        at += 5 + length
    return found
