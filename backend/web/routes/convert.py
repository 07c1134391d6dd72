"""``/api/convert``: image in, WebP out, in one request. The same path as a job's, but nothing is kept once it is answered."""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, request
from gevent import monkey

from backend import errors
from backend.core import options
from backend.core.job import Job
from backend.flows import conclude, deliver, ingest
from backend.flows.context import Context
from backend.web.request import auth, bodies, client_identity
from backend.web.request.context import site
from backend.web.response import files

routes = Blueprint("convert", __name__)
log = logging.getLogger(__name__)
QUEUE_PATIENCE_S = 600


@routes.route("/api/convert", methods=["POST", "PUT"])
def convert() -> Response:
    here = site()
    context, started_s = here.context, here.context.clock()
    sender = client_identity.sender(is_listed=False)
    auth.check_rate()
    ingest.check_queue(context)
    wanted = options.parse(request.args.items(multi=True))
    form = bodies.read(context, filename=bodies.display_name(wanted.filename or ""), max_files=1)
    try:
        wanted = options.parse(form.fields, wanted) if form.fields else wanted
        job = ingest.accept(context, form.images[0], wanted, sender, is_ephemeral=True)
    except BaseException:
        form.abandon()
        raise
    return _answer(context, job, started_s)


def _answer(context: Context, job: Job, started_s: float) -> Response:
    """The result, or the job's own error. Whatever happens, the job is erased afterwards."""
    try:
        job = site().follower.wait_for_end(job.id, QUEUE_PATIENCE_S, owner=auth.owner(), is_left=_has_left())
        if job.status.error:
            raise errors.from_record(job.status.error)
        known, blob = deliver.result(context, job)
    except BaseException:
        conclude.erase(context, job)
        raise
    name = files.result_name(job)
    etag, erase = known.sha256, partial(_erase_later, context, job)
    response = files.send(blob, media_type="image/webp", etag=etag, name=name, is_attachment=False, on_close=erase)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Server-Timing"] = _timing(job, started_s, context.clock())
    return response


def _erase_later(context: Context, job: Job) -> None:
    """Nobody waits for that: neither the next request on this connection nor a client that reads until it is closed."""
    threading.Thread(target=_erase, args=(context, job), name="erase", daemon=True).start()


def _erase(context: Context, job: Job) -> None:
    try:
        conclude.erase(context, job)
    except errors.GatewayError as error:
        log.warning("job %s is answered but not erased; that will be done when it expires: %s", job.id, error.private)


def _has_left() -> Callable[[], bool]:
    """Whether the client hung up: then nobody wants the encode any more."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        return lambda: False

    def look() -> bool:
        poller = monkey.get_original("select", "poll")()  # gevent's own tells reading and writing, and nothing of a peer that left
        poller.register(connection.fileno(), select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0))
        return bool(poller.poll(0))

    return look


def _timing(job: Job, started_s: float, now: float) -> str:
    """W3C Server Timing, in milliseconds: what the client can only guess."""
    status, manifest = job.status, job.manifest
    begun = status.started_at or now
    spans = {
        "receive": manifest.created_at - started_s,
        "queue": begun - manifest.created_at,
        "convert": (status.finished_at or now) - begun,
        "total": now - started_s,
    }
    return ", ".join(f"{name};dur={1000 * max(0.0, seconds):.1f}" for name, seconds in spans.items())
