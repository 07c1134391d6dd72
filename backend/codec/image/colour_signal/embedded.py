"""An embedded ICC profile as browsers take it: what they ignore is refused here, what they overlook is mended. ICC.1:2022 §7.

LittleCMS alone would differ: it prefers other tables, believes the class and the sizes in the header, and takes profiles of unknown versions.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import lru_cache

from backend.codec.image.colour_signal.signals import CodePoints, profile_for

_HEAD_BYTES, _ENTRY_BYTES = 128, 12
_NEWEST_VERSION = 4
_MAX_TAGS = 1_000
_CONNECTIONS = (b"XYZ ", b"Lab ")
_TABLES, _FLOAT_TABLES = (b"A2B0", b"A2B1"), (b"D2B0", b"D2B1", b"D2B2", b"D2B3")
_VIDEO = {1: 13, 6: 13, 11: 13}
"""Transfers of the tag ``cicp`` that browsers take for sRGB's."""

Tags = dict[bytes, tuple[int, bytes]]
"""By name: where in the file the tag's entry begins, and its data."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """``space``: ``GRAY``, ``RGB`` or ``CMYK``. ``data`` is empty for sRGB."""

    space: str
    data: bytes


@lru_cache(maxsize=8)
def as_browsers_take(profile: bytes) -> Embedded | None:
    """``None`` for a profile that they ignore."""
    tags = _tags(profile)
    if tags is None or profile[20:24] not in _CONNECTIONS:
        return None
    if profile[16:20] == b"GRAY":
        return Embedded("GRAY", profile) if b"kTRC" in tags and profile[20:24] == b"XYZ " else None
    if profile[16:20] == b"CMYK":
        return Embedded("CMYK", _mend(profile, tags))
    if profile[16:20] != b"RGB ":
        return None
    signalled = _by_code_points(tags)
    return Embedded("RGB", _mend(profile, tags) if signalled is None else signalled)


def _tags(profile: bytes) -> Tags | None:
    if len(profile) < _HEAD_BYTES + 4 or profile[36:40] != b"acsp" or profile[8] > _NEWEST_VERSION:
        return None
    size, count = struct.unpack_from(">I", profile)[0], struct.unpack_from(">I", profile, _HEAD_BYTES)[0]
    if size > len(profile) or count > _MAX_TAGS or _HEAD_BYTES + 4 + count * _ENTRY_BYTES > size:
        return None
    tags: Tags = {}
    for at in range(_HEAD_BYTES + 4, _HEAD_BYTES + 4 + count * _ENTRY_BYTES, _ENTRY_BYTES):
        name, offset, length = struct.unpack_from(">4sII", profile, at)
        if offset + length > size:
            return None
        tags.setdefault(name, (at, profile[offset : offset + length]))
    return tags


def _by_code_points(tags: Tags) -> bytes | None:
    """§9.2.17: the tag ``cicp`` says it shorter, and for HDR, which tables cannot hold."""
    _at, data = tags.get(b"cicp", (0, b""))
    if len(data) < 12:
        return None
    said = CodePoints(data[8], data[9], data[10], data[11] == 1)
    return profile_for(replace(said, transfer=_VIDEO.get(said.transfer, said.transfer)))


def _mend(profile: bytes, tags: Tags) -> bytes:
    """Of a display or printer, with the table for perceptual intent alone: browsers read so, whatever the header says."""
    mended = bytearray(profile)
    if profile[12:16] != b"prtr":
        mended[12:16] = b"mntr"
    hidden = _FLOAT_TABLES + (_TABLES[1:] if _TABLES[0] in tags else ())
    for name in hidden:
        if name in tags:
            at, _data = tags[name]
            mended[at : at + 4] = b"none"
    return bytes(mended)
