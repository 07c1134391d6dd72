"""What libvips reads from a file that Chromium does not show."""

from __future__ import annotations

import numpy
import pyvips  # type: ignore[import-untyped]

from tests.support.chromium_pictures import Animation, Frame, Pixels


def read(data: bytes) -> Animation | None:
    """sRGB, turned as the file says; None for what libvips refuses."""
    try:
        image = pyvips.Image.new_from_buffer(data, "", fail_on="error").autorot()
        if image.get_typeof("icc-profile-data"):
            image = image.icc_transform("srgb")
        image = image.colourspace("srgb")
        image = image if image.hasalpha() else image.bandjoin(255)
        pixels: Pixels = numpy.ndarray((image.height, image.width, image.bands), numpy.uint8, image.cast("uchar").write_to_memory())
    except pyvips.Error:
        return None
    return still(pixels)


def still(pixels: Pixels) -> Animation:
    return Animation(pixels.shape[1], pixels.shape[0], (Frame(pixels, 0, is_exact=True),), 1)
