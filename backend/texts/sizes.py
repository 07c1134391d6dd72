"""A limit as people read it: in the unit in which the operator set it. The page has the same rule (``frontend/js/core/language.js``)."""

from __future__ import annotations

SMALL_BYTES = 10_000
"""Below it, every byte is told."""
UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 10**9), ("MB", 10**6), ("KB", 1000))
"""Binary ones first, as in settings."""


def limit_size(count: int) -> tuple[str, str]:
    """Number and unit of ``count`` bytes, in the largest unit that has no remainder; else in MiB, rounded down. ``B`` stands for bytes."""
    if count < SMALL_BYTES:
        return str(count), "B"
    for unit, size in UNITS:
        if count % size == 0:
            return str(count // size), unit
    unit, size = UNITS[1] if count >= 1 << 20 else UNITS[2]
    return f"{count * 10 // size / 10:g}", unit
