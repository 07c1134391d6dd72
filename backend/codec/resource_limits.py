"""What one job may use, from what its source declares: memory, processor time, result bytes, descriptors. Pure.

Memory, measured as peak above the zygote's: lossy 6 bytes a pixel (14 with alpha and a profile), lossless 24 to 28; about half as much again is
given, and a base.
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
PATIENT_CPU_S_A_MEGAPIXEL = 8.0
PATIENT_METHOD = 5
"""From here on, transparency that looks like noise takes 2 to 3 seconds a megapixel on a busy machine."""
"""For lossless and for several passes."""
RESULT_BYTES_A_PIXEL = 5
DESCRIPTORS = 16


def bounds(conversion: Conversion, result_pixels: int) -> dict[str, int]:
    """Resource limits by name (RLIMIT_…); ``AS`` is to be added to what is mapped already."""
    options, pixels = conversion.options, max(conversion.shape.pixels, result_pixels)
    return {
        "AS": BASE_MEMORY_BYTES + conversion.limits.upload_bytes + (LOSSLESS_BYTES_A_PIXEL if is_lossless(options) else BYTES_A_PIXEL) * pixels,
        "CPU": cpu_s(conversion, pixels),
        "FSIZE": MIB + RESULT_BYTES_A_PIXEL * pixels,
        "NOFILE": DESCRIPTORS,
        "CORE": 0,
    }


def is_lossless(options: Options) -> bool:
    """near_lossless is a preprocessing of the lossless encoder (encode.h)."""
    return options.lossless or options.near_lossless is not None


def cpu_s(conversion: Conversion, pixels: int) -> int:
    """A decoder that spins is ended sooner than the wall clock would; an honest encode is not."""
    options = conversion.options
    is_patient = is_lossless(options) or options.target_bytes is not None or options.quality == "auto" or options.method >= PATIENT_METHOD
    a_megapixel = PATIENT_CPU_S_A_MEGAPIXEL if is_patient else CPU_S_A_MEGAPIXEL
    return max(1, math.ceil(min(conversion.timeout_s, BASE_CPU_S + a_megapixel * pixels / 1e6)))
