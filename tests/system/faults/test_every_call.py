"""One call into the operating system fails, at every place of every step, or the process dies there: nothing acknowledged is lost, nothing half
is visible, a failed sync is a failed step, and the next client is served."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import pytest

from tests.system.faults import forked
from tests.system.faults.checks import Said, check
from tests.system.faults.steps import STEPS, prepare

EVERY = pytest.param(1, marks=(pytest.mark.slow, pytest.mark.timeout(900)), id="every")
SOME = pytest.param(5, id="every fifth")


@pytest.mark.parametrize("stride", [SOME, EVERY])
@pytest.mark.parametrize("fault", forked.FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_a_call(step: str, fault: str, stride: int, quick_folder: Path) -> None:
    """Every fifth place by default, beginning elsewhere for each fault; every place on demand."""
    hit = 0
    for number in count(forked.FAULTS.index(fault) % stride, stride):
        root = quick_folder / str(number)
        known = prepare(step, root)
        was_hit, said = forked.run(step, root, fault, number)
        if fault in ("EIO", "ENOSPC"):
            assert "acknowledged" in said.lines[-1], f"after {fault} at call {number} the next client is not served"
        examine(step, root, known, said, f"{fault} at call {number}")
        if not was_hit:
            break
        hit += 1
    assert hit * stride > 3, f"only {hit} places were found"
    print(f"{step}, {fault}: {hit} places")


def examine(step: str, root: Path, known: dict[str, list[str]], said: Said, what: str) -> None:
    try:
        check(step, root, known, said)
    except BaseException as error:
        error.add_note(f"{step}, {what}: {said}")
        raise
    shutil.rmtree(root)
