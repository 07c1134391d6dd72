"""A silent child's progress: by processor time, at its own pace, never to the end, and not at all while it stands still."""

from __future__ import annotations

import itertools
import os
import signal
import time

import psutil
import pytest
from PIL import Image

from backend import errors
from backend.codec.host.cpu_progress import Pace, creeping_percent, expected_percent
from backend.codec.seal import kernel
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Progress, Silence
from backend.core.options import Options
from tests.unit.codec.conftest import Convert, picture, saved
from tests.unit.codec.test_sealed import Run, child


def test_at_the_pace_of_the_reports_so_far() -> None:
    assert expected_percent(Pace.after(20.0, 1.0, None), 0.5) == pytest.approx(30, abs=1)
    assert expected_percent(Pace.after(50.0, 2.0, None), 0.0) == 50.0


def test_at_the_pace_that_was_forecast() -> None:
    """Whatever the reports before were worth: 2 % after 1 s, and the rest takes 4 s."""
    pace = Pace.after(2.0, 1.0, Silence(100.0, 4.0))
    assert expected_percent(pace, 2.0) == pytest.approx(51)
    assert expected_percent(pace, 400.0) <= 100


def test_before_a_known_next_report_it_stays_below_it() -> None:
    pace = Pace.after(10.0, 1.0, Silence(50.0, 2.0))
    assert expected_percent(pace, 1.0) == pytest.approx(30)
    assert 45 < expected_percent(pace, 4.0) < expected_percent(pace, 6.0) < 50
    assert creeping_percent(49.0, pace, 1000.0) <= 50


def test_it_slows_down_and_never_ends() -> None:
    shown = [expected_percent(Pace.after(40.0, 1.0, None), number / 5) for number in range(20)]
    assert shown == sorted(shown)
    assert 40 <= shown[0] < shown[-1] < 100


def test_ahead_of_the_child_the_bar_creeps_and_never_ends() -> None:
    pace = Pace.after(40.0, 4.0, None)
    assert creeping_percent(60.0, pace, 0.0) == 60.0
    assert 60.0 < creeping_percent(60.0, pace, 0.3) < 61.0, "a quarter of the pace at most"
    assert creeping_percent(99.9, pace, 1000.0) <= 100.0


@pytest.mark.parametrize(("percent", "used_s"), [(0.0, 1.0), (0.1, 1.0), (30.0, 0.0), (100.0, 1.0)])
def test_without_a_pace_nothing_is_guessed(percent: float, used_s: float) -> None:
    pace = Pace.after(percent, used_s, None)
    assert expected_percent(pace, 5.0) == percent
    assert creeping_percent(100.0 if percent == 100 else 50.0, pace, 5.0) in (50.0, 100.0)


@pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux tells another process' time")
@pytest.mark.slow
def test_long_silences_are_filled(convert: Convert) -> None:
    """While it compresses this transparency, for nine tenths of the time, libwebp says nothing."""
    image = picture(1200, 800, "RGBA")
    image.putalpha(Image.effect_noise(image.size, 60))
    percents = [each.percent for each in convert(saved(image, "PNG", compress_level=1), method=6).reports]
    assert percents == sorted(percents)
    assert max(after - before for before, after in itertools.pairwise(percents)) < 40


@pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux tells another process' time")
def test_a_child_that_stands_still_gets_nowhere(codec: SealedCodec) -> None:
    heard: list[Progress] = []

    def stop(run: Run) -> None:
        os.kill(child().pid, signal.SIGSTOP)
        until_s = time.monotonic() + 30
        while child().status() != psutil.STATUS_STOPPED and time.monotonic() < until_s:
            os.sched_yield()
        heard.extend(run.reports)

    run = Run(codec, during=stop, timeout_s=2.0)
    with pytest.raises(errors.EncodeTimeout):
        run(options=Options(method=6, quality=95))
    assert run.reports[-1].percent - heard[-1].percent < 10
