"""Whether a JPEG brings a HDR gain map: a second picture that tells how much brighter each part may be shown.

ISO/TS 21496-1 (also in Ultra HDR from Android 15 on); Ultra HDR image format 1.0 (XMP); Apple's auxiliary image, found by CIPA DC-007 (MPF).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from backend import errors
from backend.codec.image.jpeg.header import APP1, APP2, App, read_header
from backend.codec.native.source import Source

ISO_21496 = b"urn:iso:std:iso:ts:21496:-1\0"
XMP_SIGNS = (b"hdrgm:Version", b'Item:Semantic="GainMap"', b"urn:com:apple:photo:2020:aux:hdrgainmap")
MULTI_PICTURE = b"MPF\0"
MAX_IMAGES = 16
"""After the first, that are looked at."""
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_IMAGES_TAG = 0xB002
_ENTRY_BYTES, _IMAGE_BYTES = 12, 16


def has_gain_map(source: Source, apps: Sequence[App]) -> bool:
    return _tells_of_one(apps) or any(_tells_of_one(_apps_at(source, begin)) for begin in _other_images(apps))


def _tells_of_one(apps: Sequence[App]) -> bool:
    return any(
        each.contents.startswith(ISO_21496) if each.marker == APP2 else each.marker == APP1 and any(sign in each.contents for sign in XMP_SIGNS)
        for each in apps
    )


def _apps_at(source: Source, begin: int) -> Sequence[App]:
    try:
        return read_header(source, begin).apps
    except errors.GatewayError:
        return ()


def _other_images(apps: Sequence[App]) -> Iterator[int]:
    """Where in the file the images after the first begin. Offsets count from the header of the index."""
    for app in apps:
        if app.marker == APP2 and app.contents.startswith(MULTI_PICTURE):
            index = app.contents[len(MULTI_PICTURE) :]
            offsets = list(_offsets(index))[1 : 1 + MAX_IMAGES]
            yield from (app.at + len(MULTI_PICTURE) + offset for offset in offsets if offset)
            return


def _offsets(index: bytes) -> Iterator[int]:
    """Of each image's entry: attributes, size, offset, four bytes each, and four bytes more."""
    order = _ORDERS.get(index[:4])
    try:
        [at] = struct.unpack_from(f"{order}I", index, 4)
        [count] = struct.unpack_from(f"{order}H", index, at)
        for entry in range(at + 2, at + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, _kind, length, where = struct.unpack_from(f"{order}HHII", index, entry)
            if tag == _IMAGES_TAG:
                yield from (struct.unpack_from(f"{order}I", index, each + 8)[0] for each in range(where, where + length, _IMAGE_BYTES))
    except struct.error:
        return
