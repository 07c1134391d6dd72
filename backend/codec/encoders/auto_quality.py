"""``quality=auto``: the smallest file in which this picture still looks as good as promised."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from backend.codec.encoders import quality_search, ssimulacra2
from backend.codec.native import libwebp

TARGET = 73.0
"""SSIMULACRA2: above the 'high quality' of 70. On photographs it costs about the bytes of quality 80, without the ones that quality 80 spoils."""
MARGIN = 0.5
"""Points added to it: what the score here is wrong by (``bench/codec_score.py``)."""
CAUTIOUS = 75.0
"""Least quality for drawings, screenshots and cut-outs: the measure was made for photographs, and is kind to large plain areas."""
PATIENCE_MS, FEWEST = 20_000.0, 2
"""Processor time for all probes on an idle machine, a third of the time an encode may take by default; and the probes that it is overdrawn for."""
LOOK_MS_A_MEGAPIXEL = 40.0
SHARPNESS = 3
"""libwebp's loop filter, kept off the edges: one in a hundred bytes at the same score."""


def seen(image: Image.Image, encode: Callable[[float], bytes], encode_ms: float, on_ready: Callable[[], None]) -> quality_search.Seen:
    """``encode`` gives the file at a quality, in about ``encode_ms``; once ``on_ready`` is called, ``image`` is no longer needed."""
    a_probe_ms = encode_ms + LOOK_MS_A_MEGAPIXEL * image.width * image.height / 1e6
    most = min(quality_search.MAX_PROBES, max(FEWEST, int(PATIENCE_MS / a_probe_ms)))
    original = ssimulacra2.Original(image)
    lowest = quality_search.LOWEST if ssimulacra2.is_photograph(image) else CAUTIOUS
    on_ready()

    def probe(quality: float) -> quality_search.Probe:
        data = encode(quality)
        return quality_search.Probe(quality, original.score(libwebp.decoded(data)), data)

    return quality_search.for_score(probe, TARGET + MARGIN, lowest, most)
