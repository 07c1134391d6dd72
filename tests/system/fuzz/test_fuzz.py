"""Ten thousand mutations of good files, on demand (``./tests/run.sh fuzz``): each ends in a result or one of the contract's codes.

None is ``internal``; no child, descriptor or temporary file is left; the zygote that was there at the beginning is there at the end.
"""

from __future__ import annotations

import collections
import tempfile
from pathlib import Path

import psutil
import pytest

from backend.codec.sealed import SealedCodec
from tests.fakes.waiting import until
from tests.system.fuzz import fuzz
from tests.unit.codec.test_sealed import is_waiting

ROUND = 500


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 10_000, ROUND))
def test_mutations_end_in_a_result_or_a_code(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    codec, seeds = SealedCodec(), fuzz.good_files()
    codec.start()
    me = psutil.Process()
    zygote, held = me.children()[0], me.num_fds()
    ends: collections.Counter[str] = collections.Counter()
    for number in range(first, first + ROUND):
        data = fuzz.mutated(seeds[number % len(seeds)], number)
        ends[fuzz.outcome(codec, data, fuzz.OPTIONS[number % len(fuzz.OPTIONS)], number)] += 1
    print(dict(ends.most_common()))
    codec.abandon_child()  # of a small result, which is not waited for
    try:
        assert not [end for end in ends if end.startswith("internal")]
        assert me.children() == [zygote]
        assert zygote.status() != psutil.STATUS_ZOMBIE
        until(lambda: all(is_waiting(each) for each in zygote.children()))
        assert me.num_fds() == held
        assert list(tmp_path.iterdir()) == []
    finally:
        codec.close()
