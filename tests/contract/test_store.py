"""The contract of ``Store``, for each kind of store that the scheme table lists, for files through threads, and for the fake of the tests."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace

import pytest

from backend import errors
from backend.adapters.threaded.upload import EARLY_BYTES
from backend.core.batch import Batch
from backend.core.index_line import index_line
from backend.core.job import Manifest, Result, Status, cancelled, failed, succeeded
from backend.ports.blob import Blob
from backend.ports.store import Store
from tests.fakes.samples import manifest
from tests.support.stored import listed, manifests

DATA = b"the bytes of an image " * 100
FAR_LARGER_THAN_A_BATCH = os.urandom(1 << 16) * 40


def put(store: Store, data: bytes = DATA, **given: object) -> Manifest:
    upload = store.create_upload()
    upload.write(data)
    known = manifest(**given)
    assert store.commit_job(upload, known) is True
    return known


def content(blob: Blob) -> bytes:
    try:
        return blob.read_at(0, blob.size_bytes)
    finally:
        blob.close()


def put_result(store: Store, job_id: str, data: bytes, token: str = "token") -> tuple[str, str]:
    target = store.create_result(job_id, token)
    os.write(target.fd, data)
    return target.save()


def test_a_committed_source_and_its_manifest_are_there_as_they_were_given(store: Store) -> None:
    known = put(store)
    assert store.manifest(known.id) == known
    assert content(store.open_source(known.id)) == DATA
    assert store.outcome(known.id) is None


def test_who_has_a_source_open_cannot_change_it(store: Store) -> None:
    """Its descriptor is given to a decoder, which an image may have taken over."""
    known = put(store)
    blob = store.open_source(known.id)
    try:
        with pytest.raises(OSError):
            os.pwrite(blob.fileno(), b"changed", 0)
    finally:
        blob.close()
    assert content(store.open_source(known.id)) == DATA


def test_a_job_is_committed_once_and_the_first_stands(store: Store) -> None:
    known = put(store)
    upload = store.create_upload()
    upload.write(b"another image")
    assert store.commit_job(upload, known) is False
    upload.discard()
    assert content(store.open_source(known.id)) == DATA
    assert store.clean_up(-1) == 0


def test_a_batch_is_kept_until_it_expires(store: Store) -> None:
    now = time.time()
    lasting = Batch("batch-1", ("job-1", "job-2"), now, now + 60, "owner")
    over = Batch("batch-2", ("job-3",), now - 60, now - 1)
    for each in (lasting, over):
        store.save_batch(each)
        assert store.batch(each.id) == each
    assert store.clean_up(3600) > 0
    assert store.batch("batch-1") == lasting
    for batch_id in ("batch-2", "batch-3"):
        with pytest.raises(errors.NotFound):
            store.batch(batch_id)


def test_many_chunks_become_one_source_with_size_and_digest(store: Store) -> None:
    upload = store.create_upload()
    for start in range(0, len(FAR_LARGER_THAN_A_BATCH), 70_001):
        upload.write(FAR_LARGER_THAN_A_BATCH[start : start + 70_001])
    assert upload.size_bytes == len(FAR_LARGER_THAN_A_BATCH)
    assert upload.sha256() == hashlib.sha256(FAR_LARGER_THAN_A_BATCH).hexdigest()
    known = manifest()
    store.commit_job(upload, known)
    assert content(store.open_source(known.id)) == FAR_LARGER_THAN_A_BATCH


def test_an_upload_can_be_inspected_before_it_is_committed(store: Store) -> None:
    upload = store.create_upload()
    upload.write(b"0123456789")
    assert upload.inspect(lambda read_at, size_bytes: (read_at(2, 3), read_at(8, 50), size_bytes)) == (b"234", b"89", 10)
    upload.discard()


def test_what_an_inspection_raises_arrives(store: Store) -> None:
    upload = store.create_upload()

    def look(read_at: object, size_bytes: int) -> None:
        raise errors.DamagedImage()

    with pytest.raises(errors.DamagedImage):
        upload.inspect(look)
    upload.discard()


def test_nothing_is_seen_of_an_upload_that_is_discarded(store: Store) -> None:
    upload = store.create_upload()
    upload.write(DATA)
    upload.discard()
    upload.discard()
    assert manifests(store) == []
    assert store.clean_up(-1) == 0


def test_discarding_after_the_commit_does_no_harm(store: Store) -> None:
    upload = store.create_upload()
    upload.write(DATA)
    known = manifest()
    store.commit_job(upload, known)
    upload.discard()
    assert content(store.open_source(known.id)) == DATA


def test_every_job_is_listed(store: Store) -> None:
    known = {put(store).id for _ in range(5)}
    assert {each.id for each in manifests(store)} == known


def test_a_listing_goes_on_after_a_place_and_shows_which_jobs_have_ended(store: Store) -> None:
    known = [put(store).id for _ in range(7)]
    ended = set(known[::2])
    for each in ended:
        store.commit_outcome(each, cancelled(Status(), 1.0))
    whole = listed(store)
    assert {each.id: each.has_ended for each in whole} == {each: each in ended for each in known}
    for limit in (1, 3, 7, 8):
        assert listed(store, limit) == whole
    first = store.job_page("", 3)
    assert first.next_place is not None and len(first.jobs) == 3
    store.erase(first.jobs[-1].id)
    assert [each.id for each in store.job_page(first.next_place).jobs] == [each.id for each in whole[3:]]


def test_a_line_that_a_listing_shows_is_that_of_the_manifest(store: Store) -> None:
    known = put(store, maker="somebody", batch="batch-1", webhook_url="https://a.example/hook")
    (shown,) = listed(store)
    assert shown.line in (None, index_line(known))


@pytest.mark.parametrize("place", ["no place", "ff/zzzz", "../..", "zz", "é"])
def test_a_place_of_another_store_stops_no_listing(store: Store, place: str) -> None:
    known = put(store).id
    assert [each.id for each in store.job_page(place).jobs] in ([], [known])


def test_many_manifests_are_read_and_those_of_jobs_that_are_gone_left_out(store: Store) -> None:
    known = [put(store) for _ in range(9)]
    store.erase(known[0].id)
    store.commit_outcome(known[1].id, cancelled(Status(), 1.0))
    ids = [each.id for each in known]
    read, unfinished = store.manifests(ids), store.unfinished([*ids, "no-such-job-0000000000"])
    assert sorted(each.id for each in read.found) == sorted(ids[1:]) and not read.unread
    assert sorted(each.id for each in unfinished.found) == sorted(ids[2:]) and not unfinished.unread
    assert {each.id: each for each in read.found}[ids[1]] == known[1]
    assert store.manifests([]).found == ()


def test_a_passing_job_is_as_visible_as_any(store: Store) -> None:
    known = put(store, is_ephemeral=True)
    assert store.manifest(known.id).is_ephemeral
    assert content(store.open_source(known.id)) == DATA


@pytest.mark.parametrize("job_id", ["no-such-job-0000000000", "../../../../etc/passwd"])
def test_an_unknown_job_is_not_found(store: Store, job_id: str) -> None:
    with pytest.raises(errors.NotFound):
        store.manifest(job_id)
    with pytest.raises(errors.NotFound):
        store.open_source(job_id)
    with pytest.raises(errors.NotFound):
        store.create_result(job_id, "token")
    with pytest.raises(errors.NotFound):
        store.commit_outcome(job_id, cancelled(Status(), 1.0))
    with pytest.raises(errors.Gone):
        store.open_result(job_id, "result-token.webp")
    assert store.outcome(job_id) is None
    assert store.erase(job_id) == 0


def test_a_kept_result_can_be_read_by_its_name_and_has_its_digest(store: Store) -> None:
    known = put(store)
    file, sha256 = put_result(store, known.id, b"webp bytes")
    assert sha256 == hashlib.sha256(b"webp bytes").hexdigest()
    assert content(store.open_result(known.id, file)) == b"webp bytes"


def test_results_of_two_encoders_do_not_touch_each_other(store: Store) -> None:
    known = put(store)
    one, other = store.create_result(known.id, "one"), store.create_result(known.id, "other")
    os.write(one.fd, b"first")
    os.write(other.fd, b"second")
    kept, _ = one.save()
    other.discard()
    assert content(store.open_result(known.id, kept)) == b"first"


def test_a_discarded_result_is_gone(store: Store) -> None:
    known = put(store)
    store.create_result(known.id, "token").discard()
    with pytest.raises(errors.Gone):
        store.open_result(known.id, "result-token.webp")


def test_a_job_ends_once_and_the_first_end_stands(store: Store) -> None:
    known = put(store)
    first = succeeded(Status(seq=9), Result("result-a.webp", 5, "ab", 16, 12, 1, facts={"seconds": {"encode": 1.5}}), 12.5)
    assert store.commit_outcome(known.id, first) is True
    assert store.commit_outcome(known.id, cancelled(Status(seq=4), 13.0)) is False
    assert store.commit_outcome(known.id, first) is False
    assert store.outcome(known.id) == first


def test_a_failure_keeps_the_record_of_its_error(store: Store) -> None:
    known = put(store)
    end = failed(Status(), errors.TooManyFrames(limit=256), 2.0)
    store.commit_outcome(known.id, end)
    outcome = store.outcome(known.id)
    assert outcome is not None and outcome.error == {"code": "too_many_frames", "status": 422, "params": {"limit": 256}}


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_the_results_of_a_job_with_variants_stay_and_no_others(store: Store, is_cancelled: bool) -> None:
    known = put(store)
    names = [put_result(store, known.id, f"variant {number}".encode(), f"token-{number}")[0] for number in range(3)]
    left, _ = put_result(store, known.id, b"of an encoder before", "earlier-0")
    results = tuple(Result(name, 9, "ab" * 32, 16, 12, 1, number=number) for number, name in enumerate(names))
    status = cancelled(Status(results=results), 2.0) if is_cancelled else succeeded(Status(), results[0], 2.0, results)
    assert store.commit_outcome(known.id, status)
    assert store.outcome(known.id) == status
    assert [content(store.open_result(known.id, name)) for name in names] == [b"variant 0", b"variant 1", b"variant 2"]
    with pytest.raises(errors.Gone):
        store.open_result(known.id, left)


def test_what_an_encoder_kept_for_a_job_that_ended_otherwise_is_deleted(store: Store) -> None:
    known = put(store)
    early, _ = put_result(store, known.id, b"early", "token-1")
    store.commit_outcome(known.id, cancelled(Status(), 1.0))
    late, sha256 = put_result(store, known.id, b"late", "token-2")
    assert store.commit_outcome(known.id, succeeded(Status(), Result(late, 4, sha256, 1, 1, 1), 2.0)) is False
    for file in (early, late):
        with pytest.raises(errors.Gone):
            store.open_result(known.id, file)


def test_erasing_frees_the_bytes_and_leaves_nothing(store: Store) -> None:
    known = put(store)
    file, sha256 = put_result(store, known.id, b"12345")
    store.commit_outcome(known.id, succeeded(Status(), Result(file, 5, sha256, 1, 1, 1), 1.0))
    assert store.erase(known.id) >= len(DATA) + 5
    assert store.erase(known.id) == 0
    assert store.outcome(known.id) is None
    assert manifests(store) == []
    with pytest.raises(errors.NotFound):
        store.manifest(known.id)
    with pytest.raises(errors.Gone):
        store.open_result(known.id, file)


def test_an_encoder_finds_out_that_its_job_was_erased_when_it_wants_to_end_it(store: Store) -> None:
    known = put(store)
    target = store.create_result(known.id, "token")
    os.write(target.fd, b"late")
    store.erase(known.id)
    target.save()
    with pytest.raises(errors.NotFound):
        store.commit_outcome(known.id, succeeded(Status(), Result("result-token.webp", 4, "ab", 1, 1, 1), 1.0))
    assert manifests(store) == []


def test_whoever_reads_while_it_is_erased_reads_to_the_end(store: Store) -> None:
    known = put(store)
    blob = store.open_source(known.id)
    store.erase(known.id)
    assert content(blob) == DATA


def test_reading_is_bounded_and_empty_at_the_end(store: Store) -> None:
    blob = store.open_source(put(store, b"0123456789").id)
    assert (blob.read_at(3, 4), blob.read_at(8, 100), blob.read_at(10, 5), blob.size_bytes) == (b"3456", b"89", b"", 10)
    assert os.pread(blob.fileno(), 100, 0) == b"0123456789"
    blob.close()


def test_tidying_removes_what_a_dead_process_left_half_written_and_nothing_else(store: Store) -> None:
    known = put(store)
    abandoned, much = store.create_upload(), DATA * (EARLY_BYTES // len(DATA) + 1)
    abandoned.write(much)
    abandoned.sha256()
    assert store.clean_up(3600) == 0
    try:
        assert store.clean_up(-1) == len(much)
        assert content(store.open_source(known.id)) == DATA
    finally:
        abandoned.discard()


def test_a_store_that_can_store_passes_its_check(store: Store) -> None:
    store.check()


def test_a_shared_result_has_two_lives(store: Store) -> None:
    one, other = put(store), put(store)
    file, sha256 = put_result(store, one.id, b"the result")
    result = Result(file, 10, sha256, 16, 12, 1)
    given = store.reuse_result(one.id, file, other.id, "token-2")
    assert store.commit_outcome(other.id, succeeded(Status(), replace(result, file=given), 1.0))
    assert store.commit_outcome(one.id, succeeded(Status(), result, 1.0))
    store.erase(one.id)
    assert content(store.open_result(other.id, given)) == b"the result"


def test_what_is_not_there_cannot_be_shared_nor_given_to_nobody(store: Store) -> None:
    one, other = put(store), put(store)
    with pytest.raises(errors.Gone):
        store.reuse_result(one.id, "result-none.webp", other.id, "token")
    file, _ = put_result(store, one.id, b"the result")
    store.erase(other.id)
    with pytest.raises(errors.NotFound):
        store.reuse_result(one.id, file, other.id, "token")
