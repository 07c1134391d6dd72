"""The page without JavaScript: a form, then a page that reloads itself until all images have ended, then links.

It runs the same flows as the API. Where the gateway has API keys it cannot work, since a form sends no key, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, request
from markupsafe import Markup

from backend import errors
from backend.core import options
from backend.core.batch import has_ended
from backend.core.filenames import isolated
from backend.core.formats import DEFAULT_OUTPUT
from backend.core.job import Job
from backend.core.public_job import public
from backend.core.reader import Reader
from backend.flows import batch as batches
from backend.flows import ingest
from backend.flows.context import Context
from backend.flows.find_job import find
from backend.texts import text
from backend.texts.problems import problem
from backend.web.openapi.answers import FORM_OR_IMAGE
from backend.web.openapi.resource import Resource
from backend.web.request import auth, bodies, client_identity, wishes
from backend.web.request.context import flow_context, web_context
from backend.web.request.page_language import page_language
from backend.web.request.peer import peer
from backend.web.request.reader import reader
from backend.web.response import files
from backend.web.response.html_response import markup
from backend.web.response.page_frame import own_page, own_response

routes = Resource("plain", __name__)
REFRESH_S = 2
Words = Callable[..., str]
BODY = '<h1 class="plain-title">{heading}</h1>{body}'
NOTICE = '<div class="notice" role="alert"><div><strong>{title}</strong><p>{detail}</p></div></div>{back}'
PROGRESS = '<p>{stage}</p><progress max="100" value="{percent}" aria-label="{stage}">{percent}%</progress>'
REFUSED = '<li><strong>{name}</strong><p class="plain-failed">{detail}</p></li>'
GO_ON = '<p><a class="button button-primary" href="{place}">{text}</a></p>'
OUTCOME = '<p>{outcome}</p><img src="{url}" alt="{name}" loading="lazy"><p><a class="button button-soft" href="{url}?download=1">{text}</a></p>'
FILE = '<li>{width} × {height}, {size}: <a href="{url}{mark}download=1">{text}</a></li>'
FILES = '<ul>{files}</ul><p><a class="button button-soft" href="{archive}">{text}</a></p>'
AGAIN = '\n  <meta http-equiv="refresh" content="{seconds}">'


@routes.receive("/share", FORM_OR_IMAGE)
@routes.receive("/", FORM_OR_IMAGE)
def take() -> Response:
    """The form's images and options. An option that was left empty does not count as given, nor one that means nothing for the format: without
    scripts the form cannot hide it.

    ``/share`` is where a phone sends what is shared with the installed page. The page's service worker takes it first, if there is one.
    """
    context, sender = flow_context(), client_identity.sender()
    auth.check_rate()
    ingest.check_room(context, sender)
    form = bodies.read(context, filename="", max_files=web_context().max_files, passes_over=True)
    if len(form.refused) == 1 and not form.images:
        raise form.refused[0][1]
    try:
        wanted = wishes.parse_options(_meant([field for field in form.fields if field[1]]))
        place = _accept(context, form, wanted, sender) if form.images else ""
    except BaseException:
        form.abandon()
        raise
    return _refusal_page(form, place) if form.refused else _redirect(place)


def _meant(fields: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    given = dict(fields)
    formats = given.get("formats", given.get("format", DEFAULT_OUTPUT)).split(",")
    return [field for field in fields if not all(options.is_meaningless(field[0], each) for each in formats)]


def _accept(context: Context, form: bodies.Form, wanted: options.Options, sender: ingest.Sender) -> str:
    """The path of the page that shows the progress."""
    if len(form.images) > 1:
        batch, _ = batches.accept(context, form.images, wanted, sender)
        return f"/plain/batches/{batch.id}"
    return f"/plain/jobs/{ingest.accept(context, form.images[0], wanted, sender).id}"


def _refusal_page(form: bodies.Form, place: str) -> Response:
    """What was not taken, and why; with a link to the progress of the others at ``place``, if there are any."""
    words = _words()
    told = [(name, _told(error)["detail"]) for name, error in form.refused]
    rows = Markup().join(markup(REFUSED, name=name or words("unnamed"), detail=detail) for name, detail in told)
    link = markup(GO_ON, place=place, text=words("go_on", count=len(form.images))) if place else _back(words)
    heading = words("some_refused", count=len(told), all=len(told) + len(form.images))
    response = _page(words, heading, markup('<ul class="plain-list">{rows}</ul>{link}', rows=rows, link=link))
    response.status_code = 200 if place else form.refused[0][1].status
    return response


def _told(error: errors.GatewayError) -> dict[str, Any]:
    """The problem as the reader sees it."""
    return Reader(page_language(), problem).problem(error.as_record(), request_id=auth.request_id(), retry_after_s=error.retry_after_s or 1)


@routes.get("/plain/jobs/<job_id>")
def job(job_id: str) -> Response:
    return _progress_page([find(flow_context(), job_id, auth.owner())], f"/plain/jobs/{job_id}")


@routes.post("/plain/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    context = flow_context()
    batches.cancel(context, [find(context, job_id, auth.owner())])
    return _redirect(f"/plain/jobs/{job_id}")


@routes.get("/plain/batches/<batch_id>")
def batch(batch_id: str) -> Response:
    _, jobs = batches.find_batch(flow_context(), batch_id, auth.owner())
    return _progress_page(jobs, f"/plain/batches/{batch_id}", archive=f"/api/batches/{batch_id}/archive.zip")


@routes.post("/plain/batches/<batch_id>/cancel")
def cancel_batch(batch_id: str) -> Response:
    context = flow_context()
    batches.cancel(context, batches.find_batch(context, batch_id, auth.owner())[1])
    return _redirect(f"/plain/batches/{batch_id}")


@routes.errorhandler(errors.GatewayError)
def refuse(error: errors.GatewayError) -> Response:
    """The problem as a page, with a link back to the form."""
    peer().note("code", error.code)
    words = _words()
    told = _told(error)
    detail = words("key", url=request.url_root) if isinstance(error, errors.Unauthorized) else told["detail"]
    body = markup(NOTICE, title=told["title"], detail=detail, back=_back(words))
    response = _page(words, words("failed"), body)
    response.status_code = error.status
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _redirect(path: str) -> Response:
    """303, so that a reload sends nothing twice."""
    return Response(status=303, headers={"Location": reader().path(path), "Cache-Control": "no-store"})


def _progress_page(jobs: Sequence[Job], own: str, archive: str = "") -> Response:
    words, is_over = _words(), has_ended(jobs)
    known = Reader(page_language(), problem)  # its paths are those of the page, to which ``with_prefix`` adds the prefix
    rows = Markup().join(markup("<li>{row}</li>", row=_row(public(each, known), words)) for each in jobs)
    parts = [markup('<ul class="plain-list">{rows}</ul>', rows=rows)]
    if is_over:
        if archive and any(each.status.state == "succeeded" for each in jobs):
            parts.append(markup('<p><a class="button button-primary" href="{archive}">{text}</a></p>', archive=archive, text=words("archive")))
        parts.append(_back(words))
    else:
        parts.append(markup("<p><small>{text}</small></p>", text=words("reload", seconds=REFRESH_S)))
        parts.append(markup('<form action="{own}/cancel" method="post"><button class="button">{text}</button></form>', own=own, text=words("cancel")))
    return _page(words, words("ended" if is_over else "running"), Markup().join(parts), refresh=not is_over)


def _row(job: dict[str, Any], words: Words) -> Markup:
    return markup("<strong>{name}</strong>", name=isolated(job["source"]["filename"] or job["id"])) + _state(job, words) + _files(job, words)


def _state(job: dict[str, Any], words: Words) -> Markup:
    if job["state"] == "failed":
        return markup('<p class="plain-failed">{detail}</p>', detail=job["error"]["detail"])
    if job["state"] == "cancelled":
        return markup("<p>{text}</p>", text=words("cancelled"))
    if job["state"] == "succeeded":
        return Markup() if "results" in job else _outcome(job, words)
    return markup(PROGRESS, stage=_stage(job, words), percent=job["progress"])


def _stage(job: dict[str, Any], words: Words) -> str:
    if job["state"] == "queued":
        return words("queued_place", place=job["queue_position"]) if job["queue_position"] else words("queued")
    is_estimated = job["stage"] == "encode" and job.get("progress_is") == "estimated"
    return words("encode_about" if is_estimated else job["stage"] or "decode", percent=job["progress"])


def _outcome(job: dict[str, Any], words: Words) -> Markup:
    result, source = job["result"], job["source"]
    saved = f"{-result['saved_percent']:+.0f}%".replace("-", "−")
    figures = {"before": _size(source["bytes"]), "after": _size(result["bytes"]), "saved": saved}
    outcome = words("succeeded", width=result["width"], height=result["height"], **figures)
    name = files.name_of_result(source["filename"], result["format"], is_original="original" in result)
    return markup(OUTCOME, outcome=outcome, url=result["url"], name=name, text=words("download", name=isolated(name)))


def _files(job: dict[str, Any], words: Words) -> Markup:
    """Of several results those that are ready, also while the others are made. Two widths that became the same are one picture."""
    ready = {(each["format"], each["width"]): each for each in reversed(job.get("results", []))}
    if not ready:
        return Markup()
    shown = Markup().join(_file(job, each, words) for each in reversed(ready.values()))
    return markup(FILES, files=shown, archive=job["links"]["archive"], text=words("archive"))


def _file(job: dict[str, Any], result: dict[str, Any], words: Words) -> Markup:
    width = result["width"] if job["options"].get("widths") else None
    name = files.name_of_result(job["source"]["filename"], result["format"], is_original="original" in result, width=width)
    shape = {"width": result["width"], "height": result["height"], "size": _size(result["bytes"])}
    mark = "&" if "?" in result["url"] else "?"
    return markup(FILE, **shape, url=result["url"], mark=mark, text=words("download", name=isolated(name)))


def _size(count: int) -> str:
    """In decimal units, as the page with JavaScript writes it."""
    return f"{count} B" if count < 1000 else f"{count / 1e3:.0f} KB" if count < 999_500 else f"{count / 1e6:.1f} MB"


def _words() -> Words:
    """The sentences of these pages, in the reader's language."""
    language = page_language()
    return lambda key, **values: text(f"plain.{key}", language, **values)


def _back(words: Words) -> Markup:
    return markup('<p><a class="button" href="/">{text}</a></p>', text=words("more"))


def _page(words: Words, heading: str, body: Markup, *, refresh: bool = False) -> Response:
    again = markup(AGAIN, seconds=REFRESH_S) if refresh else Markup()
    return own_response(own_page(heading, markup(BODY, heading=heading, body=body), head=again))
