"""What a file says of its colours without an ICC profile: code points (PNG's cICP, AVIF's and HEIC's nclx), or PNG's gAMA and cHRM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from backend.codec.image.colour_signal import icc_writer, primaries, tone_mapping, transfers
from backend.codec.image.colour_signal.primaries import Primaries
from backend.codec.image.colour_signal.transfers import Curve

_SRGB = (1, 13)
_ABOUT_SRGB = range(43_182, 47_728)
"""gAMA without cHRM within 5 % of 1/2.2, which files in sRGB say: browsers take it as that."""
_CHRM_UNIT = 100_000


@dataclass(frozen=True, slots=True)
class CodePoints:
    """ITU-T H.273: numbers of the tables for primaries, transfer characteristics and matrix coefficients.

    ``peak_nits`` is the brightest light of HDR content: of cLLI (MaxCLL), else of mDCV (the display's maximum); 0 where the file says neither.
    """

    primaries: int
    transfer: int
    matrix: int = 0
    is_full_range: bool = True
    peak_nits: float = 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """PNG §11.3.2.1 and §11.3.2.2, as stored: hundred-thousandths. ``None`` where the chunk is missing.

    ``gamma`` is the exponent from light to sample, 45455 for a file of gamma 2.2. ``chromaticities`` are x and y of white, red, green, blue.
    """

    gamma: int | None = None
    chromaticities: tuple[int, int, int, int, int, int, int, int] | None = None


ColourSignal = CodePoints | Calibration


@lru_cache(maxsize=8)
def profile_for(signal: ColourSignal) -> bytes | None:
    """The ICC profile (from RGB, also for grey pixels) that the signal stands for; empty for sRGB.

    ``None`` for a signal that browsers pass over: then the next thing that the file says counts.
    """
    try:
        return _of_code_points(signal) if isinstance(signal, CodePoints) else _of_calibration(signal)
    except (ZeroDivisionError, OverflowError):  # primaries without an area, a white without light
        return None


def _of_code_points(signal: CodePoints) -> bytes | None:
    """The samples are RGB of full range: nothing else is a signal for them."""
    given = primaries.OF_CODE_POINT.get(signal.primaries)
    if given is None or signal.matrix != 0 or not signal.is_full_range:
        return None
    if (signal.primaries, signal.transfer) == _SRGB:
        return b""
    if signal.transfer in (transfers.PQ, transfers.HLG):
        return tone_mapping.profile(given, signal.transfer, signal.peak_nits)
    curve = transfers.OF_CODE_POINT.get(signal.transfer)
    return None if curve is None else _matrix_profile(given, curve)


def _of_calibration(signal: Calibration) -> bytes | None:
    """cHRM alone says nothing."""
    if not signal.gamma or (signal.chromaticities is None and signal.gamma in _ABOUT_SRGB):
        return None
    given = primaries.BT_709
    if signal.chromaticities is not None:
        if any(value > _CHRM_UNIT for value in signal.chromaticities):
            return None
        given = Primaries(*(value / _CHRM_UNIT for value in signal.chromaticities))
    return _matrix_profile(given, Curve(_CHRM_UNIT / signal.gamma))


def _matrix_profile(given: Primaries, curve: Curve) -> bytes:
    return icc_writer.matrix_profile(primaries.matrix_to_d50(given), curve)
