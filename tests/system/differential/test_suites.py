"""Files by a plan, against Chromium: the ground that the well-known test set of PNG covers, and colours told without a profile."""

from __future__ import annotations

import pytest

from backend.codec.sealed import SealedCodec
from tests.support.chromium_pictures import ChromiumJudge, difference
from tests.system.differential.product import outcome
from tests.system.differential.writers.suites import coloured_avifs, coloured_pngs, png_files

PLANS = {"png_files": (png_files, 1.0), "coloured_pngs": (coloured_pngs, 2.0), "coloured_avifs": (coloured_avifs, 2.0)}
"""Who makes the files, and the mean difference in steps of 255 that each stays below."""


@pytest.mark.parametrize("name", PLANS)
def test_files_by_a_plan_look_as_in_chromium(name: str, codec: SealedCodec, chromium_judge: ChromiumJudge) -> None:
    make, bound = PLANS[name]
    files = make()
    answers = {each: outcome(codec, data) for each, data in files.items()}
    ours = dict(zip(files, chromium_judge.shown([each.data for each in answers.values()]), strict=True))
    theirs = dict(zip(files, chromium_judge.shown(list(files.values())), strict=True))
    wrong = {}
    for each in files:
        mine, its = ours[each], theirs[each]
        if its is None:
            continue
        if mine is None or mine.pixels.shape != its.pixels.shape:
            wrong[each] = answers[each].error or "another size"
        elif (mean := float(difference(mine.pixels, its.pixels).mean())) >= bound:
            wrong[each] = f"mean {mean:.1f}"
    assert not wrong, f"{len(wrong)} of {len(files)}: {list(wrong.items())[:30]}"
    assert sum(each is not None for each in theirs.values()) > 0.9 * len(files)
