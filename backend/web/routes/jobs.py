"""``/api/jobs``: take images, and list the caller's own jobs, newest first, a page at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast
from urllib.parse import urlencode

from flask import Response, request

from backend import errors
from backend.core import cursor, filenames, suggestions
from backend.core.cursor import Place
from backend.core.job import STATES, Job, State
from backend.core.options import Options
from backend.core.public_job import public
from backend.core.suggestions import other_names
from backend.core.wish import Wish
from backend.flows import batch as batches
from backend.flows import ingest, list_jobs
from backend.web.openapi.answers import FORM_OR_IMAGE, JOB, JSON, RECEIVE_ERRORS
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.openapi.schemas import WEBHOOK, Schema, ref, with_options
from backend.web.request import auth, bodies, client_identity, idempotency, option_fields, query, wishes
from backend.web.request.context import flow_context, web_context
from backend.web.request.reader import reader
from backend.web.request.waiting import wait_s
from backend.web.request.webhook import with_receiver
from backend.web.response.job_responses import accepted_batch, accepted_job, job_response
from backend.web.response.json_response import json_response

routes = Resource("jobs", __name__, tag="jobs")
LIST_PARAMETERS = ("state", "limit", "cursor")
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
BY_URL: Schema = with_options({"url": {"type": "string", "format": "uri"}, **WEBHOOK}, required=("url",))


@routes.serve(
    Operation(
        "POST",
        "/api/jobs",
        "createJob",
        {
            200: Answer(JOB, ("Preference-Applied",)),
            202: Answer(
                {JSON: {"oneOf": [ref("Job"), ref("Batch")]}},
                ("Location", "Retry-After"),
            ),
        },
        (*RECEIVE_ERRORS, errors.Forbidden, errors.QuotaExceeded),
        ("Prefer", "Idempotency-Key", "Content-Digest", "webhook_url"),
        {**FORM_OR_IMAGE, JSON: BY_URL},
        needs_body=True,
        has_options=True,
        curl="curl -F file=@cat.jpg -F quality=75 {base}/api/jobs",
    )
)
def create() -> Response:
    web = web_context()
    sender = client_identity.sender(is_waiting=wait_s() is not None)
    auth.check_rate()
    ingest.check_room(web.context, sender)
    wanted = wishes.parse(query.pairs())
    if request.mimetype == "application/json":
        return _wait_for_end(_fetch(option_fields.read_json(), wanted, sender))
    form = bodies.read(web.context, filename=filenames.display_name(wanted.options.filename or ""), max_files=web.max_files)
    try:
        wanted = wishes.parse(form.fields, wanted) if form.fields else wanted
        sender = with_receiver(sender, wanted.webhook_url)
        if len(form.images) > 1:
            return _accept_batch(form, wanted.options, sender)
        job = _accept_once(form, wanted.options, sender)
    except BaseException:
        form.abandon()
        raise
    return _wait_for_end(job)


def _accept_batch(form: bodies.Form, wanted: Options, sender: ingest.Sender) -> Response:
    digests = " ".join(each.upload.sha256() for each in form.images) if "Idempotency-Key" in request.headers else ""
    batch_id = idempotency.claim_id(digests, wanted, sender)
    try:
        batch, jobs = batches.find_batch(flow_context(), batch_id or "", sender.owner)
        form.abandon()
    except errors.NotFound:
        with idempotency.released_on_error():
            batch, jobs = batches.accept(flow_context(), form.images, wanted, sender, batch_id=batch_id)
    return accepted_batch(batch, jobs)


def _fetch(record: dict[str, object], given: Wish, sender: ingest.Sender) -> Job:
    """The job for an image that another server has. All members of ``record`` but ``url`` and ``webhook_url`` are options."""
    web = web_context()
    if web.fetcher is None:
        raise errors.BadRequest("url_off")
    url = record.pop("url", None)
    if url is None:
        raise errors.BadRequest("url_missing")
    if not isinstance(url, str):
        raise errors.BadRequest("url")
    given = wishes.parse(record.items(), given)
    sender = with_receiver(sender, given.webhook_url)
    wanted = replace(given.options, filename=filenames.display_name(given.options.filename or ""))
    job_id, known = idempotency.claim_job(f"url {url}", wanted, sender)
    with idempotency.released_on_error():
        return known or web.fetcher.order(url.strip(), wanted, sender, job_id=job_id)


def _accept_once(form: bodies.Form, wanted: Options, sender: ingest.Sender) -> Job:
    """A new job; with an ``Idempotency-Key`` that was used before, that job."""
    received = form.images[0]
    job_id, known = idempotency.claim_job(received.upload.sha256(), wanted, sender)
    if known is None:
        with idempotency.released_on_error():
            return ingest.accept(flow_context(), received, wanted, sender, job_id=job_id)
    form.abandon()
    return known


def _wait_for_end(job: Job) -> Response:
    """With ``Prefer: wait=N`` the ended job, if it ends in time."""
    seconds = wait_s()
    if seconds is None:
        return accepted_job(job)
    job = web_context().follower.wait_for_end(job.id, seconds, owner=auth.owner(), is_left=auth.has_lost_key)
    auth.check_again()
    response = job_response(job) if job.status.has_ended else accepted_job(job)
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


@routes.serve(
    Operation(
        "GET",
        "/api/jobs",
        "listJobs",
        {
            200: Answer(
                {JSON: ref("JobList")},
                ("Link",),
            )
        },
        (errors.InvalidOption, errors.BackendUnavailable),
        LIST_PARAMETERS,
        curl="curl '{base}/api/jobs?state=succeeded&limit=20'",
    )
)
def index() -> Response:
    client, owner, known = client_identity.digest(), auth.owner(), reader()
    _check_names()
    states, limit, before = _states(), _limit(), _before()
    jobs, place = list_jobs.page(flow_context(), client, owner, states=states, limit=limit, before=before)
    following = known.path(_address(states, limit, place)) if place else None
    body = {"jobs": [public(job, known) for job in jobs], "next": following}
    response = json_response(body, cache="private, no-store", vary="Accept-Language, Authorization, Cookie")
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _check_names() -> None:
    """Raises ``InvalidOption``, with the nearest name that there is."""
    for name, values in request.args.lists():
        if name not in LIST_PARAMETERS:
            raise query.unknown(name, LIST_PARAMETERS)
        if len(values) > 1 and name != "state":
            raise errors.InvalidOption("repeated", option=name, count=len(values))


def _states() -> tuple[State, ...]:
    """``state=failed``, ``state=queued,running``, or repeated. Empty: jobs of all states."""
    words = [word for text in request.args.getlist("state") for word in text.split(",") if word]
    for word in words:
        if word not in STATES:
            raise query.not_one_of("state", word, STATES, other_names.STATES)
    return cast(tuple[State, ...], tuple(words))


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if re.fullmatch(r"[0-9]{1,6}", text) and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
    meant = next(suggestions.values("limit", text[:100], schema), "")
    raise errors.InvalidOption("meant" if meant else "", option="limit", value=text[:100], accepted=f"1–{MAX_LIMIT}", suggestion=meant)


def _before() -> Place | None:
    text = request.args.get("cursor", "")
    try:
        return cursor.read(text) if text else None
    except ValueError:
        raise errors.InvalidOption("cursor", option="cursor") from None


def _address(states: tuple[State, ...], limit: int, place: Place) -> str:
    """Of the next page."""
    given = [("state", ",".join(states))] if states else []
    return "/api/jobs?" + urlencode([*given, ("limit", limit), ("cursor", cursor.write(place))], safe=",")
