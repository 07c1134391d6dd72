"""The loop's delay, as health and metrics report it."""

from __future__ import annotations

import pytest

from backend.server.metrics.loop_lag import BUCKETS_MS, HALF_LIFE_S, SAMPLE_S, LoopLag


def test_the_worst_delay_fades_by_half_in_its_half_life() -> None:
    lag = LoopLag()
    lag.add(80)
    for _ in range(int(HALF_LIFE_S / SAMPLE_S)):
        lag.add(0.5)
    assert lag.worst_ms == pytest.approx(40)


def test_every_sample_falls_into_the_bucket_that_holds_it() -> None:
    lag = LoopLag()
    for delay in (0.0, 1.0, 1.1, 60.0, 5000.0):
        lag.add(delay)
    assert dict(zip(BUCKETS_MS, lag.counts, strict=True)) == {**dict.fromkeys(BUCKETS_MS, 0), 1.0: 2, 2.0: 1, 100.0: 1, float("inf"): 1}
    assert lag.sum_ms == pytest.approx(5062.1)
