"""``/api/jobs/{job_id}``: one job. Show it, stop it, convert its source again, erase it, and hand out its bytes."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request

from backend import errors
from backend.core import filenames, formats, options
from backend.core.formats import OUTPUT
from backend.core.job import Job
from backend.core.options import WEBHOOK_URL
from backend.core.wish import Wish
from backend.flows import conclude, deliver, ingest
from backend.flows.deliver import Choice
from backend.flows.find_job import find
from backend.web.openapi.answers import BINARY, FIND_ERRORS, JOB, OPTIONS, RESULT, UNCHANGED, file_answers
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.request import auth, client_identity, idempotency, option_fields, query, wishes
from backend.web.request.context import WebContext, flow_context, web_context
from backend.web.request.waiting import result_wait_s, wait_s
from backend.web.request.webhook import with_receiver
from backend.web.response import files
from backend.web.response.archive import send_archive
from backend.web.response.headers import allow_embedding
from backend.web.response.job_responses import accepted_job, job_response

routes = Resource("job", __name__, tag="jobs")
CONDITIONS = ("Range", "If-Range", "If-None-Match", "If-Match")


@routes.serve(
    Operation(
        "GET",
        "/api/jobs/{job_id}",
        "showJob",
        {200: Answer(JOB, ("ETag", "Preference-Applied")), 304: UNCHANGED},
        FIND_ERRORS,
        ("job_id", "Prefer", "If-None-Match"),
        curl="curl -H 'Prefer: wait=20' -H 'If-None-Match: W/\"1\"' {base}/api/jobs/$job",
    )
)
def show(job_id: str) -> Response:
    """With ``If-None-Match`` and ``Prefer: wait`` it answers once the job has changed, or the time is over."""
    web, owner = web_context(), auth.owner()
    job = find(web.context, job_id, owner)
    seconds = wait_s()
    if seconds is not None and _is_known(job):
        job = web.follower.wait(job_id, seconds, owner=owner, is_enough=lambda each: not _is_known(each) or auth.has_lost_key())
        auth.check_again()
    response = job_response(job)
    response.set_etag(str(job.status.seq), weak=True)
    if seconds is not None:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    response.make_conditional(request)
    return response


def _is_known(job: Job) -> bool:
    """Whether the client has this state already."""
    return request.if_none_match.contains_weak(str(job.status.seq))


@routes.serve(
    Operation(
        "DELETE",
        "/api/jobs/{job_id}",
        "eraseJob",
        {204: Answer()},
        FIND_ERRORS,
        ("job_id",),
        curl="curl -X DELETE {base}/api/jobs/$job",
    )
)
def erase(job_id: str) -> Response:
    context = flow_context()
    conclude.delete(context, find(context, job_id, auth.owner()))
    return Response(status=204)


@routes.serve(
    Operation(
        "POST",
        "/api/jobs/{job_id}/cancel",
        "cancelJob",
        {200: Answer(JOB)},
        (errors.AlreadyFinished, *FIND_ERRORS),
        ("job_id",),
        curl="curl -X POST {base}/api/jobs/$job/cancel",
    )
)
def cancel(job_id: str) -> Response:
    context = flow_context()
    return job_response(conclude.cancel(context, find(context, job_id, auth.owner())))


@routes.serve(
    Operation(
        "POST",
        "/api/jobs/{job_id}/retry",
        "retryJob",
        {202: Answer(JOB, ("Location", "Retry-After"))},
        (
            *(errors.NotReady, errors.Gone, errors.InvalidOption, errors.RateLimited, errors.QuotaExceeded, errors.QueueFull, errors.StorageFull),
            *FIND_ERRORS,
        ),
        ("job_id", "Idempotency-Key", "webhook_url"),
        OPTIONS,
        has_options=True,
        curl="curl -X POST '{base}/api/jobs/$job/retry?quality=60'",
    )
)
def retry(job_id: str) -> Response:
    """With the job's options and ``webhook_url``, except those given: in the query, and in a form or a JSON object, which goes before it.

    An empty value or ``null`` resets one to its default.
    """
    context, sender = flow_context(), client_identity.sender()
    auth.check_rate()
    ingest.check_room(context, sender)
    job = find(context, job_id, sender.owner)
    own = Wish(job.manifest.options, _own_webhook(job))
    wanted = _changed(_changed(own, query.pairs()), option_fields.read())
    sender = with_receiver(sender, wanted.webhook_url)
    made_id, known = idempotency.claim_job(f"retry {job_id}", wanted.options, sender)
    with idempotency.released_on_error():
        return accepted_job(known or ingest.retry(context, job, wanted.options, sender, job_id=made_id))


def _own_webhook(job: Job) -> str:
    """Whom a retry tells unless it names another. That of a job in a batch is the batch's, and stays with it."""
    return job.manifest.webhook_url if job.manifest.batch is None else ""


