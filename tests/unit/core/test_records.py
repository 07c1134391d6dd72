"""Records of other releases: what they hold beyond what is known here is left out, on every way and at every depth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from backend import errors
from backend.core import api_keys, options, records
from backend.core import job as jobs
from backend.core.api_keys import ApiKey
from backend.core.batch import Batch
from backend.core.job import Manifest, Result, Status
from backend.core.options import Options
from backend.core.protocol import NEWEST, OLDEST
from backend.core.public_job import public
from backend.core.resumable import UploadInfo, UploadState
from backend.core.webhooks import Attempt, Delivery
from backend.texts.problems import problem
from tests.fakes.samples import READER, manifest

MANIFEST = replace(manifest(), options=Options(quality=70, never_larger=True), webhook_url="https://example.com/")
RESULT = Result("result-t.webp", 480, "cd" * 32, 16, 12, 1, facts={"quality": 80})
SUCCEEDED = jobs.succeeded(Status(state="running", started_at=1.0), RESULT, 2.0)
FAILED = jobs.failed(Status(state="running", started_at=1.0), errors.TooManyFrames(limit=3), 2.0)
DELIVERY = Delivery("msg_1", "job.succeeded", "id", "https://example.com/", 1.0, 2.0, {"id": "x"}, 1.0, attempts=(Attempt(1.0, 0.5, 503),))
UPLOAD = UploadInfo("id", "job", Options(width=3), webhook_url="https://example.com/")
KEY = ApiKey("ab" * 32, "name", own_limits={"jobs": 5}, rate_limit=(3, 60))
RECORDS: dict[str, tuple[Any, Callable[[Any], str], Callable[[str], Any]]] = {
    "manifest": (MANIFEST, Manifest.to_json, Manifest.from_json),
    "success": (SUCCEEDED, Status.to_json, Status.from_json),
    "failure": (FAILED, Status.to_json, Status.from_json),
    "batch": (Batch("id", ("a", "b"), 1.0, 2.0), Batch.to_json, Batch.from_json),
    "delivery": (DELIVERY, Delivery.to_json, Delivery.from_json),
    "upload": (UPLOAD, UploadInfo.to_json, UploadInfo.from_json),
    "keys": ((KEY,), api_keys.to_json, api_keys.from_json),
}
FREE = ("facts", "params", "data")
"""Members that hold names of their own: whoever reads them picks out what it knows."""


def with_more(value: Any, path: str = "") -> Any:
    """The record as a later release might write it: with one more member in each of its objects."""
    if isinstance(value, list):
        return [with_more(each) for each in value]
    if not isinstance(value, dict):
        return value
    more = {"surprise": {"of": ["a", "later", "release"]}} if path not in (*FREE, "error") else {}
    return {**{name: with_more(each, name) for name, each in value.items()}, **more}


@pytest.mark.parametrize("name", RECORDS)
def test_what_a_later_release_adds_to_a_record_is_left_out(name: str) -> None:
    record, to_json, from_json = RECORDS[name]
    later = json.dumps(with_more(json.loads(to_json(record))))
    assert later.count("surprise") >= 1
    assert from_json(later) == from_json(to_json(record)) == record


@pytest.mark.parametrize("kind", [Manifest, Options, UploadInfo])
def test_a_field_that_came_later_is_written_only_where_it_says_something(kind: type) -> None:
    """The release before fails at a name that it does not know."""
    texts = {Manifest: manifest().to_json(), Options: records.as_json(Options()), UploadInfo: UploadInfo("id", "job", Options()).to_json()}
    assert not {"webhook_url", "never_larger", "needs"} & set(texts[kind].replace('"', " ").split())


def test_an_uploads_journal_with_more_at_its_lines_ends_is_read() -> None:
    state = UploadState(1.5, 3, 9)
    assert UploadState.from_line(state.to_line()) == UploadState.from_line(state.to_line().rstrip("\n") + " part=7 more\n") == state
    assert UploadState.from_line(state.to_line().rstrip("\n") + " part=7") is None


def test_an_error_that_a_later_release_recorded_is_told_as_an_internal_one() -> None:
    told = problem({"code": "too_dull", "status": 499, "variant": "grey", "params": {"shade": 7}})
    assert (told["code"], told["status"], told["type"]) == ("internal", 500, "/problems/internal")
    assert errors.from_record({"code": "too_dull"}).code == "internal"


def test_a_variant_and_params_that_a_later_release_recorded_are_told_by_the_codes_own_sentence() -> None:
    told = problem({"code": "too_many_frames", "status": 422, "variant": "of_a_later_release", "params": {"most": 7}})
    assert told["code"] == "too_many_frames" and told["detail"]


def test_a_result_with_facts_of_a_later_release_is_shown_without_them() -> None:
    text = json.dumps(with_more(json.loads(SUCCEEDED.to_json())) | {"stage": None})
    later = json.loads(text)
    later["result"]["facts"] |= {"sparkle": 3}
    shown = public(jobs.Job(MANIFEST, Status.from_json(json.dumps(later))), READER)
    assert "sparkle" not in shown["result"] and shown["result"]["quality"] == 80


def test_what_no_option_asks_for_needs_the_oldest_protocol() -> None:
    assert options.needs(Options()) == options.needs(Options(quality=3, never_larger=True, lossless="auto")) == OLDEST
    assert "needs" not in json.loads(manifest().to_json())


def test_an_option_of_a_newer_protocol_says_so_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its row: the option itself, or one of its values."""
    rows = {each.name: each for each in options.OFFERED}
    monkeypatch.setattr(rows["sharp_yuv"], "metadata", {**rows["sharp_yuv"].metadata, "since": NEWEST + 1})
    monkeypatch.setattr(rows["metadata"], "metadata", {**rows["metadata"].metadata, "since": {"copyright": NEWEST + 2}})
    assert options.needs(Options(sharp_yuv=True)) == NEWEST + 1
    assert options.needs(Options(metadata="all")) == OLDEST
    assert options.needs(Options(sharp_yuv=True, metadata="copyright")) == NEWEST + 2


def test_a_member_that_must_be_there_is_missed() -> None:
    @dataclass(frozen=True)
    class Pair:
        one: int
        two: int = 2

    assert records.read(Pair, {"one": 1, "three": 3}) == Pair(1)
    with pytest.raises(TypeError):
        records.read(Pair, {"two": 2})
