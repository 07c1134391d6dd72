"""Finding a quality: over pictures whose bytes grow otherwise than a photograph's, with plateaus and with parts that no quality shrinks."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from backend.codec.encoders import quality_search


def growth(quality: float) -> float:
    return quality_search._interpolate(quality_search.LEVELS, quality_search.GROWTH, quality_search._level_of(quality))


CURVES = {
    "photograph": lambda quality: 1000 * 2.718 ** growth(quality),
    "steep": lambda quality: 900 * 2.718 ** (1.6 * growth(quality)),
    "mostly transparency": lambda quality: 4000 + 1000 * 2.718 ** growth(quality),
    "in proportion": lambda quality: 100 + 60 * quality,
    "in steps of the quantizer": lambda quality: 1000 + 40 * round(128 * quality_search._level_of(quality)),
}


def within(grown: Callable[[float], float], target: int, quality: float = 100.0) -> quality_search.SizeResult:
    """``grown`` gives the bytes at a quality; ``quality`` is the one asked for."""

    def encode(at: float) -> bytes:
        assert at <= quality
        return bytes(round(grown(at)))

    return quality_search.search_by_size(encode, target, quality_search.Pass(quality, encode(quality)))


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("quality", [35.0, 80.0, 95.0])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.77, 0.95])
def test_a_size_that_can_be_met_is_met_within_a_tenth(name: str, quality: float, share: float) -> None:
    grown = CURVES[name]
    target = round(grown(0) + share * (grown(quality) - grown(0)))
    found = within(grown, target, quality)
    assert 0.9 * target <= found.best.size <= target
    assert found.is_met
    assert found.passes <= (6 if quality == 80 else quality_search.MAX_PASSES)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("quality", [0.0, 1.0, 50.0, 80.0, 100.0])
@pytest.mark.parametrize("times", [1.0, 1.05, 2.0, 1000.0])
def test_a_small_file_stays_as_small_as_the_quality_alone_makes_it(name: str, quality: float, times: float) -> None:
    usual = round(CURVES[name](quality))
    found = within(CURVES[name], round(times * usual), quality)
    assert (found.best.size, found.best.quality, found.passes, found.is_met) == (usual, quality, 1, True)


def test_a_size_below_the_smallest_gives_the_smallest() -> None:
    found = within(lambda quality: 500 + 9 * quality, 400)
    assert (found.best.size, found.best.quality, found.is_met) == (500, 0.0, False)


def test_no_file_is_larger_than_at_the_quality_even_where_sizes_waver() -> None:
    """Of tiny pictures, a lower quality may give more bytes."""
    for target in range(380, 460):
        assert within(lambda quality: 400 + 60 * math.sin(quality), target, 80.0).best.size <= max(target, round(400 + 60 * math.sin(80.0)))


def test_the_last_pass_is_kept_for_the_smallest() -> None:
    """A file that only shrinks at the very end of the scale."""
    found = within(lambda quality: 90 if quality == 0 else 500, 100)
    assert (found.best.size, found.is_met) == (90, True)


@pytest.mark.parametrize("quality", [0, 1, 33.3, 75, 80, 99.5, 100])
def test_levels_and_qualities_are_one_scale(quality: float) -> None:
    assert quality_search._quality_of(quality_search._level_of(quality)) == pytest.approx(quality)


LOOKS = {
    "usual": lambda quality: 73 + 0.8 * (quality - 78),
    "steep": lambda quality: 68 + 1.3 * (quality - 78),
    "flat": lambda quality: 79 + 0.5 * (quality - 78),
    "wavering": lambda quality: 70 + 0.9 * (quality - 78) + 0.7 * math.sin(9 * quality),
    "bent": lambda quality: 100 - (110 - quality) ** 2 / 40,
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("wanted", [70.0, 73.5, 80.0])
def test_a_score_is_kept_by_a_probe_that_was_seen(name: str, wanted: float) -> None:
    look, probes = LOOKS[name], []

    def probe(quality: float) -> quality_search.Probe:
        probes.append(quality)
        return quality_search.Probe(quality, look(quality), bytes(round(1000 + 10 * quality)))

    seen = quality_search.search_by_score(probe, wanted)
    assert seen.best.quality in probes
    assert wanted <= seen.best.score <= wanted + 2.5
    assert seen.probes == len(probes) <= quality_search.MAX_PROBES


def test_a_score_out_of_reach_gives_the_best_looking() -> None:
    seen = quality_search.search_by_score(lambda quality: quality_search.Probe(quality, quality / 2, bytes(100)), 73.0)
    assert seen.best.quality == quality_search.HIGHEST


def test_a_score_that_is_always_reached_gives_the_lowest_quality_allowed() -> None:
    seen = quality_search.search_by_score(lambda quality: quality_search.Probe(quality, 90 + quality / 100, bytes(round(quality))), 73.0, lowest=75.0)
    assert seen.best.quality == 75.0


@pytest.mark.parametrize("most", [2, 3])
def test_few_probes_still_keep_the_score(most: int) -> None:
    seen = quality_search.search_by_score(
        lambda quality: quality_search.Probe(quality, LOOKS["steep"](quality), bytes(round(quality))), 73.5, max_probes=most
    )
    assert (seen.best.score >= 73.5, seen.probes <= most) == (True, True)
