"""What somebody meant by a wrong name or value of an option: another tool's word (``other_names``), a misspelt one, the nearer end of a range."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backend.core.suggestions import other_names
from backend.core.suggestions.likeness import closest, letters, nearest

Schema = Mapping[str, Any]
_SIZES = {"k": 1000, "kb": 1000, "kib": 1 << 10, "m": 10**6, "mb": 10**6, "mib": 1 << 20, "b": 1, "bytes": 1}
_UNITS: dict[str, dict[str, int]] = {
    "target_bytes": _SIZES,
    "width": {"px": 1},
    "height": {"px": 1},
    "dpr": {"x": 1},
    "rotate": {"deg": 1, "°": 1},
    "blur": {"px": 1},
    "quality": {"%": 1},
    "near_lossless": {"%": 1},
    "alpha_quality": {"%": 1},
}
"""Option → what may stand behind its number elsewhere, and by how much it multiplies."""
_SHARES = ("quality", "near_lossless", "alpha_quality")
"""From 0 to 100 here, and from 0 to 1 in a browser's ``canvas.toBlob``."""
_NEAR_DEGREES = 10
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,20}(?:\.[0-9]*)?|[+-]?\.[0-9]+)\s*([a-z%°]*)\s*", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{21,}")
_COLOUR = re.compile(r"rgba?\(([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3})(?:,1(?:\.0)?)?\)", re.IGNORECASE)


def name(word: str, known: Iterable[str]) -> str:
    """The one of ``known`` options that is meant; empty where that is not clear."""
    known, plain = tuple(known), letters(word)
    other = other_names.BY_NAME.get(plain, "")
    return closest(word, known, 1.0) or (other if other in known else nearest(word, known))


def values(option: str, value: str, schema: Schema) -> Iterator[str]:
    """The values that may be meant, the likeliest first. Some may be wrong too: the caller tries them."""
    schemas = schema.get("anyOf", [schema])
    words = [word for each in schemas for word in _words(each)]
    others = {**(other_names.BOOLEANS if "true" in words else {}), **other_names.VALUES.get(option, {})}
    if letters(value) in others:
        yield others[letters(value)]
    if near := nearest(value, [*words, *others]):
        yield others.get(near, near)
    for each in schemas:
        yield from _numbers(option, value, each)
    yield from _colours(value)


def _words(schema: Schema) -> Iterator[str]:
    listed = [True, False] if schema.get("type") == "boolean" else schema.get("enum", [schema.get("const")])
    for each in listed:
        if isinstance(each, bool | str):
            yield str(each).lower() if isinstance(each, bool) else each


def _numbers(option: str, value: str, schema: Schema) -> Iterator[str]:
    match = _NUMBER.fullmatch(_DIGITS.sub("9" * 20, value))
    factor = {"": 1, **_UNITS.get(option, {})}.get(match[2].lower()) if match else None
    if match is None or factor is None:
        return
    number = float(match[1]) * factor
    if "minimum" in schema:
        is_share = option in _SHARES and "." in match[1] and 0 < number < 1
        meant = 100 * number if is_share else number
        yield f"{min(max(round(meant) if schema['type'] == 'integer' else meant, schema['minimum']), schema['maximum']):.10g}"
    for each in schema.get("enum", []):
        if type(each) is int and _turn_between(number, each) <= _NEAR_DEGREES:
            yield str(each)


def _turn_between(one: float, other: float) -> float:
    """In degrees, the shorter way round."""
    return abs((one - other + 180) % 360 - 180)


def _colours(value: str) -> Iterator[str]:
    """Of CSS' ``rgb(…)``."""
    parts = _COLOUR.fullmatch(value.replace(" ", ""))
    numbers = [int(each) for each in parts.groups()] if parts else [256]
    if max(numbers) < 256:
        yield "#" + "".join(f"{each:02x}" for each in numbers)
