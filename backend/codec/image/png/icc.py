"""The ICC profile of a PNG: its own, or one that stands for what it says of its colours. The first that can be used counts (PNG §4.3, table 1)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from backend.codec.image.colour_signal import Calibration, CodePoints, as_browsers_take, profile_for
from backend.codec.image.png.notes import inflate

Kept = Mapping[bytes, bytes]
"""Contents by kind of chunk."""
_CODE_POINTS, _GAMMA, _CHROMATICITIES = struct.Struct("4B"), struct.Struct(">I"), struct.Struct(">8I")
_LIGHT_LEVELS, _MASTERING_PEAK_AT = struct.Struct(">2I"), 16
_INTENTS = frozenset(bytes([intent]) for intent in range(4))
_LIGHT_UNITS = 10_000
"""In a cd/m² (§11.3.2.7, §11.3.2.8)."""


def profile_of(kept: Kept) -> bytes:
    """Empty for sRGB."""
    found = (read(kept) for read in _IN_ORDER)
    return next((each for each in found if each is not None), b"")


def _of_code_points(kept: Kept) -> bytes | None:
    contents = kept.get(b"cICP", b"")
    if len(contents) != _CODE_POINTS.size:
        return None
    primaries, transfer, matrix, is_full_range = _CODE_POINTS.unpack(contents)
    return profile_for(CodePoints(primaries, transfer, matrix, is_full_range == 1, _peak_nits(kept)))


def _peak_nits(kept: Kept) -> float:
    """Of the picture (cLLI) or else of the screen that it was made on (mDCV)."""
    levels, mastering = kept.get(b"cLLI", b""), kept.get(b"mDCV", b"")[_MASTERING_PEAK_AT:]
    told = [int.from_bytes(each[:4], "big") for each in (levels, mastering) if len(each) == _LIGHT_LEVELS.size]
    return next(filter(None, told), 0) / _LIGHT_UNITS


def _embedded(kept: Kept) -> bytes | None:
    """iCCP: name, method of compression, profile."""
    name, _, rest = kept.get(b"iCCP", b"").partition(b"\0")
    profile = inflate(rest[1:]) if name and rest[:1] == b"\0" else b""
    return profile if as_browsers_take(profile) else None


def _srgb(kept: Kept) -> bytes | None:
    return b"" if kept.get(b"sRGB") in _INTENTS else None


def _of_calibration(kept: Kept) -> bytes | None:
    gamma, chromaticities = kept.get(b"gAMA", b""), kept.get(b"cHRM", b"")
    return profile_for(
        Calibration(
            _GAMMA.unpack(gamma)[0] if len(gamma) == _GAMMA.size else None,
            _CHROMATICITIES.unpack(chromaticities) if len(chromaticities) == _CHROMATICITIES.size else None,
        )
    )


_IN_ORDER: tuple[Callable[[Kept], bytes | None], ...] = (_of_code_points, _embedded, _srgb, _of_calibration)
