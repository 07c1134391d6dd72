"""``quality=auto``: the smallest file in which this picture still has a given SSIMULACRA2 score."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from backend.codec.encoders import quality_search, ssimulacra2

TARGET = 73.0
"""Above the score of 70 that is called high quality. Over photographs it costs about the bytes of quality 80, and none of them falls below it."""
MARGIN = 0.5
"""Points added to the target: the error of the score computed here (``bench/codec_score.py``)."""
MIN_DRAWING_QUALITY = 75.0
"""Lowest quality for drawings, screenshots and cut-outs: the score was made for photographs, and is too high for large plain areas."""
PROBES_MS, MIN_PROBES = 20_000.0, 2
"""Processor time for all probes on an idle machine, a third of the default time limit of an encode; and the number of probes in any case."""
SCORE_MS_A_MEGAPIXEL = 40.0
SHARPNESS = 3
"""Of libwebp's loop filter, which is kept off the edges: 0.8 % fewer bytes at the same score."""


def lowest_quality(image: Image.Image) -> float:
    return quality_search.LOWEST if ssimulacra2.is_photograph(image) else MIN_DRAWING_QUALITY


def search(
    image: Image.Image,
    encode: Callable[[float], bytes],
    decode: Callable[[bytes], Image.Image],
    encode_ms: float,
    on_ready: Callable[[], None],
    max_probes: int = quality_search.MAX_PROBES,
) -> quality_search.ScoreResult:
    """``encode`` gives the file at a quality, in about ``encode_ms``. ``on_ready`` is called once ``image`` is not needed any more."""
    probe_ms = encode_ms + SCORE_MS_A_MEGAPIXEL * image.width * image.height / 1e6
    max_probes = min(max_probes, quality_search.MAX_PROBES, max(MIN_PROBES, int(PROBES_MS / probe_ms)))
    original = ssimulacra2.Original(image)
    lowest = lowest_quality(image)
    on_ready()

    def probe(quality: float) -> quality_search.Probe:
        data = encode(quality)
        return quality_search.Probe(quality, original.score(decode(data)), data)

    return quality_search.search_by_score(probe, TARGET + MARGIN, lowest, max_probes)
