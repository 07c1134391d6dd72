"""``/api/uploads``: resumable uploads by tus 1.0.0. Reads the protocol's headers, gives the bytes to the flow, says how far an upload has come."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed as UnknownMethod
from werkzeug.http import http_date

from backend import errors
from backend.core import tus
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import ingest, shares, uploads
from backend.flows.find_upload import erase as erase_upload
from backend.flows.find_upload import expires_at
from backend.flows.finish_upload import UNRECOVERABLE
from backend.web.openapi.answers import BINARY, FIND_ERRORS, RECEIVE_ERRORS
from backend.web.openapi.resource import Answer, Kind, Operation, Resource
from backend.web.request import auth, body_stream, client_identity, idempotency, upload_headers
from backend.web.request.context import flow_context
from backend.web.request.reader import reader
from backend.web.request.upload_body import upload_body
from backend.web.response import problems

routes = Resource("uploads", __name__, tag="uploads")
View = Callable[..., Response]
UNFINISHED = (errors.QueueFull, errors.StorageFull, errors.BackendUnavailable)
"""A final upload may be there all the same, and become a job later: its key stays."""
TUS_ERRORS: tuple[Kind, ...] = (errors.BadRequest, errors.PreconditionFailed, *FIND_ERRORS)
WRITE_ERRORS: tuple[Kind, ...] = (errors.Forbidden, errors.OffsetMismatch, errors.Locked, errors.ChecksumMismatch)
VERSIONS = {200: Answer({}, ("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"), shared="versions")}
"""Not 204, which the protocol allows too: older clients and proxies wait for 200."""
PROGRESS_HEADERS = ("Tus-Resumable", "Upload-Offset", "Upload-Expires", "Link")
VERSION = ("Tus-Resumable",)
ROUTING = {"provide_automatic_options": False, "strict_slashes": False}
"""Many clients are given the address with a slash at its end, as it is in the protocol's own server."""


@routes.before_app_request
def check_version() -> None:
    """Raises ``PreconditionFailed``. ``OPTIONS`` asks which versions there are and needs none."""
    if upload_headers.is_upload_path() and upload_headers.method() != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
        raise errors.PreconditionFailed("tus_version", supported=tus.VERSION)


@routes.before_app_request
def ignore_overridden_method() -> None:
    """An override counts whatever method it comes with: as if that were POST, which every address here takes. Raises werkzeug's ``NotFound``."""
    if upload_headers.is_upload_path() and upload_headers.OVERRIDE in request.headers:
        addresses = current_app.create_url_adapter(request)
        assert addresses is not None, "a request has an address"
        request.url_rule, arguments = addresses.match(method="POST", return_rule=True)
        request.view_args, request.routing_exception = dict(arguments), None


@routes.after_app_request
def add_version(response: Response) -> Response:
    """Nothing is ever cached: an override may come with any method, and what a ``GET`` answers would be."""
    if upload_headers.is_upload_path():
        response.headers["Tus-Resumable"] = tus.VERSION
        response.headers["Cache-Control"] = "no-store"
        if response.status_code == 412:
            response.headers["Tus-Version"] = tus.VERSION
    return response


@routes.errorhandler(errors.OffsetMismatch)
@routes.errorhandler(errors.ChecksumMismatch)
def answer_mismatch(error: errors.GatewayError) -> Response:
    """With the offset, so that a client can go on without asking."""
    response = problems.problem_response(error)
    response.headers["Upload-Offset"] = str(error.params["offset"])
    return response


