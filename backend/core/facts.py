"""What a result may report beyond its size: one table of names, and of what each may hold.

Facts come from a decoder's process, which an image may have taken over. So the codec takes only what this table describes (``are_facts``), and
only its names are shown to clients.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from backend.core.conversion import NOTES, STAGES

MAX_TRIES = 100
"""Encodes for one result; a search makes eight at most."""
MAX_SECONDS = 86_400.0
"""Of one stage. No job may take as long."""
WORST_SCORE = -1e6
"""SSIMULACRA2 has no lower bound; a picture of noise has some hundreds below zero."""

THUMBHASH_BYTES = 5, 25
"""The shortest and the longest, by its author: https://evanw.github.io/thumbhash. Those of today's encoders have 16 and more."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)

Check = Callable[[object], bool]


def is_whole(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def is_number(value: object, low: float, high: float) -> bool:
    """``True`` is no number here, though Python counts with it; nor is NaN."""
    return type(value) in (int, float) and math.isfinite(value) and low <= value <= high  # type: ignore[arg-type,operator]


def _is_dropped(value: object) -> bool:
    return isinstance(value, list) and 0 < len(value) <= len(NOTES) and all(each in NOTES for each in value)


def _is_seconds(value: object) -> bool:
    return isinstance(value, dict) and all(stage in STAGES and is_number(each, 0, MAX_SECONDS) for stage, each in value.items())


def _is_thumbhash(value: object) -> bool:
    """As RFC 4648 §4 writes it, with what fills it up."""
    if not isinstance(value, str) or len(value) > 4 * THUMBHASH_BYTES[1] or not value.isascii():
        return False
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return THUMBHASH_BYTES[0] <= len(data) <= THUMBHASH_BYTES[1] and base64.b64encode(data).decode() == value


def _is_colour(value: object) -> bool:
    return isinstance(value, str) and _COLOUR.fullmatch(value) is not None


FACTS: dict[str, Check] = {
    "quality": lambda value: is_number(value, 0, 100),
    "score": lambda value: is_number(value, WORST_SCORE, 100),
    "passes": lambda value: is_whole(value, 1, MAX_TRIES),
    "probes": lambda value: is_whole(value, 1, MAX_TRIES),
    "method": lambda value: is_whole(value, 0, 6),
    "speed": lambda value: is_whole(value, 0, 10),
    "target_met": lambda value: isinstance(value, bool),
    "lossless": lambda value: isinstance(value, bool),
    "original": lambda value: value is True,
    "dropped": _is_dropped,
    "thumbhash": _is_thumbhash,
    "color": _is_colour,
    "seconds": _is_seconds,
}


def are_facts(given: Mapping[str, object]) -> bool:
    return all(name in FACTS and FACTS[name](value) for name, value in given.items())


def shown_facts(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a stored result that have a row: records outlive versions."""
    return {name: value for name, value in stored.items() if name in FACTS}
