"""``/api/jobs``: take images, show jobs, stop them, erase them, hand out their bytes."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from flask import Blueprint, Response, request

from backend import errors
from backend.core import formats, options
from backend.core.job import Job, public
from backend.core.options import Options
from backend.flows import batch as batches
from backend.flows import conclude, deliver, ingest
from backend.flows.find_job import find
from backend.web.request import auth, bodies, client_identity, idempotency
from backend.web.request.context import site
from backend.web.response import files
from backend.web.routes.batches import answer

routes = Blueprint("jobs", __name__)
MAX_WAIT_S = 30


@routes.post("/api/jobs")
def create() -> Response:
    here = site()
    sender = client_identity.sender()
    auth.check_rate()
    ingest.check_room(here.context)
    wanted = options.parse(request.args.items(multi=True))
    if request.mimetype == "application/json":
        job = _ordered(bodies.read_json(), wanted, sender)
        return _wait(_accepted(job), job)
    form = bodies.read(here.context, filename=bodies.display_name(wanted.filename or ""), max_files=here.max_files)
    try:
        wanted = options.parse(form.fields, wanted) if form.fields else wanted
        if len(form.images) > 1:
            return _batch(form, wanted, sender)
        job = _once(form, wanted, sender)
    except BaseException:
        form.abandon()
        raise
    return _wait(_accepted(job), job)


def _batch(form: bodies.Form, wanted: Options, sender: ingest.Sender) -> Response:
    sums = " ".join(each.upload.sha256() for each in form.images) if "Idempotency-Key" in request.headers else ""
    batch_id = idempotency.agreed(sums, wanted, sender)
    try:
        batch, jobs = batches.find_batch(site().context, batch_id or "", sender.owner)
        form.abandon()
    except errors.NotFound:
        batch, jobs = batches.accept(site().context, form.images, wanted, sender, batch_id=batch_id)
    response = answer(batch, jobs, 202)
    response.headers["Location"] = f"/api/batches/{batch.id}"
    response.headers["Retry-After"] = "1"
    return response


def _ordered(record: dict[str, object], wanted: Options, sender: ingest.Sender) -> Job:
    """The job for an image that another server has; what else the object holds are options."""
    here = site()
    if here.fetcher is None:
        raise errors.BadRequest("url_off")
    url = record.pop("url", None)
    if not isinstance(url, str):
        raise errors.BadRequest("url")
    wanted = options.parse(record.items(), wanted)
    wanted = replace(wanted, filename=bodies.display_name(wanted.filename or ""))
    job_id, known = _known(f"url {url}", wanted, sender)
    return known or here.fetcher.order(url.strip(), wanted, sender, job_id=job_id)


def _known(of_what: str, wanted: Options, sender: ingest.Sender) -> tuple[str | None, Job | None]:
    """The id that the request's ``Idempotency-Key`` stands for, and its job where there is one already."""
    job_id = idempotency.agreed(of_what, wanted, sender)
    if job_id is None:
        return None, None
    try:
        return job_id, find(site().context, job_id, sender.owner)
    except errors.NotFound:
        return job_id, None


def _once(form: bodies.Form, wanted: Options, sender: ingest.Sender) -> Job:
    """The job, or with an ``Idempotency-Key`` that was used before, that job."""
    received = form.images[0]
    job_id, known = _known(received.upload.sha256(), wanted, sender)
    if known is None:
        return ingest.accept(site().context, received, wanted, sender, job_id=job_id)
    form.abandon()
    return known


def _accepted(job: Job) -> Response:
    response = _show(job, 202)
    response.headers["Location"] = f"/api/jobs/{job.id}"
    response.headers["Retry-After"] = "1"
    return response


def _wait(response: Response, job: Job) -> Response:
    """RFC 7240 ``Prefer: wait=N``: the ended job if it ends in time."""
    seconds = wait_s()
    if seconds is None:
        return response
    job = site().follower.wait_for_end(job.id, seconds, owner=auth.owner())
    response = _show(job, 200) if job.status.has_ended else _accepted(job)
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


def wait_s() -> int | None:
    """The seconds of ``Prefer: wait``, at most ``MAX_WAIT_S``."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?", request.headers.get("Prefer", ""))
    return min(int(match[1]), MAX_WAIT_S) if match else None


@routes.get("/api/jobs/<job_id>")
def show(job_id: str) -> Response:
    """With ``If-None-Match`` and ``Prefer: wait`` a long poll: answered when something has changed."""
    here, owner = site(), auth.owner()
    job = find(here.context, job_id, owner)
    seconds = wait_s()
    if seconds is not None and _is_known(job):
        job = here.follower.wait(job_id, seconds, owner=owner, is_enough=lambda each: not _is_known(each))
    response = _show(job, 200)
    response.set_etag(str(job.status.seq), weak=True)
    if seconds is not None:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    response.make_conditional(request)
    return response


def _is_known(job: Job) -> bool:
    return request.if_none_match.contains_weak(str(job.status.seq))


@routes.post("/api/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    context = site().context
    return _show(conclude.cancel(context, find(context, job_id, auth.owner())), 200)


@routes.post("/api/jobs/<job_id>/retry")
def retry(job_id: str) -> Response:
    """The same source again: with the same options, but for those given in the query, a form or a JSON object; empty or null is the default."""
    context, sender = site().context, client_identity.sender()
    auth.check_rate()
    ingest.check_room(context)
    job = find(context, job_id, sender.owner)
    given = _given_options()
    cleared = [name for name, value in given if value in ("", None)]
    wanted = options.parse([pair for pair in given if pair[0] not in cleared], options.without(job.manifest.options, cleared))
    made_id, known = _known(f"retry {job_id}", wanted, sender)
    return _accepted(known or ingest.retry(context, job, wanted, sender, job_id=made_id))


def _given_options() -> list[tuple[str, object]]:
    given: list[tuple[str, object]] = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if request.mimetype == "application/json" and request.content_length:
        record = request.get_json(silent=True)
        if not isinstance(record, dict):
            raise errors.BadRequest("json")
        given += record.items()
    return given


@routes.delete("/api/jobs/<job_id>")
def erase(job_id: str) -> Response:
    context = site().context
    conclude.erase(context, find(context, job_id, auth.owner()))
    return Response(status=204)


@routes.get("/api/jobs/<job_id>/result")
def result(job_id: str) -> Response:
    context = site().context
    job = find(context, job_id, auth.owner())
    known, blob = deliver.result(context, job)
    name = files.result_name(job)
    return files.send(blob, media_type="image/webp", etag=known.sha256, name=name, is_attachment="download" in request.args)


@routes.get("/api/jobs/<job_id>/source")
def source(job_id: str) -> Response:
    context = site().context
    job = find(context, job_id, auth.owner())
    known = job.manifest.source
    blob = deliver.source(context, job)
    media_type = formats.BY_NAME[known.format].media_type
    return files.send(blob, media_type=media_type, etag=known.sha256, name=known.filename, is_attachment=True)


def _show(job: Job, status: int) -> Response:
    response = Response(json.dumps(public(job, auth.language()), ensure_ascii=False), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store" if status == 202 else "private, no-cache"
    response.headers["Vary"] = "Accept-Language"
    return response
