"""Finding a quality: over pictures whose bytes grow otherwise than a photograph's, with plateaus and with parts that no quality shrinks."""

from __future__ import annotations

import pytest

from backend.codec import search

CURVES = {
    "photograph": lambda quality: 1000 * 2.718 ** search._along(search.LEVELS, search.GROWTH, search._level(quality)),
    "steep": lambda quality: 900 * 2.718 ** (1.6 * search._along(search.LEVELS, search.GROWTH, search._level(quality))),
    "mostly transparency": lambda quality: 4000 + 1000 * 2.718 ** search._along(search.LEVELS, search.GROWTH, search._level(quality)),
    "in proportion": lambda quality: 100 + 60 * quality,
    "in steps of the quantizer": lambda quality: 1000 + 40 * round(128 * search._level(quality)),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.77, 0.95])
def test_a_size_that_can_be_met_is_met_within_a_tenth(name: str, share: float) -> None:
    grown = CURVES[name]
    target = round(grown(0) + share * (grown(100) - grown(0)))
    found = search.for_size(lambda quality: bytes(round(grown(quality))), target)
    assert 0.9 * target <= found.best.size <= target
    assert found.is_met
    assert found.passes <= 6


def test_a_size_below_the_smallest_gives_the_smallest() -> None:
    found = search.for_size(lambda quality: bytes(500 + round(9 * quality)), 400)
    assert (found.best.size, found.best.quality, found.is_met) == (500, 0.0, False)


def test_a_size_above_the_largest_gives_the_largest() -> None:
    found = search.for_size(lambda quality: bytes(500 + round(quality)), 4000)
    assert (found.best.size, found.best.quality, found.is_met) == (600, 100.0, True)


def test_the_last_pass_is_kept_for_the_smallest() -> None:
    """A file that only shrinks at the very end of the scale."""
    found = search.for_size(lambda quality: bytes(90 if quality == 0 else 500), 100)
    assert (found.best.size, found.is_met) == (90, True)


@pytest.mark.parametrize("quality", [0, 1, 33.3, 75, 80, 99.5, 100])
def test_levels_and_qualities_are_one_scale(quality: float) -> None:
    assert search._quality(search._level(quality)) == pytest.approx(quality)


@pytest.mark.parametrize(("slope", "wanted"), [(0.5, 70.0), (1.2, 70.0), (0.9, 80.0)])
def test_a_score_is_found_in_few_probes(slope: float, wanted: float) -> None:
    probes: list[float] = []

    def judge(quality: float) -> float:
        probes.append(quality)
        return 62 + slope * (quality - 70)

    quality, reached = search.for_score(judge, wanted)
    assert reached == pytest.approx(wanted, abs=0.1)
    assert quality == pytest.approx(70 + (wanted - 62) / slope, abs=0.2)
    assert len(probes) <= search.MAX_PROBES
