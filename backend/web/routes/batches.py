"""``/api/batches``: several images as one: their state, their events, their results as one ZIP."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Blueprint, Response, request
from zipstream import ZIP_STORED, ZipStream

from backend.core.batch import Batch, has_ended, public_batch, seq
from backend.core.job import Job
from backend.flows import batch as batches
from backend.flows import deliver
from backend.flows.batch import BatchWatch
from backend.flows.outbox import Latest
from backend.ports.blob import Blob
from backend.web.request import auth
from backend.web.request.context import site
from backend.web.response import files
from backend.web.routes.events import HEARTBEAT_S, LOOK_UP_S, RETRY_MS, seq_of, stream_response

routes = Blueprint("batches", __name__)


@routes.get("/api/batches/<batch_id>")
def show(batch_id: str) -> Response:
    batch, jobs = batches.find_batch(site().context, batch_id, auth.owner())
    response = answer(batch, jobs, 200)
    response.set_etag(str(seq(jobs)), weak=True)
    response.make_conditional(request)
    return response


@routes.post("/api/batches/<batch_id>/cancel")
def cancel(batch_id: str) -> Response:
    context = site().context
    batch, jobs = batches.find_batch(context, batch_id, auth.owner())
    return answer(batch, batches.cancel(context, jobs), 200)


@routes.get("/api/batches/<batch_id>/events")
def events(batch_id: str) -> Response:
    """Server-Sent Events; ``id`` is the sum of the jobs' ``seq``. Each event is the whole batch, so nothing can be missed."""
    here = site()
    batch, jobs = batches.find_batch(here.context, batch_id, auth.owner())
    after = seq_of(request.headers.get("Last-Event-ID"), "Last-Event-ID")
    if after is not None and after >= seq(jobs) and has_ended(jobs):
        return Response(status=204)
    latest: Latest[list[Job]] = Latest()
    watch = BatchWatch(here.context, here.follower, batch, latest.put)
    latest.put(watch.begin())
    return stream_response(_lines(batch, latest, auth.language(), request.environ.get("gateway.draining")), watch.close)


def _lines(batch: Batch, latest: Latest[list[Job]], language: str, draining: object) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    silent_s = 0.0
    while not (draining is not None and draining.is_set()):  # type: ignore[attr-defined]
        jobs = latest.take(LOOK_UP_S)
        if jobs is not None:
            silent_s = 0.0
            yield f"id: {seq(jobs)}\ndata: {json.dumps(public_batch(batch, jobs, language), ensure_ascii=False)}\n\n"
            if has_ended(jobs):
                return
            continue
        silent_s += LOOK_UP_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"


@routes.get("/api/batches/<batch_id>/archive.zip")
def archive(batch_id: str) -> Response:
    """Every result there is, streamed and stored as it is: WebP does not shrink. The length is known before the first byte."""
    batch, jobs = batches.find_batch(site().context, batch_id, auth.owner())
    zipped = ZipStream(compress_type=ZIP_STORED, sized=True)
    taken: set[str] = set()
    for job in jobs:
        if job.status.result is not None:
            known, blob = deliver.result(site().context, job)
            zipped.add(_blocks(blob), files.unique_name(files.result_name(job), taken), size=known.bytes)
    response = Response(zipped, content_type="application/zip", direct_passthrough=True)
    response.content_length = len(zipped)
    response.headers["Content-Disposition"] = files.disposition(f"{batch.id}.zip", is_attachment=True)
    response.headers["Cache-Control"] = "no-store"
    return response


def _blocks(blob: Blob) -> Iterator[bytes]:
    try:
        offset = 0
        while block := blob.read_at(offset, files.BLOCK_BYTES):
            offset += len(block)
            yield block
    finally:
        blob.close()


def answer(batch: Batch, jobs: list[Job], status: int) -> Response:
    text = json.dumps(public_batch(batch, jobs, auth.language()), ensure_ascii=False)
    response = Response(text, status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store" if status == 202 else "private, no-cache"
    response.headers["Vary"] = "Accept-Language"
    return response
