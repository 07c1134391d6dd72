"""What only the S3 store has: conditional puts, debris of the killed, a service that fails or cannot serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from backend import errors, texts
from backend.adapters.files.store import FileStore
from backend.adapters.s3 import bucket as s3_bucket
from backend.adapters.s3.store import S3Store
from backend.adapters.stores import open_store
from backend.core.index_line import index_line
from backend.core.job import Manifest, Status, cancelled
from backend.ports.housekeeping import NotUsable
from backend.ports.job_records import ListedJob
from backend.ports.source_files import Upload
from tests.fakes.samples import manifest
from tests.support.ports import free_port
from tests.support.s3_server import client, credentials
from tests.support.stored import listed, manifests

DATA = b"the bytes of an image " * 1000


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A store whose service does not answer."""
    for name, value in credentials(f"http://127.0.0.1:{free_port()}").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = S3Store("bucket-of-nobody", "", FileStore(tmp_path / "spool"))
    store.prepare()
    yield store


def put(store: S3Store, data: bytes = DATA) -> str:
    upload = store.create_upload()
    upload.write(data)
    known = manifest()
    assert store.commit_job(upload, known)
    return known.id


def keys(store: S3Store, endpoint: str) -> list[str]:
    asking = client(endpoint)
    try:
        return [each["Key"] for each in asking.list_objects_v2(Bucket=store.bucket.name).get("Contents", [])]
    finally:
        asking.close()


def test_a_usable_bucket_passes_and_keeps_nothing_of_the_trial(s3_server: str, s3_store: S3Store) -> None:
    s3_store.probe()
    assert keys(s3_store, s3_server) == []


def test_everything_lies_under_the_prefix_and_nothing_stays_on_this_machine(s3_server: str, s3_store: S3Store, tmp_path: Path) -> None:
    job_id = put(s3_store)
    found = keys(s3_store, s3_server)
    assert len(found) == 2 and all(each.startswith(f"some/prefix/jobs/{job_id}/") for each in found)
    assert list((tmp_path / "spool" / "incoming").iterdir()) == []
    s3_store.open_source(job_id).close()
    assert list((tmp_path / "spool" / "incoming").iterdir()) == []


def test_what_is_larger_than_a_part_arrives_whole(s3_store: S3Store) -> None:
    large = bytes(range(256)) * (1 << 16)
    blob = s3_store.open_source(put(s3_store, large))
    assert blob.size_bytes == 16 << 20
    assert blob.read_at(10 << 20, 1 << 20) == large[10 << 20 : 11 << 20]
    blob.close()


def test_of_two_who_make_the_same_job_one_does_and_the_other_leaves_nothing(s3_server: str, s3_store: S3Store) -> None:
    first, second, known = s3_store.create_upload(), s3_store.create_upload(), manifest()
    first.write(DATA)
    second.write(b"other")
    assert [s3_store.commit_job(each, known) for each in (first, second)] == [True, False]
    assert len(keys(s3_store, s3_server)) == 2


def test_what_a_killed_process_left_without_a_manifest_is_tidied_and_no_job(s3_server: str, s3_store: S3Store) -> None:
    kept = put(s3_store)
    asking = client(s3_server)
    asking.put_object(Bucket=s3_store.bucket.name, Key="some/prefix/jobs/torn-job-000000000000000/source-1", Body=b"1234567")
    asking.close()
    assert [each.id for each in manifests(s3_store)] == [kept]
    assert s3_store.clean_up(3600) == 0
    assert s3_store.clean_up(-1) == 7
    assert all(kept in each for each in keys(s3_store, s3_server))


def test_a_listing_of_many_pages_is_walked_to_its_end(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_bucket, "PAGE", 3)
    made = {put(s3_store) for _ in range(5)}
    assert {each.id for each in manifests(s3_store)} == made


