"""A process is killed before each of its calls that change the disk, one after the other: nothing acknowledged is lost, the job comes once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from backend.flows import uploads as flow
from backend.flows.maintenance import recover
from backend.flows.sweep_uploads import FINISH_AFTER_S, sweep
from backend.flows.uploads import PatchRequest
from tests.fakes.samples import image
from tests.fakes.uploads import every_upload
from tests.system.uploads.conftest import Tus, job_id

PNG = image("png", 64, 48)
CHANGES = ("write", "rename", "link", "unlink", "fdatasync", "fsync", "ftruncate", "mkdir", "utime")
KILLED = 137


def in_a_process_killed_at(number: int, work: Callable[[Callable[[str], None]], None]) -> tuple[bool, list[str]]:
    """Whether it was killed, and what it had acknowledged by then."""
    readable, writable = os.pipe()
    write = os.write
    pid = os.fork()
    if pid == 0:
        try:
            kill_at(number)
            work(lambda word: bool(write(writable, word.encode() + b"\n")))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writable)
    with os.fdopen(readable) as acknowledged:
        words = acknowledged.read().split()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, KILLED), f"the process failed by itself with {code}"
    return code == KILLED, words


def kill_at(number: int) -> None:
    left = iter(range(number))

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **more: Any) -> Any:
            if next(left, None) is None:
                os._exit(KILLED)
            return call(*arguments, **more)

        return counting

    for name in CHANGES:
        setattr(os, name, counted(getattr(os, name)))


def append(tus: Tus, path: str, offset: int, data: bytes) -> int:
    with flow.open_writer(tus.context, path.rsplit("/", 1)[-1], "") as writer:
        return flow.append(tus.context, writer, PatchRequest(offset), iter([data])).offset_bytes


def everywhere(tmp_path: Path) -> Iterator[tuple[int, Tus]]:
    for number in count():
        yield number, Tus(tmp_path / str(number))


def check_one_job(tus: Tus, path: str) -> None:
    """After a restart (the queue, in memory, began empty) what is missing is sent; then there is one job, queued once, with every byte."""
    recover(tus.context)
    offset = tus.offset(path)
    if offset < len(PNG):
        assert tus.patch(path, offset, PNG[offset:]).status_code == 204
    link = tus.head(path).headers["Link"]
    assert tus.source(link) == PNG
    assert tus.jobs() == [job_id(link)] and tus.here.queue.depth() == 1
    assert tus.head(path).headers["Link"] == link and tus.jobs() == [job_id(link)]


def test_a_kill_at_any_change_to_the_disk_loses_nothing_acknowledged_and_makes_one_job(tmp_path: Path) -> None:
    for number, tus in everywhere(tmp_path):
        path = tus.created(len(PNG))

        def work(tell: Callable[[str], None], tus: Tus = tus, path: str = path) -> None:
            tell(str(append(tus, path, 0, PNG[:50])))
            tell(str(append(tus, path, 50, PNG[50:])))

        was_killed, acknowledged = in_a_process_killed_at(number, work)
        assert tus.offset(path) >= int(acknowledged[-1] if acknowledged else 0)
        check_one_job(tus, path)
        if not was_killed:
            assert number > 15, f"only {number} changes were seen"
            return


def test_the_caretaker_finishes_what_a_killed_process_left_complete(tmp_path: Path) -> None:
    for number, tus in everywhere(tmp_path):
        path = tus.created(len(PNG))
        append(tus, path, 0, PNG[:50])
        was_killed, _ = in_a_process_killed_at(number, lambda tell, tus=tus, path=path: tell(str(append(tus, path, 50, PNG[50:]))))  # type: ignore[misc]
        left = tus.uploads.find(path.rsplit("/", 1)[-1])[1]
        tus.here.clock.advance(FINISH_AFTER_S)  # type: ignore[union-attr]
        sweep(tus.context)
        assert len(tus.jobs()) == left.is_complete
        assert tus.here.queue.depth() == (left.is_complete and not left.has_job)
        check_one_job(tus, path)
        if not was_killed:
            return


def test_a_kill_at_any_change_of_a_creation_leaves_a_whole_upload_or_none(tmp_path: Path) -> None:
    for number, tus in everywhere(tmp_path):
        was_killed, acknowledged = in_a_process_killed_at(number, lambda tell, tus=tus: tell(tus.created(len(PNG))))  # type: ignore[misc]
        found = [f"/api/uploads/{info.id}" for info, _ in every_upload(tus.uploads)]
        assert set(acknowledged) <= set(found) and len(found) <= 1
        for path in found:
            check_one_job(tus, path)
        if not was_killed:
            return


def test_a_kill_at_any_change_of_a_concatenation_leaves_no_half_of_it(tmp_path: Path) -> None:
    for number, tus in everywhere(tmp_path):
        parts = [tus.created(len(piece), Upload_Concat="partial") for piece in (PNG[:50], PNG[50:])]
        tus.patch(parts[0], 0, PNG[:50])
        tus.patch(parts[1], 0, PNG[50:])

        def work(tell: Callable[[str], None], tus: Tus = tus, parts: list[str] = parts) -> None:
            response = tus.ask("POST", "/api/uploads", Upload_Concat=f"final;{parts[0]} {parts[1]}")
            tell(response.headers["Location"])

        was_killed, acknowledged = in_a_process_killed_at(number, work)
        finals = [f"/api/uploads/{info.id}" for info, _ in every_upload(tus.uploads) if info.is_final]
        assert set(acknowledged) <= set(finals) and len(finals) <= 1
        for path in finals:
            check_one_job(tus, path)
        if not was_killed:
            return


def test_a_kill_in_mid_piece_with_a_checksum_leaves_the_offset(tus: Tus) -> None:
    path = tus.created(len(PNG))
    append(tus, path, 0, PNG[:20])
    with flow.open_writer(tus.context, path.rsplit("/", 1)[-1], "") as writer:
        writer.start_checksum("sha1")
        writer.write(PNG[20:60])
    assert tus.offset(path) == 20
    check_one_job(tus, path)


def test_a_full_disk_at_the_last_step_keeps_the_upload_for_another_try(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tus.created(len(PNG))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", full)
        assert tus.patch(path, 0, PNG).status_code == 507
        assert tus.head(path).status_code == 507
    check_one_job(tus, path)
