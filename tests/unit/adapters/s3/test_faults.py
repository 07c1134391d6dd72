"""A service that fails for a while: each call ends soon, by the error that says so, and works as before afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.config import Config

from backend import errors
from backend.adapters.s3 import bucket as s3_bucket
from backend.adapters.s3 import calls
from backend.adapters.s3.store import S3Store
from backend.core.job import Status
from tests.contract.conftest import bucket_store
from tests.fakes.samples import manifest
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.stored import manifests

DATA = b"the bytes of an image " * 10_000
QUICK = Config(connect_timeout=1, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1})
FAULTS = {
    "resets every connection": Fault("refuse"),
    "answers 500": Fault("status"),
    "is told to slow down": Fault("status", status=503, code="SlowDown"),
    "no longer knows the key": Fault("status", status=403, code="InvalidAccessKeyId"),
    "has an expired token": Fault("status", status=400, code="ExpiredToken"),
    "has lost the bucket": Fault("status", status=404, code="NoSuchBucket"),
    "says nothing": Fault("hang"),
    "ends its answers early": Fault("cut", ("GET",), bytes=20),
    "lets its answers trickle": Fault("drip", ("GET",), bytes=1),
    "answers with a page of HTML": Fault("status", status=502, code="<html>"),
}
Call = Callable[[S3Store, str], object]


def read_source(store: S3Store, job_id: str) -> bytes:
    blob = store.open_source(job_id)
    try:
        return blob.read_at(0, len(DATA) + 1)
    finally:
        blob.close()


def save_result(store: S3Store, job_id: str) -> str:
    result = store.create_result(job_id, "token")
    try:
        return result.save()[0]
    finally:
        result.discard()


def put(store: S3Store, _job_id: str = "") -> str:
    upload, known = store.create_upload(), manifest()
    try:
        upload.write(DATA)
        store.commit_job(upload, known)
    except BaseException:
        upload.discard()
        raise
    return known.id


READING: dict[str, Call] = {
    "manifest": lambda store, job_id: store.manifest(job_id),
    "outcome": lambda store, job_id: store.outcome(job_id),
    "source": read_source,
    "listing": lambda store, _job_id: manifests(store),
    "check of the job": lambda store, job_id: store.check_job_exists(job_id),
}
WRITING: dict[str, Call] = {
    "upload": put,
    "result": save_result,
    "batch": lambda store, job_id: store.erase_batch(job_id),
    "end": lambda store, job_id: store.commit_outcome(job_id, Status(state="failed")),
}


@pytest.fixture(scope="module")
def proxy(s3_servers: dict[str, str]) -> Iterator[FaultProxy]:
    with FaultProxy(s3_servers["seaweedfs"]) as proxy:
        yield proxy


@pytest.fixture
def store(proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    monkeypatch.setattr(calls, "CONFIG", QUICK)
    monkeypatch.setattr(s3_bucket, "SLOW_START_S", 1.0)
    monkeypatch.setattr(calls, "REST_S", 0.0)
    with bucket_store(proxy.url, tmp_path, monkeypatch) as store:
        yield store


@pytest.mark.parametrize("fault", FAULTS)
def test_no_call_takes_a_service_for_one_without_the_job_when_it(proxy: FaultProxy, store: S3Store, fault: str) -> None:
    job_id = put(store)
    tried = READING if FAULTS[fault].methods else READING | WRITING
    for name, call in tried.items():
        if name == "outcome" and FAULTS[fault].kind in ("cut", "drip"):
            continue  # there is none, and that is said without a body
        begun_s = time.monotonic()
        with proxy.failing(FAULTS[fault]), pytest.raises(errors.BackendUnavailable):
            call(store, job_id)
        assert time.monotonic() - begun_s < 10, name
        call(store, job_id)
    assert list((store.spool.root / "incoming").iterdir()) == []


def test_a_put_whose_answer_was_lost_is_known_again_as_ones_own(proxy: FaultProxy, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.bucket.client.close()
    store.bucket.calls._own.client = None
    monkeypatch.setattr(calls, "CONFIG", QUICK.merge(Config(retries={"mode": "standard", "total_max_attempts": 2})))
    job_id = put(store)
    with proxy.failing(Fault("lose", ("PUT",), "outcome", times=1)):
        assert store.commit_outcome(job_id, Status(state="failed")) is True
    upload, known = store.create_upload(), manifest()
    upload.write(DATA)
    with proxy.failing(Fault("lose", ("PUT",), "manifest", times=1)):
        assert store.commit_job(upload, known) is True
    assert read_source(store, known.id) == DATA


def test_an_end_stands_though_what_is_left_of_other_encoders_cannot_be_listed(proxy: FaultProxy, store: S3Store) -> None:
    job_id = put(store)
    with proxy.failing(Fault("status", ("GET",), "list-type")):
        assert store.commit_outcome(job_id, Status(state="failed")) is True
    assert store.commit_outcome(job_id, Status(state="cancelled")) is False


def test_while_a_service_is_silent_only_one_call_at_a_time_waits_for_it(proxy: FaultProxy, store: S3Store) -> None:
    job_id = put(store)
    with proxy.failing(Fault("hang")):
        with pytest.raises(errors.BackendUnavailable):
            store.manifest(job_id)
        with store.bucket.calls._circuit.call():
            begun_s = time.monotonic()
            with pytest.raises(errors.BackendUnavailable):
                store.manifest(job_id)
            assert time.monotonic() - begun_s < QUICK.read_timeout
    assert store.manifest(job_id).id == job_id


def test_new_credentials_are_taken_without_a_restart(store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "RENEW_CLIENT_S", 0.0)
    job_id, file = put(store), tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    store.bucket.client.close()
    store.bucket.calls._own.client = None
    for said in ("", "[default]\naws_access_key_id = expired\naws_secret_access_key = secret\n"):
        file.write_text(said)
        with pytest.raises(errors.BackendUnavailable):
            store.manifest(job_id)
    file.write_text("[default]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    assert store.manifest(job_id).id == job_id
