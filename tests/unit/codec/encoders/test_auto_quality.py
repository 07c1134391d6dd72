"""``quality=auto`` against the reference measure: what is reported is true, and what is promised is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from ssimulacra2 import compute_ssimulacra2

from backend.codec.encoders import auto_quality, quality_search, ssimulacra2
from backend.codec.native import libwebp
from tests.unit.codec.conftest import CORPUS, Convert, picture, saved

NEAR = 1.0
"""Points of SSIMULACRA2."""


def grain(width: int, height: int) -> Image.Image:
    """A painted scene with detail at every scale, in colour, the same each time."""
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    blurred = [band.filter(ImageFilter.GaussianBlur(radius)) for band, radius in zip(Image.fromarray(noise).split(), (1, 2, 3), strict=True)]
    return Image.blend(picture(width, height), Image.merge("RGB", blurred), 0.4)


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_the_score_is_that_of_the_reference(tmp_path: Path, quality: int) -> None:
    image = grain(640, 480)
    coded = saved(image, "WEBP", quality=quality)
    image.save(tmp_path / "one.png")
    decoded = libwebp.decode(coded)
    decoded.convert("RGB").save(tmp_path / "other.png")
    expected = compute_ssimulacra2(str(tmp_path / "one.png"), str(tmp_path / "other.png"))
    assert ssimulacra2.Original(image).score(decoded) == pytest.approx(expected, abs=NEAR)


def test_the_same_picture_has_the_full_score() -> None:
    image = grain(300, 200)
    assert ssimulacra2.Original(image).score(image.convert("RGBA")) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (40, 9), (257, 31)])
def test_a_picture_of_any_size_is_judged(convert: Convert, size: tuple[int, int]) -> None:
    result = convert(saved(grain(*size), "PNG"), quality="auto")
    assert (result.converted.width, result.converted.height) == size
    assert 0 <= result.converted.facts["score"] <= 100


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
@pytest.mark.parametrize("options", [{}, {"sharp_yuv": True}, {"method": 0}, {"metadata": "all", "width": 200}], ids=str)
def test_auto_goes_with_every_option(convert: Convert, mode: str, options: dict[str, object]) -> None:
    result = convert(saved(picture(mode=mode), "PNG"), quality="auto", **options)
    facts = result.converted.facts
    assert quality_search.LOWEST <= facts["quality"] <= 100
    assert 1 <= facts["probes"] <= quality_search.MAX_PROBES
    assert result.image().mode == ("RGBA" if mode == "RGBA" else "RGB")


@pytest.mark.parametrize("name", ["0.6mp", "2mp"])
def test_a_photograph_keeps_the_score_that_is_promised(convert: Convert, tmp_path: Path, name: str) -> None:
    path = CORPUS / "photos" / f"{name}.jpg"
    if not path.exists():
        pytest.skip("no corpus on this machine")
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((800, 800))
    result = convert(saved(image, "PNG"), quality="auto")
    image.save(tmp_path / "one.png")
    result.image().convert("RGB").save(tmp_path / "other.png")
    true = compute_ssimulacra2(str(tmp_path / "one.png"), str(tmp_path / "other.png"))
    assert auto_quality.TARGET <= true <= auto_quality.TARGET + 3
    assert result.converted.facts["score"] == pytest.approx(true, abs=NEAR)
    assert result.converted.facts["probes"] <= quality_search.MAX_PROBES


@pytest.mark.parametrize(("encode_ms", "made"), [(10.0, 3), (6_500.0, 3), (9_000.0, auto_quality.MIN_PROBES), (60_000.0, auto_quality.MIN_PROBES)])
def test_a_picture_that_takes_long_gets_fewer_probes(encode_ms: float, made: int) -> None:
    """An encoder that never gives enough is asked up to the highest quality, or as often as there is time for."""
    image, qualities = grain(64, 64), []

    def encode(quality: float) -> bytes:
        qualities.append(quality)
        return saved(image, "WEBP", quality=5 + len(qualities))

    auto_quality.search(image, encode, libwebp.decode, encode_ms, lambda: None)
    assert len(qualities) == made
