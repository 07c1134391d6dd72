"""A gateway starts over a store with ten thousand jobs: ready as soon as without them, well meanwhile, and every job is there."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from backend.adapters.files.store import FileStore
from backend.core.job import Manifest, Result, Source, Status, succeeded
from backend.core.options import Options
from backend.flows.context import random_id
from tests.support.running import running, wait_for
from tests.system.faults.pictures import PNG
from tests.system.faults.steps import RESULT

pytestmark = [pytest.mark.e2e]
SOURCE = Source("cat.png", len(PNG), hashlib.sha256(PNG).hexdigest(), "png", 24, 16, 1)
RULES = {"GUNICORN_WORKERS": "3", "GATEWAY_ENCODERS": "2"}


def fill(root: Path, finished: int, unfinished: int) -> tuple[list[str], list[str]]:
    """As a gateway would have left them, without its syncs."""
    store = FileStore(root)
    store.prepare()
    now = time.time()
    done, waiting = [random_id() for _ in range(finished)], [random_id() for _ in range(unfinished)]
    known = Manifest("", SOURCE, Options(), now - 600, now + 80_000)
    for number, job_id in enumerate([*done, *waiting]):
        folder = root / "jobs" / hashlib.sha256(job_id.encode()).hexdigest()[:2] / job_id
        folder.mkdir(mode=0o700)
        (folder / "source").write_bytes(PNG)
        (folder / "manifest.json").write_text(replace(known, id=job_id, created_at=known.created_at + number / 1000).to_json())
        if number < finished:
            (folder / "result-t.webp").write_bytes(RESULT)
            result = Result("result-t.webp", len(RESULT), hashlib.sha256(RESULT).hexdigest(), 24, 16, 1)
            (folder / "outcome.json").write_text(succeeded(Status(), result, now).to_json())
    for number in range(20):
        (root / "incoming" / f"left-by-a-dead-process-{number}").write_bytes(b"half")
        (root / "trash" / f"left-by-a-dead-process-{number}").write_bytes(b"half")
    return done, waiting


@pytest.mark.parametrize(
    ("finished", "unfinished"),
    [(100, 10), *(pytest.param(*each, marks=(pytest.mark.slow, pytest.mark.timeout(900))) for each in ((9000, 1000), (99_800, 200)))],
    ids=["110", "10000", "100000"],
)
def test_a_store_full_of_jobs_is_recovered_while_the_gateway_is_ready(quick_folder: Path, finished: int, unfinished: int) -> None:
    with running(quick_folder / "empty", **RULES) as empty:
        empty.stop()
        without_s = empty.start()
    done, waiting = fill(quick_folder / "data" / "store", finished, unfinished)
    begun = time.monotonic()
    with running(quick_folder / "data", **RULES) as gateway:
        ready_s = time.monotonic() - begun
        answers: list[float] = []
        over = threading.Event()

        def ask() -> None:
            while not over.wait(0.02):
                asked = time.monotonic()
                assert requests.get(f"{gateway.url}/api/health", timeout=10).status_code == 200
                answers.append(time.monotonic() - asked)

        asking = threading.Thread(target=ask)
        asking.start()
        known_s = ended_s = 0.0
        try:
            fresh = gateway.ended(gateway.upload(PNG)["id"], 120)
            wait_for(lambda: recovered(gateway.log, unfinished), 120, "for the unfinished jobs to be queued")
            known_s = time.monotonic() - begun
            for job_id in waiting:
                assert gateway.ended(job_id, 300)["state"] == "succeeded"
            ended_s = time.monotonic() - begun
        finally:
            over.set()
            asking.join()
        assert fresh["state"] == "succeeded"
        for job_id in done[:: max(1, finished // 100)]:
            assert gateway.job(job_id)["state"] == "succeeded"
            assert gateway.result(job_id) == RESULT
        store = quick_folder / "data" / "store"
        wait_for(lambda: not list((store / "trash").iterdir()), 30, "for the debris to be deleted")
        assert len(list((store / "jobs").glob("*/*/outcome.json"))) == finished + unfinished + 1
    answers.sort()
    print(
        f"\n{finished + unfinished} jobs: ready after {ready_s:.2f} s (empty store: {without_s:.2f} s), {unfinished} unfinished queued after"
        f" {known_s:.2f} s, all ended after {ended_s:.1f} s; /api/health p50 {1000 * answers[len(answers) // 2]:.1f} ms,"
        f" p99 {1000 * answers[int(0.99 * len(answers))]:.1f} ms of {len(answers)}"
    )


def recovered(log: Path, count: int) -> bool:
    return f"{count} unfinished jobs found in the store" in log.read_text()