@routes.serve(
    Operation("OPTIONS", "/api/uploads", "describeUploads", VERSIONS, is_guarded=False),
    Operation(
        "POST",
        "/api/uploads",
        "createUpload",
        {201: Answer({}, ("Location", *PROGRESS_HEADERS))},
        (*RECEIVE_ERRORS, errors.NotFound, errors.Forbidden, errors.PreconditionFailed, errors.ChecksumMismatch, errors.QuotaExceeded),
        (*VERSION, "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "Upload-Concat", "Upload-Checksum", "Idempotency-Key", "webhook_url"),
        {tus.MEDIA_TYPE: BINARY},
        has_options=True,
    ),
    **ROUTING,
)
def collection() -> Response:
    return _dispatch({"OPTIONS": versions, "POST": create})


@routes.serve(
    Operation(
        "OPTIONS",
        "/api/uploads/{upload_id}",
        "describeUpload",
        VERSIONS,
        parameters=("any_upload_id",),
        is_guarded=False,
    ),
    Operation(
        "HEAD",
        "/api/uploads/{upload_id}",
        "showUpload",
        {200: Answer({}, (*PROGRESS_HEADERS, "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "Upload-Concat"))},
        TUS_ERRORS,
        ("upload_id", *VERSION),
    ),
    Operation(
        "PATCH",
        "/api/uploads/{upload_id}",
        "continueUpload",
        {204: Answer({}, PROGRESS_HEADERS)},
        (*RECEIVE_ERRORS, *WRITE_ERRORS, *TUS_ERRORS),
        ("upload_id", *VERSION, "Upload-Offset", "Upload-Length", "Upload-Checksum"),
        {tus.MEDIA_TYPE: BINARY},
        needs_body=True,
    ),
    Operation(
        "DELETE",
        "/api/uploads/{upload_id}",
        "eraseUpload",
        {204: Answer()},
        TUS_ERRORS,
        ("upload_id", *VERSION),
    ),
    Operation(
        "POST",
        "/api/uploads/{upload_id}",
        "overrideUpload",
        {200: Answer({}, PROGRESS_HEADERS), 204: Answer({}, PROGRESS_HEADERS)},
        (*RECEIVE_ERRORS, errors.MethodNotAllowed, *WRITE_ERRORS, *TUS_ERRORS),
        ("upload_id", *VERSION, upload_headers.OVERRIDE),
        {tus.MEDIA_TYPE: BINARY},
    ),
    **ROUTING,
)
def single(upload_id: str) -> Response:
    return _dispatch({"OPTIONS": versions, "HEAD": show, "PATCH": append, "DELETE": erase}, upload_id)


def _dispatch(views: dict[str, View], *arguments: str) -> Response:
    """By the method that the client means. Raises werkzeug's ``MethodNotAllowed``."""
    view = views.get(upload_headers.method())
    if view is None:
        raise UnknownMethod(valid_methods=list(views))
    return view(*arguments)


def versions(_: str = "") -> Response:
    response = _empty(200)
    response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Extension"] = ",".join(tus.EXTENSIONS)
    response.headers["Tus-Max-Size"] = str(flow_context().limits.upload_bytes)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(tus.CHECKSUMS)
    return response


def create() -> Response:
    context, sender = flow_context(), client_identity.sender()
    auth.check_rate()
    ingest.check_room(context, sender)
    concat = request.headers.get("Upload-Concat")
    parts = tus.concat(concat)[1] if concat is not None else ()
    wanted = upload_headers.new_upload(sender)
    with idempotency.released_on_error(but=UNFINISHED):
        has_body = upload_headers.has_body()
        if has_body and upload_headers.is_whole():
            info, state = uploads.create_whole(context, wanted, upload_headers.patch_request(0), body_stream.pieces(), sender.limits)
        elif parts:
            upload_headers.check_final(has_body)
            info, state = uploads.concatenate(context, wanted, parts, sender.limits)
        else:
            info, state = uploads.create(context, wanted, upload_headers.length_bytes(), sender.limits)
    if has_body and not state.has_job and info.job_id == wanted.job_id:
        state = _append_first(info)
    response = _response(201, info, state)
    response.headers["Location"] = reader().path(f"{tus.PATH}/{info.id}")
    response.headers["Upload-Offset"] = str(state.offset_bytes)
    return response


def _append_first(info: UploadInfo) -> UploadState:
    """Bytes that came with the creation. If they fail, the upload is erased: its client has not learnt the address yet.

    With an ``Idempotency-Key`` it stays, since the client finds it by that.
    """
    context = flow_context()
    try:
        with uploads.open_writer(context, info.id, info.owner) as writer, upload_body(writer) as body:
            return uploads.append(context, writer, upload_headers.patch_request(0), body)
    except UNRECOVERABLE:
        erase_upload(context, info)
        idempotency.release()
        raise
    except BaseException:
        if "Idempotency-Key" not in request.headers:
            erase_upload(context, info)
        raise


def show(upload_id: str) -> Response:
    info, state = uploads.resume(flow_context(), upload_id, auth.owner())
    response = _response(200, info, state)
    response.headers["Upload-Offset"] = str(state.offset_bytes)
    if state.length_bytes is None:
        response.headers["Upload-Defer-Length"] = "1"
    else:
        response.headers["Upload-Length"] = str(state.length_bytes)
    if info.metadata:
        response.headers["Upload-Metadata"] = info.metadata
    if info.concat is not None:
        response.headers["Upload-Concat"] = info.concat
    return response


def append(upload_id: str) -> Response:
    context, owner = flow_context(), auth.owner()
    shares.check(context, auth.client(), auth.client_limits(), jobs=0)
    upload_headers.check_media_type()
    patch = upload_headers.patch_request(upload_headers.offset_bytes())
    with uploads.open_writer(context, upload_id, owner) as writer, upload_body(writer) as body:
        state = uploads.append(context, writer, patch, body)
    response = _response(204, writer.info, state)
    response.headers["Upload-Offset"] = str(state.offset_bytes)
    return response


def erase(upload_id: str) -> Response:
    uploads.terminate(flow_context(), upload_id, auth.owner())
    return _empty(204)


def _response(status: int, info: UploadInfo, state: UploadState) -> Response:
    """With the time when the upload expires, and its job where there is one."""
    response = _empty(status)
    response.headers["Upload-Expires"] = http_date(expires_at(flow_context(), state))
    if state.has_job:
        response.headers["Link"] = f'<{reader().path(f"/api/jobs/{info.job_id}")}>; rel="job"'
    return response


def _empty(status: int) -> Response:
    """Without a body, and without its type."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response
