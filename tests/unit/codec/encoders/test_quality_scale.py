"""``quality_scale=look``: one number, one look, in every format that has a quality. The judge is PyPI's SSIMULACRA2."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from backend.codec.encoders import ssimulacra2
from backend.codec.encoders.quality_scale import eased_quality, native_quality, with_native_quality
from backend.core.effort import EASED, FULL, HIGHEST_EASED_QUALITY
from backend.core.options import LOSSY, Options
from tests.unit.codec.conftest import Convert, corpus, picture, saved

CLOSE = 3.0
SIDE = 480
"""The longer one, in pixels. The table was measured at 1000; of thumbnails, the means lie further apart."""


@pytest.mark.parametrize("name", LOSSY)
def test_a_higher_quality_never_looks_worse(name: str) -> None:
    found = [native_quality(quality, name) for quality in range(101)]
    assert found == sorted(found)
    assert 0 <= found[0] < found[50] < found[100] <= 100


def test_webp_is_the_measure() -> None:
    assert [native_quality(quality, "webp") for quality in range(101)] == list(range(101))


@pytest.mark.parametrize("name", LOSSY)
def test_nothing_changes_unless_it_is_asked_for(name: str) -> None:
    for each in (Options(format=name, quality=37), Options(format=name, quality="auto", quality_scale="look")):
        assert with_native_quality(each) == each


def test_the_result_says_which_quality_was_used(convert: Convert) -> None:
    source = saved(picture(), "PNG")
    for name in ("avif", "jpeg"):
        scaled = convert(source, format=name, quality=60, quality_scale="look")
        quality = scaled.converted.facts["quality"]
        assert quality == native_quality(60, name)
        assert scaled.data == convert(source, format=name, quality=quality).data
    same = convert(source, quality=60, quality_scale="look")
    assert same.data == convert(source, quality=60).data
    assert "quality" not in same.converted.facts


def test_a_target_begins_at_the_quality_that_looks_so(convert: Convert) -> None:
    source = saved(picture(600, 400), "PNG")
    roomy = convert(source, format="jpeg", quality=60, quality_scale="look", target_bytes=1 << 20)
    assert roomy.converted.facts["quality"] == native_quality(60, "jpeg")


@pytest.mark.parametrize("quality", [80, pytest.param(40, marks=pytest.mark.slow)])
def test_photographs_look_the_same_in_every_format(convert: Convert, tmp_path: Path, quality: int) -> None:
    photos = corpus("photos")
    if not photos:
        pytest.skip("no corpus on this machine")
    scores: dict[str, list[float]] = {name: [] for name in LOSSY}
    for photo in photos:
        with Image.open(photo) as opened:
            image = opened.convert("RGB")
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        source = saved(image, "PNG", compress_level=1, icc_profile=None)
        for name in LOSSY:
            result = convert(source, format=name, quality=quality, quality_scale="look")
            image.save(tmp_path / "source.png")
            result.image().convert("RGB").save(tmp_path / "result.png")
            scores[name].append(float(compute_ssimulacra2(str(tmp_path / "source.png"), str(tmp_path / "result.png"))))
    means = [statistics.mean(each) for each in scores.values()]
    assert max(means) - min(means) < CLOSE, means


def test_less_effort_never_takes_less_quality_than_asked_for() -> None:
    found = [eased_quality(quality) for quality in range(HIGHEST_EASED_QUALITY + 1)]
    assert found == sorted(found) and all(0 <= raised - asked < 1.5 for asked, raised in enumerate(found))
    assert [eased_quality(each) for each in (0, 60, 75)] == [0, 60, 75]
    assert eased_quality(80) > 80 and eased_quality(77.5) > 77.5


def test_less_effort_that_was_chosen_for_the_client_raises_the_quality_and_says_both(convert: Convert) -> None:
    source = saved(picture(), "PNG")
    eased = convert(source, method=EASED, chosen_method=EASED)
    assert (eased.converted.facts["method"], eased.converted.facts["quality"]) == (EASED, eased_quality(80))
    assert len(eased.data) > len(convert(source, method=EASED).data)


def test_full_effort_that_was_chosen_for_the_client_gives_the_bytes_of_the_default(convert: Convert) -> None:
    source = saved(picture(), "PNG")
    chosen, fixed = convert(source, chosen_method=FULL), convert(source)
    assert chosen.data == fixed.data
    assert (chosen.converted.facts["method"], "quality" in chosen.converted.facts, "method" in fixed.converted.facts) == (FULL, False, False)


def test_effort_that_the_client_chose_leaves_the_quality_alone(convert: Convert) -> None:
    facts = convert(saved(picture(), "PNG"), method=EASED).converted.facts
    assert not {"method", "quality"} & facts.keys()


def test_a_drawing_kept_without_loss_says_the_method_and_no_quality(convert: Convert) -> None:
    flat = Image.new("RGB", (400, 300), "white")
    flat.paste("red", (50, 50, 200, 200))
    facts = convert(saved(flat, "PNG"), lossless="auto", method=EASED, chosen_method=EASED).converted.facts
    assert (facts["lossless"], facts["method"], "quality" in facts) == (True, EASED, False)


def test_a_search_finds_its_own_quality_with_less_effort(convert: Convert) -> None:
    facts = convert(saved(picture(), "PNG"), quality="auto", method=EASED, chosen_method=EASED).converted.facts
    assert facts["method"] == EASED and {"quality", "score", "probes"} <= facts.keys()


def test_of_several_formats_only_webp_has_a_method_and_another_quality(convert: Convert) -> None:
    outcome = convert(saved(picture(), "PNG"), formats="webp,jpeg", method=EASED, chosen_method=EASED)
    webp, jpeg = (each.converted.facts for each in outcome.variants)
    assert (webp["method"], webp["quality"]) == (EASED, eased_quality(80))
    assert not {"method", "quality"} & jpeg.keys()
    assert outcome.variants[1].data == convert(saved(picture(), "PNG"), format="jpeg").data


@pytest.mark.parametrize("quality", [80, pytest.param(88, marks=pytest.mark.slow)])
def test_photographs_look_the_same_with_less_effort(convert: Convert, quality: int) -> None:
    photos = corpus("photos")
    if not photos:
        pytest.skip("no corpus on this machine")
    gains = []
    for photo in photos:
        with Image.open(photo) as opened:
            image = opened.convert("RGB")
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        source, original = saved(image, "PNG", compress_level=1, icc_profile=None), ssimulacra2.Original(image)
        full, eased = (convert(source, quality=quality, method=each, chosen_method=each) for each in (FULL, EASED))
        gains.append(original.score(eased.image().convert("RGB")) - original.score(full.image().convert("RGB")))
    assert abs(statistics.mean(gains)) < 1.0, gains
