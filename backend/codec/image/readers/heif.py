"""AVIF and HEIC: their colours by code points (nclx), where they carry no profile."""

from __future__ import annotations

from dataclasses import replace

from backend.codec.image.colour_signal import CodePoints, profile_for
from backend.codec.image.notes.notes import Notes
from backend.codec.image.readers.picture import Picture
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.image_headers.heif_facts import HeifFacts, read_heif_facts
from backend.core.image_headers.heif_plays import avif_plays
from backend.core.limits import Limits

_BT_709, _SRGB = 1, 13
_RESERVED_PRIMARIES, _RESERVED_TRANSFERS = 0, (0, 3)
_KNOWN_PRIMARIES = frozenset((1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22))
_KNOWN_TRANSFERS = frozenset((4, 5, 7, 8, 13, 16, 17, 18))
"""Browsers show others as sRGB: also those of television (1, 6, 14, 15), unlike in PNG."""


class HeifPicture(Picture):
    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        super().__init__(source, shape, limits)
        self._facts = read_heif_facts(source.read_at, source.size_bytes)

    @property
    def profile(self) -> bytes:
        return super().profile or _profile_for(self._facts)

    @property
    def play_count(self) -> int:
        return avif_plays(self._source.read_at, self._source.size_bytes)

    @property
    def notes(self) -> Notes:
        return replace(super().notes, profile=self.profile, extras=self._facts.extras)


def _profile_for(facts: HeifFacts) -> bytes:
    """The decoder has made RGB of full range of the samples: matrix and range are done with."""
    points = facts.points
    if points is None or points.primaries == _RESERVED_PRIMARIES or points.transfer in _RESERVED_TRANSFERS:
        return b""
    primaries = points.primaries if points.primaries in _KNOWN_PRIMARIES else _BT_709
    transfer = points.transfer if points.transfer in _KNOWN_TRANSFERS else _SRGB
    return profile_for(CodePoints(primaries, transfer, peak_nits=facts.peak_nits)) or b""