def test_a_listing_shows_what_a_rebuild_needs_of_ended_jobs_without_reading_an_object(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """2 385 jobs cost 15 505 reads, of which most were of jobs that had ended."""
    known = manifest(created_at=1764472345.1234567, maker="who~ever/1", webhook_url="https://a.example/hook", batch="batch-1")
    upload = s3_store.create_upload()
    upload.write(DATA)
    s3_store.commit_job(upload, known)
    s3_store.commit_outcome(known.id, cancelled(Status(), 1.0))

    def fail(key: str) -> None:
        raise AssertionError(f"{key} is read")

    monkeypatch.setattr(s3_store.bucket, "get", fail)
    assert listed(s3_store) == [ListedJob(known.id, True, index_line(known))]
    assert index_line(known).webhook_subject == "batch-1"


def test_a_source_of_an_earlier_version_has_no_line_in_its_name(s3_server: str, s3_store: S3Store) -> None:
    known = put(s3_store)
    (key,) = [each for each in keys(s3_store, s3_server) if "source" in each]
    asking = client(s3_server)
    asking.copy_object(Bucket=s3_store.bucket.name, Key=key.partition("~")[0], CopySource={"Bucket": s3_store.bucket.name, "Key": key})
    asking.delete_object(Bucket=s3_store.bucket.name, Key=key)
    asking.close()
    assert listed(s3_store) == [ListedJob(known, False, None)]


def test_a_job_with_more_objects_than_a_listing_shows_is_one_job(s3_server: str, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_bucket, "PAGE", 3)
    many, other = sorted((put(s3_store), put(s3_store)))
    asking = client(s3_server)
    for number in range(5):
        asking.put_object(Bucket=s3_store.bucket.name, Key=f"some/prefix/jobs/{many}/result-{number}.webp", Body=b"1")
    asking.close()
    s3_store.commit_outcome(many, cancelled(Status(), 1.0))
    assert [(each.id, each.has_ended) for each in listed(s3_store)] == [(many, True), (other, False)]


def test_a_service_that_does_not_answer_is_a_backend_that_is_unavailable(elsewhere: S3Store) -> None:
    for call in (elsewhere.check, elsewhere.create_upload, elsewhere.probe, lambda: elsewhere.manifest("id"), lambda: elsewhere.outcome("id")):
        with pytest.raises(errors.BackendUnavailable) as failed:
            call()
        assert failed.value.params["part"] == "store"


def test_no_bucket_is_told_before_the_start(s3_store: S3Store, tmp_path: Path) -> None:
    with pytest.raises(NotUsable) as raised:
        S3Store("bucket-of-nobody", "", FileStore(tmp_path / "spool")).probe()
    assert "There is no bucket bucket-of-nobody" in texts.text(f"accepted.bucket.{raised.value.reason}", "en", **raised.value.params)


@pytest.mark.parametrize("condition", ["IfNoneMatch", "IfMatch"])
def test_a_service_without_conditional_puts_cannot_be_a_store(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch, condition: str) -> None:
    s3 = s3_store.bucket.client
    plain = s3.put_object

    def ignoring(**given: object) -> object:
        return plain(**{name: value for name, value in given.items() if name != condition})

    monkeypatch.setattr(s3, "put_object", ignoring)
    with pytest.raises(NotUsable) as raised:
        s3_store.probe()
    said = texts.text(f"accepted.bucket.{raised.value.reason}", "en", **raised.value.params)
    assert "conditional writes" in said and {"IfNoneMatch": "If-None-Match", "IfMatch": "“If-Match”"}[condition] in said


def test_a_service_that_does_not_know_a_condition_cannot_be_a_store(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(**given: object) -> object:
        raise ClientError({"Error": {"Code": "NotImplemented"}}, "PutObject")

    monkeypatch.setattr(s3_store.bucket.client, "put_object", refusing)
    with pytest.raises(NotUsable):
        s3_store.probe()


@pytest.mark.parametrize(
    ("code", "kind"),
    [("SlowDown", errors.BackendUnavailable), ("AccessDenied", errors.BackendUnavailable), ("XMinioStorageFull", errors.StorageFull)],
)
def test_what_the_service_says_becomes_one_of_our_errors(
    s3_store: S3Store, monkeypatch: pytest.MonkeyPatch, code: str, kind: type[errors.GatewayError]
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "PutObject")

    upload = s3_store.create_upload()
    upload.write(DATA)
    monkeypatch.setattr(s3_store.bucket.client, "put_object", refuse)
    known = manifest()
    with pytest.raises(kind):
        s3_store.commit_job(upload, known)
    upload.discard()
    assert manifests(s3_store) == []


def test_an_address_decides_which_store_it_is(tmp_path: Path) -> None:
    assert isinstance(open_store("s3://bucket/prefix", tmp_path, min_free_bytes=0), S3Store)
    for url in (None, f"file://{tmp_path}"):
        assert isinstance(open_store(url, tmp_path, min_free_bytes=0), FileStore)


def test_a_promise_that_was_erased_while_its_source_was_sent_does_not_come_back(
    s3_server: str, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    promised, upload = manifest(), s3_store.create_upload()
    upload.write(DATA)
    s3_store.reserve(promised)
    send = s3_store._put_source

    def erased_meanwhile(given: Upload, known: Manifest) -> str:
        name = send(given, known)
        s3_store.bucket.client.delete_object(Bucket=s3_store.bucket.name, Key=f"some/prefix/jobs/{known.id}/manifest.json")
        return name

    monkeypatch.setattr(s3_store, "_put_source", erased_meanwhile)
    with pytest.raises(errors.NotFound):
        s3_store.attach_source(upload, promised)
    upload.discard()
    assert keys(s3_store, s3_server) == []


def test_a_promised_job_has_its_source_once_it_is_supplied(s3_store: S3Store) -> None:
    promised, upload = manifest(), s3_store.create_upload()
    upload.write(DATA)
    s3_store.reserve(promised)
    assert [each.id for each in manifests(s3_store)] == [promised.id]
    with pytest.raises(errors.NotFound):
        s3_store.open_source(promised.id)
    s3_store.attach_source(upload, promised)
    blob = s3_store.open_source(promised.id)
    assert blob.read_at(0, blob.size_bytes) == DATA
    blob.close()
