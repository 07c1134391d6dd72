"""The steps that change the store, each run in a forked process in which one call fails or which is killed there.

``perform`` does the step, tells what came of it, and does it again with a new image, as a client would. Each line that it tells is one that a client
would have got: what it names is acknowledged. Between ``BEGIN`` and ``END`` (paths that are looked up and do not exist) lie the system calls of the
first try. Ids are drawn from a seed: a job's folder follows from its id, and a trace must be the same each time.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TypeVar

from backend import errors
from backend.adapters.files.resumable import FileUploads
from backend.adapters.files.store import FileStore
from backend.core.client_limits import ClientLimits
from backend.core.job import Job, Result, Status, succeeded
from backend.core.options import Options
from backend.core.resumable import UploadInfo
from backend.flows import batch, conclude, ingest, maintenance, uploads
from backend.flows.conclude import conclude as end
from backend.flows.context import Context
from backend.flows.ingest import Sender
from backend.flows.uploads import PatchRequest
from tests.fakes.live_state import live_state
from tests.fakes.samples import READER
from tests.fakes.server import MemoryServer
from tests.fakes.uploads import every_upload
from tests.support.stored import manifests
from tests.system.faults.pictures import PNG

T = TypeVar("T")
BEGIN, END = "/a-step-begins", "/a-step-ends"
RESULT = b"RIFF....WEBP" + b"result" * 500


class Here:
    """A process's world over the store at ``root``. The queue is in memory: what is shown here must hold without one."""

    def __init__(self, root: Path, seed: str) -> None:
        self.new_id = ids(seed)
        self.store, self.uploads = FileStore(root), FileUploads(root)
        live = live_state(MemoryServer())
        self.jobs, self.index = live["jobs"], live["index"]
        self.context = Context(self.store, **live, uploads=self.uploads, new_id=self.new_id, receiver=READER, shares_results=False)

    def receive(self, data: bytes = PNG) -> ingest.Received:
        intake = ingest.Intake(self.context, "cat.png")
        try:
            for at in range(0, len(data), 40):
                intake.feed(data[at : at + 40])
            return intake.finish()
        except BaseException:
            intake.abandon()
            raise

    def upload(self) -> Job:
        received = self.receive()
        try:
            return ingest.accept(self.context, received, Options(), Sender())
        except BaseException:
            received.upload.discard()
            raise

    def publish(self, job: Job) -> Job:
        """What an encoder does with its result."""
        target = self.store.create_result(job.id, self.new_id())
        try:
            view = memoryview(RESULT)
            while view:
                view = view[os.write(target.fd, view) :]
            file, sha256 = target.save()
        except OSError as error:
            target.discard()
            raise errors.StorageFull() from error
        except BaseException:
            target.discard()
            raise
        return end(self.context, job.at(succeeded(Status(), Result(file, len(RESULT), sha256, 1, 1, 1), time.time())))

    def info(self) -> UploadInfo:
        info = UploadInfo(self.new_id(), self.new_id(), Options(), "cat.png")
        uploads.create(self.context, info, len(PNG), ClientLimits())
        self.append(info, 0, PNG[:50])
        return info

    def append(self, info: UploadInfo, offset: int, data: bytes) -> bool:
        with uploads.open_writer(self.context, info.id, "") as writer:
            return uploads.append(self.context, writer, PatchRequest(offset), iter([data])).has_job

    def batch(self) -> tuple[str, list[str]]:
        received = [self.receive() for _ in range(3)]
        try:
            whole, jobs = batch.accept(self.context, received, Options(), Sender())
        except BaseException:
            for each in received:
                each.upload.discard()
            raise
        return whole.id, [each.id for each in jobs]

    def unfinished(self) -> list[Job]:
        return [Job(each, Status()) for each in manifests(self.store) if self.store.outcome(each.id) is None]


def ids(seed: str) -> Callable[[], str]:
    """22 characters each, as ``random_id``'s."""
    numbers = count()
    return lambda: base64.urlsafe_b64encode(hashlib.sha256(f"{seed} {next(numbers)}".encode()).digest()[:16]).rstrip(b"=").decode()


def one(found: Sequence[T]) -> T:
    """The first; what cannot be read just now is passed over, and then there may be none."""
    if not found:
        raise errors.BackendUnavailable(part="store", retry_after_s=1)
    return found[0]


