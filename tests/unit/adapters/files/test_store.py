"""What only files have: syncs in the right order, full and broken disks, many processes, debris."""

from __future__ import annotations

import ctypes
import errno
import json
import multiprocessing
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from backend import errors
from backend.adapters.files import write_back
from backend.adapters.files.store import FileStore
from backend.core.job import Status, cancelled
from backend.texts.problems import problem
from tests.contract.test_store import DATA, put
from tests.fakes.samples import manifest
from tests.support.stored import manifests


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The syncs and renames, in order, by the last parts of their paths; they still happen."""
    heard: list[str] = []

    def note(name: str, subject: str) -> None:
        real = getattr(os, name)

        def call(*arguments: object) -> object:
            path = Path(os.readlink(f"/proc/self/fd/{arguments[0]}")) if subject == "fd" else Path(str(arguments[1]))
            kind = "shard" if path.parent.name == "jobs" else "job" if path.suffix == ".job" or path.parent.parent.name == "jobs" else path.name
            heard.append(f"{name} {'upload' if path.parent.name == 'incoming' and not path.suffix else kind}")
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    for name in ("fdatasync", "fsync"):
        note(name, "fd")
    for name in ("rename", "link"):
        note(name, "path")
    return heard


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="names of descriptors come from /proc")
def test_source_manifest_and_folder_are_synced_before_the_job_becomes_visible_and_the_shard_after(file_store: FileStore, calls: list[str]) -> None:
    put(file_store)
    assert calls == ["fdatasync upload", "rename source", "fdatasync manifest.json", "fsync job", "rename job", "fsync shard"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="names of descriptors come from /proc")
def test_an_end_is_synced_before_it_is_linked(file_store: FileStore, calls: list[str]) -> None:
    known = put(file_store)
    calls.clear()
    file_store.commit_outcome(known.id, cancelled(Status(), 1.0))
    assert [each.split()[0] for each in calls] == ["fdatasync", "link", "fsync"]


def test_below_the_floor_of_free_space_nothing_is_begun(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store", min_free_bytes=1 << 60)
    store.prepare()
    for attempt in (store.check, store.create_upload):
        with pytest.raises(errors.StorageFull):
            attempt()


def fail_with(number: int, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def call(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, errors.StorageFull), (errno.EDQUOT, errors.StorageFull), (errno.EIO, errors.BackendUnavailable)]
)
def test_a_disk_that_fails_is_named_and_no_path_is_told(
    file_store: FileStore, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[errors.GatewayError]
) -> None:
    upload = file_store.create_upload()
    with monkeypatch.context() as broken:
        fail_with(number, broken, "write")
        with pytest.raises(kind) as raised:
            upload.write(DATA)
    assert str(file_store.root) not in json.dumps(problem(raised.value.as_record()))
    upload.discard()


@pytest.mark.skipif(sys.platform != "linux", reason="sync_file_range is Linux's")
@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, errors.StorageFull), (errno.EIO, errors.BackendUnavailable), (errno.EINVAL, None)])
def test_a_disk_that_fails_as_it_begins_to_write_fails_the_upload(
    file_store: FileStore, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[errors.GatewayError] | None
) -> None:
    """Where the file system does not know the call, nothing is lost but time."""

    def call(*arguments: int) -> int:
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(write_back, "WRITE_BACK_BYTES", 4)
    monkeypatch.setattr(write_back, "SLOW_WRITE_BACK_BYTES", 4)
    monkeypatch.setattr(write_back, "_sync_file_range", call)
    upload = file_store.create_upload()
    with pytest.raises(kind) if kind else nullcontext():
        upload.write(DATA)
    upload.discard()


def test_the_disk_begins_to_write_before_all_is_there(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(write_back, "WRITE_BACK_BYTES", 10)
    monkeypatch.setattr(write_back, "SLOW_WRITE_BACK_BYTES", 10)
    monkeypatch.setattr(write_back, "_sync_file_range", lambda fd, offset, size, flags: begun.append((offset, size)))
    upload = file_store.create_upload()
    for size in (4, 8, 9, 30):
        upload.write(b"x" * size)
    upload.discard()
    assert begun == [(0, 12), (12, 39)]


def test_the_disk_begins_sooner_with_what_comes_slowly(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(write_back, "WRITE_BACK_BYTES", 20)
    monkeypatch.setattr(write_back, "SLOW_WRITE_BACK_BYTES", 10)
    monkeypatch.setattr(write_back, "SLOW_BYTES_PER_S", 1e9)
    monkeypatch.setattr(write_back, "_sync_file_range", lambda fd, offset, size, flags: begun.append((offset, size)))
    upload = file_store.create_upload()
    upload.write(b"x" * 12)
    monkeypatch.setattr(write_back, "SLOW_BYTES_PER_S", 0)
    for _ in range(2):
        upload.write(b"x" * 12)
    upload.discard()
    assert begun == [(0, 12), (12, 24)]


def test_a_commit_whose_sync_fails_leaves_no_job_and_no_folder(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = file_store.create_upload()
    upload.write(DATA)
    with monkeypatch.context() as broken:
        fail_with(errno.ENOSPC, broken, "fdatasync")
        with pytest.raises(errors.StorageFull):
            file_store.commit_job(upload, manifest())
    upload.discard()
    assert manifests(file_store) == []
    assert list((file_store.root / "incoming").iterdir()) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_commit_whose_very_last_sync_fails_is_taken_back(file_store: FileStore, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """It was visible for a moment; told that it failed, the client sends it again, and nobody wants it twice."""
    upload = file_store.create_upload()
    upload.write(DATA)
    real, syncs = os.fsync, []

    def fails_at_the_second(fd: int) -> None:
        syncs.append(fd)
        if len(syncs) == 2:
            raise OSError(number, os.strerror(number))
        real(fd)

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fails_at_the_second)
        with pytest.raises(errors.GatewayError):
            file_store.commit_job(upload, manifest())
    upload.discard()
    assert manifests(file_store) == []
    assert [*(file_store.root / "incoming").iterdir(), *(file_store.root / "trash").iterdir()] == []


def test_a_disk_too_full_to_rename_can_be_freed_all_the_same(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    known = put(file_store)
    with monkeypatch.context() as broken:
        fail_with(errno.ENOSPC, broken, "rename")
        assert file_store.erase(known.id) >= len(DATA)
    assert manifests(file_store) == [] and list((file_store.root / "jobs").glob("*/*")) == []


def test_a_deletion_is_not_undone_by_a_disk_that_does_not_tell_what_lies_in_the_trash(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was told as a failure of the gateway's own, though the job was gone."""
    known, real = put(file_store), os.stat

    def call(path: Any, *arguments: Any, **more: Any) -> os.stat_result:
        if "trash" in str(path):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, *arguments, **more)

    with monkeypatch.context() as broken:
        broken.setattr(os, "stat", call)
        assert file_store.erase(known.id) == 0
    assert manifests(file_store) == []
    assert file_store.clean_up(0) > 0


