"""What options do to random files: as numpy does it to the whole picture, and never another judgement of damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy
import pytest

from backend.codec.sealed import SealedCodec
from backend.core.options import Options
from tests.support.chromium_pictures import Animation, ChromiumJudge, Frame, Pixels
from tests.system.differential.compare import Tolerance, differences
from tests.system.differential.kinds import KINDS, Kind
from tests.system.differential.product import OPTIONS, outcome

FILES, JUDGED_FILES = 8, 60
SMALL = Options(width=7, quality=50, method=0)
Change = Callable[[Animation], Animation]


def each_frame(change: Callable[[Pixels], Pixels]) -> Change:
    def changed(given: Animation) -> Animation:
        frames = tuple(replace(each, pixels=numpy.ascontiguousarray(change(each.pixels))) for each in given.frames)
        height, width, _ = frames[0].pixels.shape
        return replace(given, width=width, height=height, frames=frames)

    return changed


def first_frame(given: Animation) -> Animation:
    first: Frame = given.frames[0]
    return replace(given, frames=(first,))


CHANGES: dict[str, tuple[Options, Change]] = {
    "first": (replace(OPTIONS, animation="first"), first_frame),
    "rotate": (replace(OPTIONS, rotate=90), each_frame(lambda pixels: numpy.rot90(pixels, -1))),
    "flip": (replace(OPTIONS, flip=True), each_frame(numpy.flipud)),
    "flop": (replace(OPTIONS, flop=True), each_frame(numpy.fliplr)),
    "crop": (replace(OPTIONS, crop="0,0,5,4"), each_frame(lambda pixels: pixels[:4, :5])),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", CHANGES)
def test_a_turn_or_a_first_frame_is_that_of_the_whole(name: str, kind: Kind, codec: SealedCodec, chromium_judge: ChromiumJudge) -> None:
    options, change = CHANGES[name]
    samples = [kind.write(f"{kind.name}-{number}") for number in range(FILES)]
    whole = chromium_judge.frames([outcome(codec, each.data).data for each in samples])
    changed = chromium_judge.frames([outcome(codec, each.data, options).data for each in samples])
    pairs = [(one, other) for one, other in zip(changed, whole, strict=True) if one and other]
    assert len(pairs) > FILES / 2
    assert not [found for one, other in pairs for found in differences(one, change(other), Tolerance())]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_small_result_is_refused_where_a_whole_one_is(kind: Kind, codec: SealedCodec) -> None:
    samples = [kind.write(f"{kind.name}-{number}") for number in range(JUDGED_FILES)]
    judged = {number: (outcome(codec, each.data).error, outcome(codec, each.data, SMALL).error) for number, each in enumerate(samples)}
    assert {number: errors for number, errors in judged.items() if errors[0] != errors[1]} == {}