def upload(here: Here) -> dict[str, object]:
    return {"job": here.upload().id}


def retry(here: Here) -> dict[str, object]:
    job = one(sorted(manifests(here.store), key=lambda each: each.created_at))
    return {"job": ingest.retry(here.context, Job(job, Status()), Options(quality=33), Sender()).id}


def result(here: Here) -> dict[str, object]:
    return {"ended": here.publish(one(here.unfinished())).id}


def cancel(here: Here) -> dict[str, object]:
    return {"cancelled": conclude.cancel(here.context, one(here.unfinished())).id}


def delete(here: Here) -> dict[str, object]:
    job = one(sorted(manifests(here.store), key=lambda each: each.id))
    conclude.erase(here.context, Job(job, Status()))
    return {"deleted": job.id}


def several(here: Here) -> dict[str, object]:
    whole, jobs = here.batch()
    return {"batch": whole, "jobs": jobs}


def equal_work(here: Here) -> dict[str, object]:
    """An image that was converted before shares that result."""
    here.context = replace(here.context, shares_results=True)
    first = here.publish(here.upload())
    second = here.upload()
    return {"ended": [first.id], "job": [first.id, second.id]}


def last_piece(here: Here) -> dict[str, object]:
    """The last bytes of a resumable upload; a client that failed asks how far it is and goes on from there."""
    info, state = one(sorted((each for each in every_upload(here.uploads) if not each[1].has_job), key=lambda each: each[0].id))
    _, state = uploads.resume(here.context, info.id, "")
    if not state.has_job:
        assert here.append(info, state.offset_bytes, PNG[state.offset_bytes :])
    return {"job": info.job_id}


def create_upload(here: Here) -> dict[str, object]:
    return {"upload": here.info().id}


def whole_upload(here: Here) -> dict[str, object]:
    """A resumable upload whose bytes all come with its creation."""
    info = UploadInfo(here.new_id(), here.new_id(), Options(), "cat.png")
    pieces = iter([PNG[:40], PNG[40:]])
    _, state = uploads.create_whole(here.context, info, PatchRequest(0, size_bytes=len(PNG)), pieces, ClientLimits())
    assert state.has_job
    return {"upload": info.id, "job": info.job_id}


def create_again(here: Here) -> dict[str, object]:
    """A client that has heard no answer asks for the upload that is there already, with the ``Idempotency-Key`` that stands for its id."""
    known, _ = one(every_upload(here.uploads))
    info, state = uploads.create(here.context, replace(known, job_id=here.new_id()), len(PNG), ClientLimits())
    assert (info, state.offset_bytes) == (known, 50)
    return {"upload": info.id}


def retention(here: Here) -> dict[str, object]:
    """A round of maintenance, a day later."""
    later = replace(here.context, clock=lambda: time.time() + 86_500)
    maintenance.recover(later)
    return {"freed": maintenance.expire(later) + here.store.clean_up(-1)}


STEPS: dict[str, Callable[[Here], dict[str, object]]] = {
    each.__name__: each
    for each in (upload, retry, result, cancel, delete, several, equal_work, create_upload, create_again, whole_upload, last_piece, retention)
}


def prepare(step: str, root: Path) -> dict[str, list[str]]:
    """What is in the store before; what it holds must outlive the step."""
    here = Here(root, "before")
    here.store.prepare()
    here.uploads.prepare()
    finished, waiting = here.publish(here.upload()), here.upload()
    known = {"finished": [finished.id], "waiting": [waiting.id], "tickets": []}
    if step in ("result", "cancel"):
        known["waiting"].append(here.upload().id)
    if step in ("last_piece", "create_again"):
        known["tickets"] = [here.info().id for _ in range(2 if step == "last_piece" else 1)]
    return known


def perform(step: str, here: Here, tell: Callable[[dict[str, object]], None]) -> None:
    os.access(BEGIN, os.F_OK)
    said = _tried(step, here)
    os.access(END, os.F_OK)
    tell(said)
    tell(_tried(step, here))


def _tried(step: str, here: Here) -> dict[str, object]:
    try:
        return {"acknowledged": STEPS[step](here)}
    except errors.GatewayError as error:
        return {"refused": error.code, "status": error.status}
