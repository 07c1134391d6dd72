"""``method=auto``: less effort while at least as many jobs wait as there are encoders, and never for a number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.core import effort
from backend.core.effort import EASED, FULL
from backend.core.job import Source, work_key
from backend.core.options import DEFAULTS, Options, for_format

AUTO = Options(method="auto")


@pytest.mark.parametrize(
    ("waiting", "encoders", "method"),
    [(0, 1, FULL), (1, 1, EASED), (0, 2, FULL), (1, 2, FULL), (2, 2, EASED), (900, 2, EASED), (15, 16, FULL), (16, 16, EASED), (0, 0, FULL)],
)
def test_the_effort_follows_what_waits_for_each_encoder(waiting: int, encoders: int, method: int) -> None:
    assert effort.with_effort(AUTO, waiting, encoders) == replace(AUTO, method=method)


@pytest.mark.parametrize("method", range(7))
def test_a_number_is_never_changed(method: int) -> None:
    asked = Options(method=method)
    assert effort.with_effort(asked, 1000, 1) == asked
    assert not effort.has_choice(asked)


def test_what_nobody_waits_for_is_the_default() -> None:
    assert effort.with_effort(AUTO, 0, 4).method == DEFAULTS["method"] == FULL


@pytest.mark.parametrize("chosen", [{"lossless": True}, {"near_lossless": 60}, {"quality": 91}, {"quality": 100}], ids=str)
def test_where_less_effort_brings_nothing_or_costs_too_much_it_stays(chosen: dict[str, object]) -> None:
    assert effort.with_effort(replace(AUTO, **chosen), 1000, 1).method == FULL


@pytest.mark.parametrize("chosen", [{"quality": 90}, {"quality": "auto"}, {"lossless": "auto"}, {"target_bytes": 5000}, {"sharp_yuv": True}], ids=str)
def test_it_goes_with_what_else_may_be_asked_for(chosen: dict[str, object]) -> None:
    assert effort.with_effort(replace(AUTO, **chosen), 1, 1) == replace(AUTO, **chosen, method=EASED)


def test_a_format_without_a_method_has_no_choice() -> None:
    assert not effort.has_choice(for_format(AUTO, "avif"))


def test_equal_jobs_share_one_result_whatever_its_effort_and_a_number_is_other_work() -> None:
    source = Source("a.png", 1, "ab" * 32, "png", 1, 1, 1)
    keys = [work_key(source, options, "") for options in (AUTO, replace(AUTO, filename="b"), Options(), Options(method=EASED))]
    assert keys[0] == keys[1] and len(set(keys)) == 3
