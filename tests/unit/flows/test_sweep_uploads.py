"""The janitor's look at resumable uploads: page by page, and at none twice that has nothing due."""

from __future__ import annotations

import pytest

from backend.core.options import Options
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import sweep_uploads
from backend.flows.context import random_id
from backend.flows.sweep_uploads import FINISH_AFTER_S, count_unfinished, sweep
from tests.fakes.context import MemoryContext
from tests.fakes.samples import image

PNG = image("png", 20, 10)


def made(here: MemoryContext, data: bytes = PNG, length_bytes: int = len(PNG)) -> str:
    info = UploadInfo(random_id(), random_id(), Options(), client="someone")
    here.uploads.create(info, UploadState(here.clock(), length_bytes=length_bytes))
    writer = here.uploads.open(info.id)
    assert writer is not None
    writer.write(data)
    writer.save(here.clock())
    writer.close()
    return info.id


@pytest.fixture
def reads(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the uploads that were read."""
    found: list[str] = []
    find = here.uploads.find

    def counted(upload_id: str) -> tuple[UploadInfo, UploadState]:
        found.append(upload_id)
        return find(upload_id)

    monkeypatch.setattr(here.uploads, "find", counted)
    return found


def test_a_round_goes_on_where_the_last_stopped_and_begins_anew_at_the_end(
    here: MemoryContext, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_uploads, "PAGE", 3)
    known = sorted(made(here, PNG[:10]) for _ in range(7))
    for expected in (known[:3], known[3:6], known[6:], []):
        reads.clear()
        sweep(here.context)
        assert reads == expected


def test_an_upload_that_has_changed_is_read_again_and_one_that_expires_is_erased(here: MemoryContext, reads: list[str]) -> None:
    _, other = sorted(made(here, PNG[:10]) for _ in range(2))
    sweep(here.context)
    writer = here.uploads.open(other)
    assert writer is not None
    here.clock.advance(100)
    writer.write(PNG[10:20])
    writer.save(here.clock())
    writer.close()
    reads.clear()
    sweep(here.context)
    assert reads == [other]
    here.clock.advance(here.context.retention_s - 50)
    assert sweep(here.context) == 10
    assert [each.id for each in here.uploads.page("", 9)] == [other]


def test_a_complete_upload_is_left_to_its_request_for_a_while_and_then_finished(here: MemoryContext) -> None:
    upload_id = made(here)
    sweep(here.context)
    assert list(here.store.manifests()) == []
    here.clock.advance(FINISH_AFTER_S)
    sweep(here.context)
    assert [each.id for each in here.store.manifests()] == [here.uploads.find(upload_id)[0].job_id]


def test_all_unfinished_uploads_are_told_though_some_cannot_be_read(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_uploads, "PAGE", 2)
    known = [made(here, PNG[:10]) for _ in range(5)]
    find = here.uploads.find

    def broken(upload_id: str) -> tuple[UploadInfo, UploadState]:
        if upload_id == known[0]:
            raise ValueError("no record")
        return find(upload_id)

    monkeypatch.setattr(here.uploads, "find", broken)
    count_unfinished(here.context)
    one_more = [("one more", here.clock() + 60)]
    assert [here.context.client_uses.add_uploads("someone", one_more, limit) for limit in (4, 5)] == [False, True]


def test_who_is_told_again_reads_nothing_again(here: MemoryContext, reads: list[str]) -> None:
    made(here, PNG[:10])
    count_unfinished(here.context)
    reads.clear()
    count_unfinished(here.context)
    assert reads == []
