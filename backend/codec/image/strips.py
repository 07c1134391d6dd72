"""A filter that looks at the pixels around each, a strip of rows at a time: it takes little memory, and progress is reported in between."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

OnShare = Callable[[float], None]
STRIP_PIXELS = 1_000_000
ROWS_A_MARGIN = 4
"""Rows of a strip for each row of its margin: what is looked at twice stays under half."""


def filtered(image: Image.Image, margin: int, work: Callable[[Image.Image], Image.Image], on_share: OnShare) -> Image.Image:
    """``work`` keeps size and mode, and looks no further than ``margin`` rows. The result is that of ``work`` on the whole."""
    rows = max(STRIP_PIXELS // image.width, ROWS_A_MARGIN * margin, 1)
    if rows >= image.height:
        return work(image)
    result = Image.new(image.mode, image.size)
    for top in range(0, image.height, rows):
        bottom = min(image.height, top + rows)
        above, below = max(0, top - margin), min(image.height, bottom + margin)
        done = work(image.crop((0, above, image.width, below)))
        result.paste(done.crop((0, top - above, image.width, bottom - above)), (0, top))
        on_share(bottom / image.height)
    return result


def extended(image: Image.Image, margin: int) -> Image.Image:
    """With its outermost pixels repeated ``margin`` times on each side. Pillow repeats what it has blurred, at each of its passes."""
    width, height = image.size
    tall = Image.new(image.mode, (width, height + 2 * margin))
    tall.paste(image, (0, margin))
    for edge, top in ((0, 0), (height - 1, margin + height)):
        tall.paste(image.crop((0, edge, width, edge + 1)).resize((width, margin), Image.Resampling.NEAREST), (0, top))
    wide = Image.new(image.mode, (width + 2 * margin, tall.height))
    wide.paste(tall, (margin, 0))
    for edge, left in ((0, 0), (width - 1, margin + width)):
        wide.paste(tall.crop((edge, 0, edge + 1, tall.height)).resize((margin, tall.height), Image.Resampling.NEAREST), (left, 0))
    return wide


def gaussian_margin(sigma: float) -> int:
    """Rows that ``ImageFilter.GaussianBlur`` looks at: three boxes whose radius is about ``sigma``, and their edges."""
    return 3 * (int(sigma) + 2)
