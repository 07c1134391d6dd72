"""The operator's two files of a watermark: ``NAME.png``, and beside it ``NAME.toml``, which may be missing.

place = "southeast"          a gravity, or "tile"
scale = 0.25                 the mark's longer side, as a share of the picture's shorter one
opacity = 1.0
margin = 0.02                to the edge, as such a share
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.core import image_headers
from backend.core.formats import BY_NAME
from backend.core.limits import Limits
from backend.core.options import MAX_NAME_CHARACTERS, PLACES
from backend.core.records import as_dict, read
from backend.core.suggestions.likeness import nearest
from backend.core.watermark import MAX_PIXELS, TILE, Placement, Watermark
from backend.errors import GatewayError, SettingsError, WrongSetting

MARK_PLACES = (*PLACES, TILE)
SETTING = "GATEWAY_WATERMARKS_DIR"
MAX_PNG_BYTES = 4 << 20
MAX_TOML_BYTES = 64 << 10
MAX_WATERMARKS = 200
"""In a folder. All of their names are told to clients."""
LEAST_SCALE = 0.01
"""With ``tile``, 10,000 marks on a square."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NAME = re.compile(r"\w(?:[\w .-]*[\w-])?")
_CHUNK_FRAME_BYTES = 12
"""Length, kind and sum (PNG, third edition, §5.3)."""


def name_of(stem: str) -> str:
    """How clients call a file of this name: composed, since file systems differ in that."""
    return unicodedata.normalize("NFC", stem)


def is_name(name: str) -> bool:
    return len(name) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(name) is not None


def parse(name: str, png: bytes, table: bytes | None) -> Watermark:
    """``table`` is the TOML. Raises ``SettingsError`` with all problems at once."""
    problems: list[WrongSetting] = []
    if not is_name(name):
        problems.append(WrongSetting(SETTING, repr(f"{name[:100]}.png"), "watermark_name", most=MAX_NAME_CHARACTERS))
    if not _is_usable(png):
        problems.append(WrongSetting(f"{SETTING} {name[:100]}.png", None, "watermark_png", most_mib=MAX_PNG_BYTES >> 20, most_pixels=MAX_PIXELS))
    placement, wrong = _placement(f"{SETTING} {name[:100]}.toml", table or b"")
    problems += wrong
    if problems:
        raise SettingsError(*problems)
    digest = hashlib.sha256(json.dumps(as_dict(placement), sort_keys=True).encode() + b"\0" + png).hexdigest()
    return Watermark(placement, png, digest)


def _is_usable(png: bytes) -> bool:
    """A still PNG that is whole, by its header and the sums of its chunks. No pixel is decoded."""
    if len(png) > MAX_PNG_BYTES or not png.startswith(SIGNATURE):
        return False
    try:
        limits = Limits(MAX_PNG_BYTES, MAX_PIXELS, frames=1)
        image_headers.read_shape(BY_NAME["png"], lambda at, length: png[at : at + length], len(png), limits)
    except GatewayError:
        return False
    return _is_whole(memoryview(png))


def _is_whole(png: memoryview) -> bool:
    at = len(SIGNATURE)
    while at + _CHUNK_FRAME_BYTES <= len(png):
        end = at + _CHUNK_FRAME_BYTES + int.from_bytes(png[at : at + 4])
        if end > len(png) or zlib.crc32(png[at + 4 : end - 4]) != int.from_bytes(png[end - 4 : end]):
            return False
        if bytes(png[at + 4 : at + 8]) == b"IEND":
            return True
        at = end
    return False


@dataclass(frozen=True, slots=True)
class TableField:
    accepted: str
    params: Mapping[str, object]
    is_right: Callable[[Any], bool]


def _share(low: float, high: float) -> TableField:
    def is_right(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

    return TableField("share", {"low": low, "high": high}, is_right)


_FIELDS: dict[str, TableField] = {
    "place": TableField("one_of", {"words": MARK_PLACES}, lambda value: value in MARK_PLACES),
    "scale": _share(LEAST_SCALE, 1),
    "opacity": _share(0, 1),
    "margin": _share(0, 0.5),
}


def _placement(path: str, table: bytes) -> tuple[Placement, list[WrongSetting]]:
    if len(table) > MAX_TOML_BYTES:
        return Placement(), [WrongSetting(path, None, "size_of_watermark_table", most_kib=MAX_TOML_BYTES >> 10)]
    try:
        found = tomllib.loads(table.decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        return Placement(), [WrongSetting(path, None, "toml", line=line[1] if line else "?")]
    except (UnicodeDecodeError, RecursionError):
        return Placement(), [WrongSetting(path, None, "toml", line="?")]
    problems = list(_problems(path, found))
    return (Placement() if problems else read(Placement, {name: _plain(value) for name, value in found.items()})), problems


def _plain(value: object) -> object:
    """``1`` and ``1.0`` are one share."""
    return float(value) if isinstance(value, int) else value


def _problems(path: str, found: Mapping[str, object]) -> Iterator[WrongSetting]:
    for name, value in found.items():
        known = _FIELDS.get(name)
        if known is not None:
            if not known.is_right(value):
                yield WrongSetting(f"{path} {name}", repr(str(value)[:100]), known.accepted, **known.params)
        elif near := nearest(name[:100], _FIELDS):
            yield WrongSetting(path, repr(name[:100]), "no_such_field", near=near, known=tuple(_FIELDS))
        else:
            yield WrongSetting(path, repr(name[:100]), "no_field_like_it", known=tuple(_FIELDS))