def test_bytes_that_another_job_shares_are_not_counted_as_freed(file_store: FileStore) -> None:
    known = put(file_store)
    assert file_store.commit_job(file_store.reuse_source(known), other := manifest(source=known.source))
    assert file_store.erase(known.id) < len(DATA)
    assert file_store.erase(other.id) > len(DATA)


def test_an_end_that_cannot_be_written_leaves_no_half_written_file(file_store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    known = put(file_store)
    before = sorted(each.name for each in (file_store.root / "jobs").rglob("*"))
    with monkeypatch.context() as broken:
        fail_with(errno.ENOSPC, broken, "fdatasync")
        with pytest.raises(errors.StorageFull):
            file_store.commit_outcome(known.id, cancelled(Status(), 1.0))
    assert sorted(each.name for each in (file_store.root / "jobs").rglob("*")) == before
    assert file_store.commit_outcome(known.id, cancelled(Status(), 1.0))


def _conclude(root: str, job_id: str, number: int, go: Any, answers: Any) -> None:
    go.wait()
    answers.put((number, FileStore(Path(root)).commit_outcome(job_id, cancelled(Status(seq=number), float(number)))))


def test_of_many_processes_that_end_a_job_at_once_exactly_one_does(file_store: FileStore) -> None:
    known = put(file_store)
    context = multiprocessing.get_context("fork")
    go, answers = context.Event(), context.SimpleQueue()
    processes = [context.Process(target=_conclude, args=(str(file_store.root), known.id, each, go, answers)) for each in range(6)]
    for each in processes:
        each.start()
    go.set()
    said = dict(answers.get() for _ in processes)
    for each in processes:
        each.join(10)
        each.close()
    answers.close()
    winners = [number for number, was_first in said.items() if was_first]
    outcome = file_store.outcome(known.id)
    assert len(winners) == 1
    assert outcome is not None
    assert outcome.seq == winners[0] + 1


def test_debris_of_a_killed_erase_is_tidied(file_store: FileStore) -> None:
    known = put(file_store)
    next((file_store.root / "jobs").glob(f"*/{known.id}")).rename(file_store.root / "trash" / "doomed")
    assert file_store.clean_up(3600) > len(DATA)
    assert list((file_store.root / "trash").iterdir()) == []


def test_one_unreadable_manifest_does_not_hide_the_other_jobs(file_store: FileStore) -> None:
    """A passing job's manifest is not synced: after a power cut it may be there and empty. Recovery must not stop at it."""
    good, torn = put(file_store), put(file_store, is_ephemeral=True)
    next((file_store.root / "jobs").glob(f"*/{torn.id}/manifest.json")).write_bytes(b"")
    next((file_store.root / "jobs").iterdir()).joinpath(".DS_Store").write_bytes(b"what a copying desktop leaves")
    assert [each.id for each in manifests(file_store)] == [good.id]


def test_a_job_that_a_power_cut_tore_is_erased_in_time(file_store: FileStore) -> None:
    good, torn = put(file_store), put(file_store, is_ephemeral=True)
    folder = next((file_store.root / "jobs").glob(f"*/{torn.id}"))
    (folder / "manifest.json").write_bytes(b"\0" * 100)
    file_store.clean_up(3600)
    assert folder.exists()
    assert file_store.clean_up(-1) == len(DATA) + 100
    assert not folder.exists() and file_store.manifest(good.id) == good


def test_a_torn_batch_does_not_stop_the_tidying(file_store: FileStore) -> None:
    (file_store.root / "batches" / "torn.json").write_bytes(b"")
    upload = file_store.create_upload()
    file_store.clean_up(-1)
    upload.discard()
    assert list((file_store.root / "incoming").iterdir()) == []


def test_files_are_readable_by_their_owner_alone(file_store: FileStore) -> None:
    put(file_store)
    assert {oct(each.stat().st_mode & 0o077) for each in file_store.root.rglob("*")} == {"0o0"}


def test_a_store_that_is_prepared_twice_keeps_its_jobs(file_store: FileStore) -> None:
    known = put(file_store)
    file_store.prepare()
    assert file_store.manifest(known.id) == known
