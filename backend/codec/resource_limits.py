"""What a child may use for one conversion: memory, processor time, result bytes, descriptors. Pure: from what the source's header declares.

Memory was measured as the peak above the zygote's: lossy 6 bytes a pixel (14 with alpha and a profile), lossless 24 to 28. A child is given
about half as much again, and a base.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from backend.core.conversion import Conversion
from backend.core.encode_time import encode_s
from backend.core.options import Options
from backend.core.variants import conversions

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
SLOWEST_METHOD, SLOWEST_CPU_S_A_MEGAPIXEL = 6, 40.0
"""Transparency that looks like noise: measured as 3 seconds a megapixel on one machine, and as 23 on another."""
AVIF_BYTES_A_PIXEL = {"4:2:0": 55, "4:4:4": 80}
"""By chroma, with transparency: address space was measured as 36 and 53 (``python -m bench.avif_memory``)."""
AVIF_SLOW_BYTES_A_PIXEL = {"4:2:0": 80, "4:4:4": 110}
"""The same up to ``AVIF_SLOW_SPEED``: measured as 51 and 72."""
AVIF_SLOW_SPEED = 5
AVIF_FRAME_BYTES_A_PIXEL, AVIF_LOOK_AHEAD_BYTES_A_PIXEL = 160, 550
"""Of an animation's canvas, for any number of frames: measured as 103, and as 363 where libaom looks ahead."""
AVIF_LOOK_AHEAD_PIXELS = 2_000_000
"""Of larger canvases, libaom does not look ahead: it would hold the memory of fifty frames (``encoders/avif/animation.py``)."""
AVIF_CPU_FACTOR = 4
"""Times what a photograph takes on the machine where that was measured: others are slower, and some pictures harder."""
WATERMARK_BYTES = 96 * MIB
"""The largest mark as it is decoded and scaled, and a strip of the picture below it: measured as 51 MiB."""
SCALED_BYTES_A_PIXEL = 4
"""Of a picture as Pillow holds it."""
RESULT_BYTES_A_PIXEL, SIXTEEN_BITS_A_PIXEL = 5, 9
"""Noise takes 8 bytes in a PNG of 16 bits with transparency, and 4 in any other file."""
DESCRIPTORS = 16


def limits_for(conversion: Conversion, result_pixels: Sequence[int]) -> dict[str, int]:
    """By name (RLIMIT_…). ``AS`` is to be added to what is mapped already. ``result_pixels`` are those of all frames together, for each variant."""
    variants = list(zip(conversions(conversion), (max(conversion.shape.pixels, each) for each in result_pixels), strict=True))
    return {
        "AS": BASE_MEMORY_BYTES + conversion.limits.upload_bytes + max(map(_picture_bytes, variants)) + _besides_bytes(conversion, result_pixels),
        "CPU": _variants_cpu_s(conversion, result_pixels),
        "FSIZE": sum(MIB + (SIXTEEN_BITS_A_PIXEL if each.output.has_sixteen_bits else RESULT_BYTES_A_PIXEL) * pixels for each, pixels in variants),
        "NOFILE": DESCRIPTORS,
        "CORE": 0,
    }


def _besides_bytes(conversion: Conversion, result_pixels: Sequence[int]) -> int:
    return _variants_bytes(conversion, result_pixels) + (WATERMARK_BYTES if conversion.options.watermark is not None else 0)


def _variants_bytes(conversion: Conversion, result_pixels: Sequence[int]) -> int:
    """Of the sizes that wait until they are encoded. A format more needs none."""
    if not conversion.options.is_several:
        return 0
    widths = conversion.options.asked_widths
    return SCALED_BYTES_A_PIXEL * sum(result_pixels[: len(widths)]) // conversion.shape.frames


def _picture_bytes(variant: tuple[Conversion, int]) -> int:
    return picture_bytes(*variant)


def _variants_cpu_s(conversion: Conversion, result_pixels: Sequence[int]) -> int:
    """One of them has the whole source to decode."""
    if not conversion.options.is_several:
        return cpu_s(conversion, max(conversion.shape.pixels, result_pixels[0]))
    each_s = [cpu_s(variant, pixels) for variant, pixels in zip(conversions(conversion), result_pixels, strict=True)]
    return max(1, math.ceil(min(conversion.timeout_s, cpu_s(conversions(conversion)[0], conversion.shape.pixels) + sum(each_s))))


def picture_bytes(conversion: Conversion, pixels: int) -> int:
    """Of memory, for a source and a result of so many ``pixels`` in all frames."""
    options = conversion.options
    as_webp = (LOSSLESS_BYTES_A_PIXEL if may_be_lossless(options) else BYTES_A_PIXEL) * pixels
    return max(as_webp, _avif_bytes(conversion, pixels)) if options.format == "avif" else as_webp


def _avif_bytes(conversion: Conversion, pixels: int) -> int:
    options, canvas_pixels = conversion.options, math.ceil(pixels / conversion.shape.frames)
    a_pixel = (AVIF_SLOW_BYTES_A_PIXEL if options.speed <= AVIF_SLOW_SPEED else AVIF_BYTES_A_PIXEL)[options.subsampling]
    if conversion.shape.frames > 1 and options.animation == "keep":
        a_pixel = AVIF_LOOK_AHEAD_BYTES_A_PIXEL if canvas_pixels <= AVIF_LOOK_AHEAD_PIXELS else AVIF_FRAME_BYTES_A_PIXEL
    return a_pixel * canvas_pixels


def is_lossless(options: Options) -> bool:
    """``near_lossless`` is a preprocessing of the lossless encoder (libwebp's ``encode.h``). With ``lossless=auto`` the picture decides."""
    return options.lossless is True or options.near_lossless is not None


def may_be_lossless(options: Options) -> bool:
    return options.lossless == "auto" or is_lossless(options)


def cpu_s(conversion: Conversion, pixels: int) -> int:
    """Seconds of processor time: a decoder that loops ends before the job's time limit, and no ordinary encode needs as much."""
    options = conversion.options
    if options.format == "avif":
        return _avif_cpu_s(conversion, pixels)
    is_slow = may_be_lossless(options) or options.target_bytes is not None or options.quality == "auto" or int(options.method) >= SLOW_METHOD
    a_megapixel = SLOW_CPU_S_A_MEGAPIXEL if is_slow else CPU_S_A_MEGAPIXEL
    if int(options.method) >= SLOWEST_METHOD and not may_be_lossless(options):
        a_megapixel = SLOWEST_CPU_S_A_MEGAPIXEL
    return max(1, math.ceil(min(conversion.timeout_s, BASE_CPU_S + a_megapixel * pixels / 1e6)))


def _avif_cpu_s(conversion: Conversion, pixels: int) -> int:
    """A search has all of the time: it makes as many passes as fit."""
    options = conversion.options
    is_search = options.target_bytes is not None or options.quality == "auto"
    once_s = BASE_CPU_S + CPU_S_A_MEGAPIXEL * pixels / 1e6 + AVIF_CPU_FACTOR * encode_s(options.speed, pixels)
    return max(1, math.ceil(conversion.timeout_s if is_search else min(conversion.timeout_s, once_s)))
