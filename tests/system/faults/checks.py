"""What must hold of a store whatever failed, and wherever its process was killed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backend.core.index_line import index_line
from backend.core.job import Status
from backend.flows import maintenance
from backend.flows.sweep_uploads import FINISH_AFTER_S, sweep
from tests.fakes.uploads import every_upload
from tests.support.stored import manifests
from tests.system.faults.pictures import PNG
from tests.system.faults.steps import RESULT, Here

STATUS = {"storage_full": 507, "backend_unavailable": 503}
STOOD_BEFORE = ("finished", "waiting")


@dataclass
class Said:
    """What the process had told its client before it ended; ``was_killed`` if it did not end by itself."""

    lines: list[dict[str, Any]]
    was_killed: bool
    acknowledged: list[dict[str, Any]] = field(init=False)
    refused: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.acknowledged = [each["acknowledged"] for each in self.lines if "acknowledged" in each]
        self.refused = [each for each in self.lines if "refused" in each]

    def ids(self, name: str) -> set[str]:
        found = (each[name] for each in self.acknowledged if name in each)
        return {each for one in found for each in ([one] if isinstance(one, str) else one)}


# An upload that is whole and whose job is made though its client was told of a failure is no harm: its client asks how far it is, and hears of it.


def check(step: str, root: Path, known: dict[str, list[str]], said: Said) -> None:
    here = Here(root, "after")
    for each in said.refused:
        assert each["status"] == STATUS[each["refused"]], f"a client would have been told {each}"
    if step == "retention":
        check_emptied(here)
        return
    there = {each.id for each in manifests(here.store)}
    before = {each for name in STOOD_BEFORE for each in known[name]}
    made_anyway = {info.job_id for info, _ in every_upload(here.uploads)}
    acknowledged = said.ids("job") | said.ids("jobs")
    assert acknowledged <= there, "an acknowledged job is not there"
    check_what_stood_before(here, step, known, said)
    for each in acknowledged:
        assert content(here.store.open_source(each)) == PNG
    check_queue(here, step, before, acknowledged, there - made_anyway, said)
    check_ends(here, said)
    check_uploads(here, step, known, said)
    check_no_debris(here)


def check_what_stood_before(here: Here, step: str, known: dict[str, list[str]], said: Said) -> None:
    for each in [*known["finished"], *known["waiting"]]:
        if step == "delete":
            assert each not in said.ids("deleted") or here.store.outcome(each) is None
            if each in {job.id for job in manifests(here.store)}:
                assert content(here.store.open_source(each)) == PNG
            continue
        assert content(here.store.open_source(each)) == PNG
    for each in known["finished"] if step != "delete" else []:
        check_result(here, each)


def check_result(here: Here, job_id: str) -> None:
    outcome = here.store.outcome(job_id)
    assert outcome is not None and outcome.result is not None, "an end was lost"
    assert content(here.store.open_result(job_id, outcome.result.file)) == RESULT


def check_ends(here: Here, said: Said) -> None:
    """One that was told stands; one that was not is whole or not there."""
    for each in said.ids("ended"):
        check_result(here, each)
    for each in said.ids("cancelled"):
        assert (here.store.outcome(each) or Status()).state == "cancelled"
    for manifest in manifests(here.store):
        outcome = here.store.outcome(manifest.id)
        if outcome is not None and outcome.state == "succeeded":
            check_result(here, manifest.id)


def check_queue(here: Here, step: str, before: set[str], acknowledged: set[str], there: set[str], said: Said) -> None:
    """After a restart with an empty queue: all that was acknowledged, and of the rest only what a killed process may leave, whole."""
    maintenance.recover(here.context)
    unfinished = {each for each in there if here.store.outcome(each) is None}
    queued = {each for each in unfinished if here.jobs.find(each) is not None}
    beyond = queued - before - acknowledged
    if step == "equal_work":
        assert len(beyond) <= 2, "its first image is acknowledged by itself, in both tries"
    elif not said.was_killed:
        assert not beyond, "a client was told that it failed, and it runs all the same"
    elif step == "several":
        assert len(beyond) in (0, 3), "half a batch runs"
    else:
        assert len(beyond) <= 1
    assert (before | acknowledged) & unfinished <= queued, "a job that waited was not queued again"
    for each in beyond:
        assert content(here.store.open_source(each)) == PNG


def check_uploads(here: Here, step: str, known: dict[str, list[str]], said: Said) -> None:
    state = {info.id: (info, now) for info, now in every_upload(here.uploads)}
    assert said.ids("upload") | set(known["tickets"]) <= set(state), "an acknowledged upload is not there"
    for info, now in state.values():
        if step in ("create_upload", "create_again") and info.id in said.ids("upload"):
            assert now.offset_bytes == 50
        if now.offset_bytes < len(PNG) and not now.has_job:
            here.append(info, now.offset_bytes, PNG[now.offset_bytes :])
        sweep(replace(here.context, clock=lambda: time.time() + FINISH_AFTER_S))
        assert content(here.store.open_source(info.job_id)) == PNG


def check_no_debris(here: Here) -> None:
    here.store.clean_up(-1)
    root = here.store.root
    assert [*(root / "incoming").iterdir(), *(root / "trash").iterdir()] == [], "something half-written is left"
    for folder in (root / "jobs").glob("*/*"):
        outcome = here.store.outcome(folder.name)
        if outcome is not None:
            here.store.commit_outcome(folder.name, outcome)  # as whoever takes back a lost encoder's job does
        expected = (
            {"source", "manifest.json"} | ({"outcome.json"} if outcome else set()) | ({outcome.result.file} if outcome and outcome.result else set())
        )
        left = {each.name for each in folder.iterdir()}
        assert expected <= left and all(each.startswith("result-") for each in left - expected), f"{folder.name} holds {left}"
        assert outcome is None or left == expected, f"{folder.name} keeps {left - expected}"


def check_emptied(here: Here) -> None:
    """However far the retention came, its next round gets to the end."""
    later = here.context.clock() + 86_500
    for each in manifests(here.store):
        assert content(here.store.open_source(each.id)) == PNG, "a job that is there is there whole"
        assert each.expires_at < later
    here.index.add([index_line(replace(each, expires_at=time.time() - 1)) for each in manifests(here.store)])
    maintenance.expire(here.context)
    here.store.clean_up(-1)
    assert [each for each in here.store.root.rglob("*") if each.is_file()] == []
    assert list((here.store.root / "jobs").glob("*/*")) == []


def content(blob: Any) -> bytes:
    try:
        return bytes(blob.read_at(0, blob.size_bytes))
    finally:
        blob.close()
