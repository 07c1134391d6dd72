"""Random files of every kind, converted by us and shown by Chromium (TIFF: read by libvips): whatever differs is meant, or a failure.

A few of each kind run with the others; ``./tests/run.sh differential`` takes an hour. A failure names the seeds and where the files are.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from backend.codec.sealed import SealedCodec
from tests.support.chromium_pictures import ChromiumJudge
from tests.system.differential.kinds import BY_NAME, KINDS, Kind
from tests.system.differential.rounds import Finding, findings

ROUND_FILES = 50
FEW = {"gif": 60, "apng": 60, "webp_animated": 20}
MANY = {"gif": 1000, "apng": 1000, "webp_animated": 200}
MINUTES = float(os.environ.get("DIFFERENTIAL_MINUTES", "60"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))
"""Another one makes other files."""
KEPT = Path(os.environ.get("DIFFERENTIAL_FOLDER", Path(__file__).resolve().parents[2] / "artifacts" / "differential"))
SHOWN = 20


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_few_files_of_each_kind_look_as_they_should(kind: Kind, codec: SealedCodec, chromium_judge: ChromiumJudge) -> None:
    fail_if_any(findings(codec, chromium_judge, kind, range(FEW.get(kind.name, 40))))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", MANY)
def test_many_animations_look_as_in_chromium(name: str, codec: SealedCodec, chromium_judge: ChromiumJudge) -> None:
    found = []
    for first in range(0, MANY[name], ROUND_FILES):
        found += findings(codec, chromium_judge, BY_NAME[name], range(first, first + ROUND_FILES))
    fail_if_any(found)


@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 300)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_hour_of_files_finds_nothing(kind: Kind, codec: SealedCodec, chromium_judge: ChromiumJudge) -> None:
    """Each kind gets the same share of the time."""
    found: list[Finding] = []
    first = SEED * 1_000_000
    end, number = time.monotonic() + MINUTES * 60 / len(KINDS), first
    while time.monotonic() < end:
        found += findings(codec, chromium_judge, kind, range(number, number + ROUND_FILES))
        number += ROUND_FILES
    print(f"{kind.name}: {number - first} files, {len(found)} differences")
    fail_if_any(found)


def fail_if_any(found: list[Finding]) -> None:
    kept = [f"{each} ({each.keep(KEPT)})" for each in found]
    assert not found, f"{len(found)} differences that nobody meant:\n" + "\n".join(kept[:SHOWN])