_INSTEAD = {"width": "widths", "widths": "width", "format": "formats", "formats": "format"}
"""One of these, when it is given, takes the place of the other."""


def _changed(present: Wish, given: Sequence[tuple[str, object]]) -> Wish:
    options.check_unique(name for name, _ in given)
    cleared = [name for name, value in given if value in ("", None)]
    kept = options.without(present.options, [name for name in cleared if name != WEBHOOK_URL])
    kept = options.without(kept, [_INSTEAD[name] for name, _ in given if name in _INSTEAD])
    wanted = [pair for pair in given if pair[0] == WEBHOOK_URL or pair[0] not in cleared]
    output_format = str(dict(wanted).get("format", kept.format))
    if output_format in OUTPUT and output_format != present.options.format:
        kept = options.for_format(kept, output_format)
    return wishes.parse(wanted, Wish(kept, present.webhook_url))


@routes.serve(
    Operation(
        "GET",
        "/api/jobs/{job_id}/result",
        "getResult",
        file_answers(RESULT, "X-Result"),
        (errors.NotReady, errors.Gone, errors.InvalidOption, errors.RangeNotSatisfiable, errors.PreconditionFailed, *FIND_ERRORS),
        ("job_id", "result_width", "result_format", "download", "filename", "Prefer", *CONDITIONS),
        curl="curl {base}/api/jobs/$job/result -o cat.webp",
        head_id="headResult",
    )
)
def result(job_id: str) -> Response:
    """Of several results, ``width`` and ``format`` pick one; else it is the first. For an ``<img>``, and with ``Prefer: wait``, it waits for it."""
    web, owner, choice = web_context(), auth.owner(), _choice()
    job, seconds = find(web.context, job_id, owner), result_wait_s()
    if seconds is not None and not deliver.is_decided(job, choice):
        job = _wait_for_result(web, job, choice, seconds)
        auth.check_again()
    known, blob = deliver.result(web.context, job, choice)
    name, is_attachment = request.args.get("filename", ""), "download" in request.args
    return allow_embedding(files.send_result(job, known, blob, is_attachment=is_attachment, name=name))


def _choice() -> Choice:
    """Raises ``InvalidOption``."""
    given = {name: request.args[name] for name in ("width", "format") if request.args.get(name)}
    chosen = {name: options.read(name, value) for name, value in given.items()}
    return Choice(chosen.get("width"), chosen.get("format"))


def _wait_for_result(web: WebContext, job: Job, choice: Choice, seconds: float) -> Job:
    """The job once its result is there, or never will be; or as it is after so many seconds."""
    owner = auth.owner()
    if not job.manifest.options.is_several:
        return web.follower.wait_for_end(job.id, seconds, owner=owner, is_left=auth.has_left)
    return web.follower.wait(job.id, seconds, owner=owner, is_enough=lambda each: deliver.is_decided(each, choice) or auth.has_left())


@routes.serve(
    Operation(
        "GET",
        "/api/jobs/{job_id}/archive.zip",
        "getResults",
        {200: Answer({"application/zip": BINARY}, ("Content-Disposition",))},
        (errors.NotReady, errors.Gone, *FIND_ERRORS),
        ("job_id",),
        curl="curl {base}/api/jobs/$job/archive.zip -o cat.zip",
    )
)
def archive(job_id: str) -> Response:
    """The results that are there. Streamed, with its length."""
    context = flow_context()
    job = find(context, job_id, auth.owner())
    if not deliver.results(job):
        deliver.result_of(job)
    return send_archive(context, [job], filenames.result_name(job.manifest.source.filename, "zip"))


@routes.serve(
    Operation(
        "GET",
        "/api/jobs/{job_id}/source",
        "getSource",
        file_answers({"image/*": BINARY}),
        (errors.NotReady, errors.Gone, errors.RangeNotSatisfiable, errors.PreconditionFailed, *FIND_ERRORS),
        ("job_id", "filename", *CONDITIONS),
        curl="curl -OJ {base}/api/jobs/$job/source",
        head_id="headSource",
    )
)
def source(job_id: str) -> Response:
    context = flow_context()
    job = find(context, job_id, auth.owner())
    known = job.manifest.source
    blob = deliver.source(context, job)
    image_format = formats.BY_NAME[known.format]
    wanted = filenames.display_name(request.args.get("filename", ""))
    name = filenames.source_name(wanted or known.filename, image_format.extensions)
    return allow_embedding(files.send(blob, media_type=image_format.media_type, etag=known.sha256, name=name, is_attachment=True))
