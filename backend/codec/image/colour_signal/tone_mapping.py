"""HDR (PQ and HLG) brought to SDR by the reference white tone mapping operator of SMPTE ST 2094-50, annex D, as Chromium does.

White at 203 nits (ITU-R BT.2408) becomes half of SDR white in linear light where the content reaches 1,000 nits; lights above it follow a Bézier
curve up to the content's peak, which becomes SDR white. All three channels of a pixel get the gain of its largest one in BT.2020, so hues stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product as pairs

from backend.codec.image.colour_signal import icc_writer, transfers
from backend.codec.image.colour_signal.matrices import Matrix, Vector, inverse, product
from backend.codec.image.colour_signal.primaries import BT_709, BT_2020, Primaries, matrix_to_d50

WHITE_NITS = 203.0
PEAK_NITS = 1000.0
"""Of content that does not say it, and of the display that HLG is made for."""
_PQ_NITS = 10_000.0
_HLG_SYSTEM_GAMMA = 1.2
"""ITU-R BT.2100 table 5, for a display of 1,000 nits."""
_HLG_LUMINANCE = (0.2627, 0.678, 0.0593)
_KAPPA = 0.65
SIDE = 33
"""Nodes of the table along each channel: as many as LittleCMS makes of it."""

Gain = Callable[[float], float]


def profile(primaries: Primaries, transfer: int, peak_nits: float) -> bytes:
    """From PQ or HLG (code points of H.273) in these primaries. Its table leads to sRGB already, where it clips as a browser does."""
    given, shown = matrix_to_d50(primaries), matrix_to_d50(BT_709)
    to_wide = product(inverse(matrix_to_d50(BT_2020)), given)
    levels = _levels(transfer, to_wide, product(inverse(shown), given), _gain_for(peak_nits or PEAK_NITS))
    return icc_writer.table_profile(SIDE, levels, transfers.SRGB, shown)


def _levels(transfer: int, to_wide: Matrix, to_shown: Matrix, gain_for: Gain) -> Iterator[int]:
    """Of each node: sRGB in 16 bits. Lights are relative to white; ``wide`` is BT.2020. Both products stand here in full, for speed."""
    light_of, ootf = (_pq_light, _no_ootf) if transfer == transfers.PQ else (_hlg_light, _hlg_ootf)
    lights = [light_of(node / (SIDE - 1)) for node in range(SIDE)]
    (a, b, c), (d, e, f), (g, h, i) = to_wide
    (j, k, l), (m, n, o), (p, q, r) = to_shown
    for red, green, blue in pairs(lights, repeat=3):
        wide = (a * red + b * green + c * blue, d * red + e * green + f * blue, g * red + h * green + i * blue)
        gain = ootf(wide)
        gain *= gain_for(gain * max(wide) if gain > 0 else gain * min(wide))
        yield _coded((j * red + k * green + l * blue) * gain)
        yield _coded((m * red + n * green + o * blue) * gain)
        yield _coded((p * red + q * green + r * blue) * gain)


def _pq_light(sample: float) -> float:
    """ITU-R BT.2100 table 4, inverse of the reference OETF."""
    root = math.pow(sample, 32 / 2523)
    return math.pow(max(root - 107 / 128, 0.0) / (2413 / 128 - 2392 / 128 * root), 16384 / 2610) * _PQ_NITS / WHITE_NITS


def _hlg_light(sample: float) -> float:
    """ITU-R BT.2100 table 5: light of the scene, 1 at the most."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return sample * sample / 3 if sample <= 0.5 else (math.exp((sample - c) / a) + b) / 12


def _no_ootf(_wide: Vector) -> float:
    return 1.0


def _hlg_ootf(wide: Vector) -> float:
    """From light of the scene to light of the display, as a gain. Colours that no eye sees may have a luminance below zero."""
    luminance = _HLG_LUMINANCE[0] * wide[0] + _HLG_LUMINANCE[1] * wide[1] + _HLG_LUMINANCE[2] * wide[2]
    return math.copysign(math.pow(abs(luminance), _HLG_SYSTEM_GAMMA - 1), luminance) * PEAK_NITS / WHITE_NITS


def _gain_for(peak_nits: float) -> Gain:
    """ST 2094-50 formulas D.1 to D.5, for a display that has no headroom above white."""
    headroom = max(0.0, math.log2(peak_nits / WHITE_NITS))
    if headroom == 0.0:
        return lambda _light: 1.0
    white = 1 - 0.5 * min(headroom / math.log2(PEAK_NITS / WHITE_NITS), 1.0)
    peak = 2.0**headroom
    middle_x, middle_y = 1 - _KAPPA + _KAPPA / white, (1 - _KAPPA) * white + _KAPPA
    ax, bx = 1 - 2 * middle_x + peak, 2 * middle_x - 2
    ay, by = white - 2 * middle_y + 1, 2 * middle_y - 2 * white

    def gain(light: float) -> float:
        if light <= 1:
            return white
        if light >= peak:
            return 1 / light
        t = (light - 1) * 2 / (bx + math.sqrt(bx * bx + 4 * ax * (light - 1)))
        return (white + t * (by + t * ay)) / light

    return gain


def _coded(light: float) -> int:
    """sRGB's transfer, in 16 bits."""
    if light >= 1:
        return 65535
    if light <= 0.0031308:
        return int(light * 846725 + 0.5) if light > 0 else 0
    return int(math.pow(light, 1 / 2.4) * 69139.425 - 3603.925)
