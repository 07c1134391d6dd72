"""Several hosts, started as the documentation says, and broken in every way that somebody thought of.

On demand with many faults: ``./tests/run.sh hosts`` (HOST_FAULTS, HOST_SEED, HOST_S3: moto or seaweedfs).
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.support.page_blocks import marked
from tests.system.hosts import batches
from tests.system.hosts.cluster import PAGE, has_clock
from tests.system.hosts.faults import FAULTS
from tests.system.hosts.namespaces import check_namespaces
from tests.system.hosts.pictures import check_that_pictures_differ

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # python-socketio leaves broken sockets
]
RECOVERED_WITHIN_S = 10.0
SHORT_LASTS_S = 1.0, 2.5
SHORT = (
    "all that an encoder host sends is lost",
    "all processes of an encoder host killed",
    "Gunicorn master killed",
    "Redis killed, back empty",
    "Redis full",
    "bucket denies writes",
    "bucket answers 500",
    "keys deleted",
)
"""One of each family, for every change."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    check_namespaces()
    check_that_pictures_differ()
    return tmp_path


def check(run: batches.Run) -> None:
    """What must hold however slow the machine is."""
    print("\n" + json.dumps(run.figures(), ensure_ascii=False, indent=1))
    verdict = run.verdict
    assert run.not_possible == []
    assert verdict.lost == [], "acknowledged and lost"
    assert verdict.wrong == [], "wrong"
    assert verdict.twice == [], "ended twice"
    assert verdict.failed == [], "failed for a reason that is not its image's"


def test_every_command_that_the_page_gives_for_several_machines_is_run() -> None:
    assert {each.name for each in marked(PAGE, "hosts")} == {"settings", "redis", "gateway", "encoder"}


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_whatever_happens_to_three_hosts(folder: Path) -> None:
    with batches.running(folder, 1, moves_clocks=False) as run:
        chance, run.lasts_s = random.Random(1), SHORT_LASTS_S
        for each in FAULTS:
            if each.name in SHORT:
                run.one([each], chance)
        run.settle()
    assert run.verdict.acknowledged >= len(SHORT)
    check(run)


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
def test_random_faults_in_batches_cost_no_job_and_pass_within_seconds(folder: Path) -> None:
    if not has_clock():
        missing("a C compiler is needed to move clocks")
    seed, total = int(os.environ.get("HOST_SEED", "1")), int(os.environ.get("HOST_FAULTS", "1000"))
    with batches.running(folder, seed, s3=os.environ.get("HOST_S3", "seaweedfs"), gateways=2) as run:
        run.faults(total)
    check(run)
    assert run.recovery_s(99) < RECOVERED_WITHIN_S, sorted(run.recoveries, key=lambda each: -each.seconds)[:3]
