"""What the end of a job adds to the totals."""

from __future__ import annotations

from typing import Any

from backend.core import tally
from backend.core.job import Job, Result, Status
from tests.fakes import samples


def succeeded(**facts: Any) -> Job:
    result = Result("result-token.webp", 480, "cd" * 32, 16, 12, 1, facts=facts)
    return Job(samples.manifest(), Status(seq=9, state="succeeded", result=result, finished_at=1_800_000_002.0))


def test_what_a_result_lacks_of_its_source_is_counted_note_by_note() -> None:
    amounts = tally.of_end(succeeded(seconds={"encode": 1.5}, dropped=["c2pa", "gain_map"]))
    assert {name: amount for name, amount in amounts.items() if name.startswith("dropped")} == {"dropped:c2pa": 1, "dropped:gain_map": 1}


def test_a_result_that_lacks_nothing_counts_no_note() -> None:
    assert not [name for name in tally.of_end(succeeded(seconds={"encode": 1.5})) if name.startswith("dropped")]
