"""``/api/batches``: the images of one request together. Their state, their events, and their results as one ZIP."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, request

from backend import errors
from backend.core.batch import Batch, has_ended, public_batch, seq
from backend.core.job import Job
from backend.core.reader import Reader
from backend.flows import batch as batches
from backend.flows.batch import BatchWatch
from backend.flows.outbox import Latest
from backend.ports.peer import Peer
from backend.web.openapi.answers import BATCH, BINARY, EVENTS, FIND_ERRORS, NOTHING_NEW, UNCHANGED
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.request import auth
from backend.web.request.context import WebContext, flow_context, web_context
from backend.web.request.peer import peer
from backend.web.request.reader import reader
from backend.web.request.waiting import last_seq
from backend.web.response.archive import send_archive
from backend.web.response.event_stream import TICK_S, Event, event_stream
from backend.web.response.job_responses import batch_response

routes = Resource("batches", __name__, tag="batches")


@routes.serve(
    Operation(
        "GET",
        "/api/batches/{batch_id}",
        "showBatch",
        {200: Answer(BATCH, ("ETag",)), 304: UNCHANGED},
        FIND_ERRORS,
        ("batch_id", "If-None-Match"),
        curl="curl {base}/api/batches/$batch",
    )
)
def show(batch_id: str) -> Response:
    batch, jobs = batches.find_batch(flow_context(), batch_id, auth.owner())
    response = batch_response(batch, jobs)
    response.set_etag(str(seq(jobs)), weak=True)
    response.make_conditional(request)
    return response


@routes.serve(
    Operation(
        "POST",
        "/api/batches/{batch_id}/cancel",
        "cancelBatch",
        {200: Answer(BATCH)},
        FIND_ERRORS,
        ("batch_id",),
        curl="curl -X POST {base}/api/batches/$batch/cancel",
    )
)
def cancel(batch_id: str) -> Response:
    context = flow_context()
    batch, jobs = batches.find_batch(context, batch_id, auth.owner())
    return batch_response(batch, batches.cancel(context, jobs))


@routes.serve(
    Operation(
        "GET",
        "/api/batches/{batch_id}/events",
        "followBatch",
        {200: EVENTS, 204: NOTHING_NEW},
        (errors.BadRequest, errors.NoRealtime, *FIND_ERRORS),
        ("batch_id", "Last-Event-ID"),
        curl="curl -N {base}/api/batches/$batch/events",
        tag="events",
    )
)
def events(batch_id: str) -> Response:
    """Each event is the whole batch, so a client that missed some misses nothing. ``id`` is the sum of the jobs' ``seq``."""
    web = web_context()
    batch, jobs = batches.find_batch(web.context, batch_id, auth.owner())
    after = last_seq(request.headers.get("Last-Event-ID"), "Last-Event-ID")
    if after is not None and after >= seq(jobs) and has_ended(jobs):
        return Response(status=204)
    latest: Latest[list[Job]] = Latest()
    watch = BatchWatch(web.context, web.follower, batch, latest.put)
    latest.put(watch.begin())
    return event_stream(_events(web, batch, latest, reader(), peer()), watch.close)


def _events(web: WebContext, batch: Batch, latest: Latest[list[Job]], known: Reader, client: Peer) -> Iterator[Event | None]:
    """Until the batch has ended, the worker drains, or the client's key no longer counts."""
    while not client.is_draining:
        jobs = latest.take(TICK_S)
        if not auth.is_admitted(web, batch.owner):
            return
        yield Event(seq(jobs), public_batch(batch, jobs, known)) if jobs is not None else None
        if jobs is not None and has_ended(jobs):
            return


@routes.serve(
    Operation(
        "GET",
        "/api/batches/{batch_id}/archive.zip",
        "getArchive",
        {200: Answer({"application/zip": BINARY}, ("Content-Disposition",))},
        (errors.Gone, *FIND_ERRORS),
        ("batch_id",),
        curl="curl {base}/api/batches/$batch/archive.zip -o images.zip",
    )
)
def archive(batch_id: str) -> Response:
    """The results that are there. Streamed, with its length."""
    context = flow_context()
    batch, jobs = batches.find_batch(context, batch_id, auth.owner())
    return send_archive(context, jobs, f"{batch.id}.zip")
