"""What a child may use for one conversion: memory, processor time, result bytes, descriptors. Pure: from what the source's header declares.

Memory was measured as the peak above the zygote's: lossy 6 bytes a pixel (14 with alpha and a profile), lossless 24 to 28. A child is given
about half as much again, and a base.
"""

from __future__ import annotations

import math

from backend.core.conversion import Conversion
from backend.core.options import Options

MIB = 1 << 20
BASE_MEMORY_BYTES = 192 * MIB
"""On top of what the zygote has mapped before it forks."""
BYTES_A_PIXEL = 24
LOSSLESS_BYTES_A_PIXEL = 40
BASE_CPU_S = 5
CPU_S_A_MEGAPIXEL = 2.0
SLOW_CPU_S_A_MEGAPIXEL = 8.0
"""For lossless, ``lossless=auto``, a search for a size or a score, and slow methods."""
SLOW_METHOD = 5
"""From here on, transparency that looks like noise takes 2 to 3 seconds a megapixel on a busy machine."""
RESULT_BYTES_A_PIXEL, SIXTEEN_BITS_A_PIXEL = 5, 9
"""Noise takes 8 bytes in a PNG of 16 bits with transparency, and 4 in any other file."""
DESCRIPTORS = 16


def limits_for(conversion: Conversion, result_pixels: int) -> dict[str, int]:
    """By name (RLIMIT_…). ``AS`` is to be added to what is mapped already. ``result_pixels`` are those of all frames together."""
    options, pixels = conversion.options, max(conversion.shape.pixels, result_pixels)
    return {
        "AS": BASE_MEMORY_BYTES + conversion.limits.upload_bytes + (LOSSLESS_BYTES_A_PIXEL if may_be_lossless(options) else BYTES_A_PIXEL) * pixels,
        "CPU": cpu_s(conversion, pixels),
        "FSIZE": MIB + (SIXTEEN_BITS_A_PIXEL if conversion.output.has_sixteen_bits else RESULT_BYTES_A_PIXEL) * pixels,
        "NOFILE": DESCRIPTORS,
        "CORE": 0,
    }


def is_lossless(options: Options) -> bool:
    """``near_lossless`` is a preprocessing of the lossless encoder (libwebp's ``encode.h``). With ``lossless=auto`` the picture decides."""
    return options.lossless is True or options.near_lossless is not None


def may_be_lossless(options: Options) -> bool:
    return options.lossless == "auto" or is_lossless(options)


def cpu_s(conversion: Conversion, pixels: int) -> int:
    """Seconds of processor time: a decoder that loops ends before the job's time limit, and no ordinary encode needs as much."""
    options = conversion.options
    is_slow = may_be_lossless(options) or options.target_bytes is not None or options.quality == "auto" or options.method >= SLOW_METHOD
    a_megapixel = SLOW_CPU_S_A_MEGAPIXEL if is_slow else CPU_S_A_MEGAPIXEL
    return max(1, math.ceil(min(conversion.timeout_s, BASE_CPU_S + a_megapixel * pixels / 1e6)))
