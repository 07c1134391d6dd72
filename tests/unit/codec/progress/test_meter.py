"""The bar: never back, never faked, and within the law of ``Meter``."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from PIL import Image

from backend.codec.encoders.quality import share_of_pass
from backend.codec.progress import curves
from backend.codec.progress.meter import Meter
from backend.core.conversion import Progress
from backend.core.options import Options
from tests.unit.codec.conftest import CORPUS, EACH_STEP_S, Convert, picture, saved

KINDS: dict[str, dict[str, Any]] = {
    "lossy": {},
    "lossless": {"lossless": True},
    "near_lossless": {"near_lossless": 60},
    "sharp": {"sharp_yuv": True},
    "alpha": {},
}


@pytest.mark.parametrize("options", [{}, {"method": 6}, {"lossless": True, "method": 2}, {"target_bytes": 60_000}, {"quality": "auto"}], ids=str)
def test_percent_never_falls_and_stages_come_in_order(convert: Convert, options: dict[str, object]) -> None:
    reports = convert(saved(picture(1800, 1200), "JPEG"), **options).reports
    percents = [report.percent for report in reports]
    assert percents == sorted(percents)
    assert 0 <= percents[0] <= percents[-1] <= 100
    assert list(dict.fromkeys(report.stage for report in reports)) == ["decode", "transform", "encode"]


def test_a_large_photograph_reports_at_least_fifteen_values(convert: Convert) -> None:
    path = CORPUS / "photos" / "24mp.jpg"
    source = path.read_bytes() if path.exists() else saved(picture(6000, 4000), "JPEG", quality=90)
    percents = {int(report.percent) for report in convert(source).reports}
    assert len(percents) >= 15


def test_decoding_is_measured_by_what_was_read(convert: Convert) -> None:
    source = saved(Image.effect_noise((4000, 3000), 90), "JPEG", quality=95)
    decoding = [report.percent for report in convert(source, report_every_s=EACH_STEP_S, method=0, width=400).reports if report.stage == "decode"]
    assert len(set(decoding)) >= 3


@pytest.mark.parametrize("kind", curves.KNOTS)
def test_every_curve_rises_from_nothing_to_all_at_every_size(kind: str) -> None:
    for method, pixels in itertools.product(range(7), (1, 300_000, 700_000, 5_000_000, 24_000_000, 10**9)):
        curve = curves.curve_for(Options(method=method, **KINDS[kind]), pixels, has_alpha=kind == "alpha")
        shares = [curve(percent) for percent in range(101)]
        assert (shares[0], shares[-1]) == (0, 1)
        assert shares == sorted(shares)


def test_between_two_measured_sizes_a_curve_and_a_cost_lie_between_theirs() -> None:
    small, large = list(curves.KNOTS["lossless"])[:2]
    options = Options(lossless=True, method=4)
    low, middle, high = (curves.curve_for(options, round(1e6 * size), has_alpha=False)(50) for size in (small, (small * large) ** 0.5, large))
    assert middle == pytest.approx((low + high) / 2, abs=0.001)
    costs = [curves.cost_ms(options, round(1e6 * size), has_alpha=False) / size for size in (small, (small * large) ** 0.5, large)]
    assert sorted(costs)[1] == costs[1]


def test_passes_fill_the_bar_and_never_overrun_it() -> None:
    shares = [share_of_pass(number, share) for number in range(8) for share in (0, 0.5, 1)]
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_the_meter_weighs_stages_and_does_not_go_back() -> None:
    heard: list[Progress] = []
    meter = Meter({"decode": 1, "transform": 1, "encode": 2}, heard.append)
    for stage, share in (("decode", 0.0), ("transform", 0.0), ("encode", 0.0), ("transform", 0.5)):
        meter.advance(stage, share)
    assert [(each.stage, each.percent) for each in heard] == [("decode", 0), ("transform", 25), ("encode", 50), ("transform", 50)]
