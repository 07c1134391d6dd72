"""A job's states, its records, and what the public sees of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import errors
from backend.core import job as jobs
from backend.core.job import ENDED, FOLLOWING, STATES, Job, Manifest, Result, Source, Status
from backend.core.options import Options
from backend.core.public_job import public
from backend.core.reader import Reader
from backend.core.times import rfc3339
from backend.texts.problems import problem
from tests.fakes.samples import JOB_FIELDS, READER

ALLOWED = """
queued → queued running succeeded failed cancelled
running → running queued succeeded failed cancelled
succeeded →
failed →
cancelled →
"""
RESULT = Result("result-token.webp", 480, "cd" * 32, 16, 12, 1, facts={"seconds": {"encode": 1.5}})
MANIFEST = Manifest(
    id="4k6Zr0m1x8uQyB5w2TnHcA",
    source=Source("我的图片.png", 1000, "ab" * 32, "png", 16, 12, 1),
    options=Options(quality=70, width=8),
    created_at=1_800_000_000.0,
    expires_at=1_800_086_400.0,
    owner="digest-of-a-key",
    client="203.0.113.9",
    request_id="request-7",
)
RUNNING = Status(seq=17, state="running", stage="encode", progress=71, attempt=1, started_at=1_800_000_001.0, eta_s=2.4)


def test_the_states_and_their_successors_are_the_contracts() -> None:
    lines = [line.split(" →") for line in ALLOWED.strip().splitlines()]
    assert {before: set(after.split()) for before, after in lines} == {before: set(after) for before, after in FOLLOWING.items()}


def test_no_state_follows_an_end() -> None:
    assert {state for state, after in FOLLOWING.items() if not after} == ENDED


def test_three_states_are_ends() -> None:
    assert {"succeeded", "failed", "cancelled"} == ENDED
    assert [Status(state=state).has_ended for state in STATES] == [False, False, True, True, True]


def test_an_end_is_the_change_after_the_last_and_leaves_nothing_of_the_way() -> None:
    now = 1_800_000_009.0
    for ended in (jobs.succeeded(RUNNING, RESULT, now), jobs.failed(RUNNING, errors.DamagedImage(), now), jobs.cancelled(RUNNING, now)):
        assert (ended.seq, ended.stage, ended.eta_s, ended.position, ended.finished_at) == (18, None, None, None, now)
        assert (ended.started_at, ended.attempt) == (RUNNING.started_at, 1)


@given(st.floats(1_700_000_000, 4_000_000_000))
def test_the_time_of_an_end_is_the_same_when_redis_has_lost_the_job_and_the_store_tells_it(now: float) -> None:
    """Redis' Lua writes a number with 14 digits (cjson's ``%.14g``)."""
    for ended in (jobs.succeeded(RUNNING, RESULT, now), jobs.failed(RUNNING, errors.DamagedImage(), now), jobs.cancelled(RUNNING, now)):
        assert ended.finished_at is not None
        assert rfc3339(float(f"{ended.finished_at:.14g}")) == rfc3339(ended.finished_at)


def test_only_success_is_a_hundred_percent() -> None:
    assert jobs.succeeded(RUNNING, RESULT, 1.0).progress == 100
    assert jobs.failed(RUNNING, errors.DamagedImage(), 1.0).progress == 71
    assert jobs.cancelled(RUNNING, 1.0).progress == 71


def test_a_job_shows_exactly_the_contracts_fields() -> None:
    shown = public(Job(MANIFEST, RUNNING), READER)
    assert list(shown) == JOB_FIELDS
    assert shown == {
        "id": "4k6Zr0m1x8uQyB5w2TnHcA",
        "state": "running",
        "stage": "encode",
        "progress": 71,
        "progress_is": "measured",
        "seq": 17,
        "queue_position": None,
        "eta_seconds": 2.4,
        "source": {"filename": "我的图片.png", "bytes": 1000, "format": "png", "width": 16, "height": 12, "frames": 1},
        "options": {"quality": 70, "method": 4, "width": 8},
        "result": None,
        "error": None,
        "batch": None,
        "created_at": "2027-01-15T08:00:00.000Z",
        "started_at": "2027-01-15T08:00:01.000Z",
        "finished_at": None,
        "expires_at": "2027-01-16T08:00:00.000Z",
        "url": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result",
        "links": {
            "self": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA",
            "result": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result",
            "source": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/source",
            "events": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/events",
            "cancel": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/cancel",
        },
    }


def test_a_percent_of_an_encoder_that_tells_nothing_is_said_to_be_an_estimate() -> None:
    shown = public(Job(replace(MANIFEST, options=Options(format="avif")), RUNNING), READER)
    assert shown["progress_is"] == "estimated"


def test_a_result_shows_the_contracts_fields_and_what_was_saved() -> None:
    shown = public(Job(MANIFEST, jobs.succeeded(RUNNING, RESULT, 1_800_000_002.0)), READER)["result"]
    assert shown == {
        "url": "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result",
        "bytes": 480,
        "format": "webp",
        "width": 16,
        "height": 12,
        "frames": 1,
        "sha256": "cd" * 32,
        "saved_percent": 52.0,
        "seconds": {"encode": 1.5},
    }


def test_a_result_that_grew_saved_less_than_nothing() -> None:
    grown = jobs.succeeded(RUNNING, replace(RESULT, bytes=1500), 1.0)
    assert public(Job(MANIFEST, grown), READER)["result"]["saved_percent"] == -50.0


@pytest.mark.parametrize(
    "status", [Status(), RUNNING, jobs.succeeded(RUNNING, RESULT, 2.0), jobs.failed(RUNNING, errors.Internal(private="/etc/secret"), 2.0)]
)
def test_nothing_private_is_shown(status: Status) -> None:
    text = json.dumps(public(Job(MANIFEST, status), READER), ensure_ascii=False)
    for private in ("digest-of-a-key", "203.0.113.9", "result-token", "ab" * 32, "/etc/secret", "owner", "client", "token", "attempt"):
        assert private not in text


def test_a_failure_is_told_in_the_readers_language_with_the_code_that_never_changes() -> None:
    failed = Job(MANIFEST, jobs.failed(RUNNING, errors.Internal(), 2.0))
    english, chinese = (public(failed, Reader(language, problem))["error"] for language in ("en", "zh-CN"))
    assert english["code"] == chinese["code"] == "internal"
    assert english["title"] == "Internal error" and chinese["title"] == "内部错误"
    assert "request-7" in english["detail"] and "request-7" in chinese["detail"]


def test_times_are_rfc_3339_in_utc() -> None:
    assert rfc3339(0.0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_800_000_000.1234) == "2027-01-15T08:00:00.123Z"
    assert rfc3339(None) is None


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(names, st.integers(1, 1 << 40), names, st.booleans(), st.none() | st.integers(1, 16383))
def test_a_manifest_survives_the_store(filename: str, size_bytes: int, client: str, is_ephemeral: bool, width: int | None) -> None:
    manifest = replace(
        MANIFEST,
        source=replace(MANIFEST.source, filename=filename, bytes=size_bytes),
        client=client,
        is_ephemeral=is_ephemeral,
        options=Options(width=width),
    )
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert Manifest.from_json(manifest.to_json().encode()) == manifest


OLD_RECORD = """{"id":"4k6Zr0m1x8uQyB5w2TnHcA","source":{"filename":"a.png","bytes":9,"sha256":"cd","format":"png","width":2,"height":1,"frames":1},\
"options":{"quality":70},"created_at":1.5,"expires_at":2.5,"owner":"","client":"c","batch":null,"request_id":"r","is_passing":true,"work":"ab","maker":"m","url":""}"""


def test_a_record_of_an_earlier_version_is_read_and_records_are_written_as_it_reads_them() -> None:
    """Records outlive versions, and during a rolling update both versions read what the other writes."""
    manifest = Manifest.from_json(OLD_RECORD)
    assert (manifest.is_ephemeral, manifest.work_key, manifest.options.quality) == (True, "ab", 70)
    written, old = json.loads(manifest.to_json()), json.loads(OLD_RECORD)
    assert list(written) == list(old)
    assert {**written, "options": old["options"]} == old


@pytest.mark.parametrize(
    "status", [Status(), RUNNING, jobs.succeeded(RUNNING, RESULT, 2.5), jobs.failed(RUNNING, errors.TooManyFrames(limit=3), 2.0)]
)
def test_a_status_survives_the_store(status: Status) -> None:
    assert Status.from_json(status.to_json()) == status


def test_every_address_is_below_the_readers_prefix_and_the_first_is_whole() -> None:
    failed = Job(MANIFEST, jobs.failed(RUNNING, errors.Internal(), 2.0))
    shown = public(failed, Reader("en", problem, "/images", "https://example.com"))
    assert shown["url"] == f"https://example.com/images/api/jobs/{MANIFEST.id}/result"
    assert shown["links"]["self"] == f"/images/api/jobs/{MANIFEST.id}"
    assert shown["error"]["type"] == "/images/problems/internal"
    done = public(Job(MANIFEST, jobs.succeeded(RUNNING, RESULT, 2.0)), Reader("en", problem, "/images"))
    assert done["result"]["url"] == done["url"] == done["links"]["result"] == f"/images/api/jobs/{MANIFEST.id}/result"
