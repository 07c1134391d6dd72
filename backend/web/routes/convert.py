"""``/api/convert``: image in, result out, in one request. It goes the way of a job, but nothing is kept once it is answered."""

from __future__ import annotations

import logging
import threading
from functools import partial

from flask import Response

from backend import errors
from backend.core import filenames, options
from backend.core.job import Job
from backend.flows import conclude, deliver, ingest
from backend.flows.await_encoder import RETRY_S, EncoderWatch
from backend.flows.context import Context
from backend.web.openapi.answers import FILE_HEADERS, FORM_OF_ONE_OR_IMAGE, RECEIVE_ERRORS, RESULT
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.request import auth, bodies, client_identity, negotiation, query, wishes
from backend.web.request.context import flow_context, web_context
from backend.web.response import files

routes = Resource("convert", __name__, tag="convert")
log = logging.getLogger(__name__)
MAX_QUEUE_WAIT_S = 600
ANSWER_S = 5.0
"""A job that has not ended so long before it expires is given up."""
CONVERTED = {200: Answer(RESULT, (*FILE_HEADERS, "X-Result", "Server-Timing"), shared="converted")}
CONVERT_ERRORS = (*RECEIVE_ERRORS, errors.EncodeTimeout, errors.Gone)


@routes.serve(
    Operation(
        "POST",
        "/api/convert",
        "convert",
        CONVERTED,
        CONVERT_ERRORS,
        ("Content-Digest",),
        FORM_OF_ONE_OR_IMAGE,
        needs_body=True,
        has_options=True,
        curl="curl --data-binary @cat.jpg '{base}/api/convert?width=800' -o cat.webp",
    ),
    Operation(
        "PUT",
        "/api/convert",
        "convertFile",
        CONVERTED,
        CONVERT_ERRORS,
        ("Content-Digest",),
        FORM_OF_ONE_OR_IMAGE,
        needs_body=True,
        has_options=True,
        curl="curl -T cat.jpg '{base}/api/convert?quality=80' -o cat.webp",
    ),
)
def convert() -> Response:
    return _convert("")


@routes.serve(
    Operation(
        "PUT",
        "/api/convert/{name}",
        "convertNamedFile",
        CONVERTED,
        CONVERT_ERRORS,
        ("file_name", "Content-Digest"),
        FORM_OF_ONE_OR_IMAGE,
        needs_body=True,
        has_options=True,
    )
)
def convert_named(name: str) -> Response:
    """``curl -T`` adds the file's name to an address that ends in a slash."""
    return _convert(name)


def _convert(name: str) -> Response:
    """``name`` is the file's, where nothing else says it."""
    context = flow_context()
    started_s = context.clock()
    sender = client_identity.sender(is_listed=False)
    auth.check_rate()
    ingest.check_queue(context, sender)
    wanted = wishes.parse_options(query.pairs())
    form = bodies.read(context, filename=filenames.display_name(wanted.filename or name), max_files=1)
    try:
        wanted = wishes.parse_options(form.fields, wanted) if form.fields else wanted
        options.check_single(wanted)
        job = ingest.accept(context, form.images[0], negotiation.decide(wanted), sender, is_ephemeral=True)
    except BaseException:
        form.abandon()
        raise
    response = _send_result(context, job, started_s)
    if wanted.format == options.AUTO:
        response.vary.add("Accept")
    return response


def _send_result(context: Context, job: Job, started_s: float) -> Response:
    """Raises the job's own error, and ``BackendUnavailable`` where it does not end in time. Whatever happens, the job is erased afterwards."""
    watch = EncoderWatch(context, job.manifest.needs)
    try:
        is_over = partial(_is_over, watch)
        patience_s = min(MAX_QUEUE_WAIT_S, job.manifest.expires_at - context.clock() - ANSWER_S)
        job = web_context().follower.wait_for_end(job.id, patience_s, owner=auth.owner(), is_left=is_over)
        auth.check_again()
        if not job.status.has_ended and not auth.has_left():
            raise watch.error() if watch.is_hopeless() else errors.BackendUnavailable(part="encoders", retry_after_s=RETRY_S)
        if job.status.error:
            raise errors.from_record(job.status.error)
        known, blob = deliver.result(context, job)
    except errors.NotFound as gone:  # its keys or its record were lost on the way: not the client's doing
        _erase(context, job)
        raise errors.BackendUnavailable(part="store", retry_after_s=RETRY_S, private=f"job {job.id} is gone") from gone
    except BaseException:
        _erase(context, job)
        raise
    response = files.send_result(job, known, blob, is_attachment=False, on_close=partial(_erase_later, context, job))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Server-Timing"] = _server_timing(job, started_s, context.clock())
    return response


def _is_over(watch: EncoderWatch) -> bool:
    """Whether nobody waits for the answer any more, or nobody is there who could give it."""
    return auth.has_left() or watch.is_hopeless()


def _erase_later(context: Context, job: Job) -> None:
    """In a thread: neither the connection's next request nor a client that reads to the connection's end should wait for it."""
    threading.Thread(target=_erase, args=(context, job), name="erase", daemon=True).start()


def _erase(context: Context, job: Job) -> None:
    """A store that is away leaves the job until it expires. No encoder works on it any more."""
    try:
        conclude.erase(context, job)
    except errors.GatewayError as error:
        log.warning("job %s is answered but not erased; that will be done when it expires: %s", job.id, error.private)
        conclude.end_unheard(context, job)


def _server_timing(job: Job, started_s: float, now: float) -> str:
    """W3C Server Timing, in milliseconds."""
    status, manifest = job.status, job.manifest
    begun = status.started_at or now
    spans = {
        "receive": manifest.created_at - started_s,
        "queue": begun - manifest.created_at,
        "convert": (status.finished_at or now) - begun,
        "total": now - started_s,
    }
    return ", ".join(f"{name};dur={1000 * max(0.0, seconds):.1f}" for name, seconds in spans.items())
