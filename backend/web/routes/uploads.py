"""``/api/uploads``: resumable uploads by tus 1.0.0. Reads the protocol's headers, gives the bytes to the flow, says how far an upload has come."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.http import http_date

from backend import errors
from backend.core import tus
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import ingest, uploads
from backend.web.openapi.answers import BINARY, FIND_ERRORS, RECEIVE_ERRORS
from backend.web.openapi.resource import Answer, Kind, Operation, Resource
from backend.web.request import auth, client_identity, upload_headers
from backend.web.request.context import flow_context
from backend.web.request.reader import reader
from backend.web.request.upload_body import upload_body

routes = Resource("uploads", __name__, tag="uploads")
View = Callable[..., Response]
TUS_ERRORS: tuple[Kind, ...] = (errors.BadRequest, errors.PreconditionFailed, *FIND_ERRORS)
VERSIONS = {204: Answer({}, ("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size"), shared="versions")}
PROGRESS_HEADERS = ("Tus-Resumable", "Upload-Offset", "Upload-Expires", "Link")
VERSION = ("Tus-Resumable",)


@routes.before_app_request
def check_version() -> None:
    """Raises ``PreconditionFailed``. ``OPTIONS`` asks which versions there are and needs none."""
    if upload_headers.is_upload_path() and upload_headers.method() != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
        raise errors.PreconditionFailed("tus_version", supported=tus.VERSION)


@routes.after_app_request
def add_version(response: Response) -> Response:
    if upload_headers.is_upload_path():
        response.headers["Tus-Resumable"] = tus.VERSION
        if response.status_code == 412:
            response.headers["Tus-Version"] = tus.VERSION
    return response


@routes.serve(
    Operation("OPTIONS", "/api/uploads", "describeUploads", VERSIONS, is_guarded=False),
    Operation(
        "POST",
        "/api/uploads",
        "createUpload",
        {201: Answer({}, ("Location", *PROGRESS_HEADERS))},
        (*RECEIVE_ERRORS, errors.NotFound, errors.PreconditionFailed, errors.ChecksumMismatch, errors.OffsetMismatch),
        (*VERSION, "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "Upload-Concat", "Upload-Checksum", "Idempotency-Key"),
        {tus.MEDIA_TYPE: BINARY},
        has_options=True,
    ),
    provide_automatic_options=False,
)
def collection() -> Response:
    return _dispatch({"OPTIONS": versions, "POST": create})


@routes.serve(
    Operation(
        "OPTIONS",
        "/api/uploads/{upload_id}",
        "describeUpload",
        VERSIONS,
        parameters=("upload_id",),
        is_guarded=False,
    ),
    Operation(
        "HEAD",
        "/api/uploads/{upload_id}",
        "showUpload",
        {200: Answer({}, (*PROGRESS_HEADERS, "Upload-Length"))},
        TUS_ERRORS,
        ("upload_id", *VERSION),
    ),
    Operation(
        "PATCH",
        "/api/uploads/{upload_id}",
        "continueUpload",
        {204: Answer({}, PROGRESS_HEADERS)},
        (*RECEIVE_ERRORS, errors.OffsetMismatch, errors.Locked, errors.ChecksumMismatch, *TUS_ERRORS),
        ("upload_id", *VERSION, "Upload-Offset", "Upload-Length", "Upload-Checksum"),
        {tus.MEDIA_TYPE: BINARY},
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
        (*RECEIVE_ERRORS, errors.MethodNotAllowed, errors.OffsetMismatch, errors.Locked, errors.ChecksumMismatch, *TUS_ERRORS),
        ("upload_id", *VERSION),
        {tus.MEDIA_TYPE: BINARY},
    ),
    provide_automatic_options=False,
)
def single(upload_id: str) -> Response:
    return _dispatch({"OPTIONS": versions, "HEAD": show, "PATCH": append, "DELETE": erase}, upload_id)


def _dispatch(views: dict[str, View], *arguments: str) -> Response:
    """By the method that the client means. Raises werkzeug's ``MethodNotAllowed``."""
    view = views.get(upload_headers.method())
    if view is None:
        raise MethodNotAllowed(valid_methods=list(views))
    return view(*arguments)


def versions(_: str = "") -> Response:
    response = Response(status=204)
    response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Extension"] = ",".join(tus.EXTENSIONS)
    response.headers["Tus-Max-Size"] = str(flow_context().limits.upload_bytes)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(tus.CHECKSUMS)
    return response


def create() -> Response:
    context, sender = flow_context(), client_identity.sender()
    auth.check_rate()
    ingest.check_room(context)
    concat = request.headers.get("Upload-Concat")
    parts = tus.concat(concat)[1] if concat is not None else ()
    wanted = upload_headers.new_upload(sender)
    has_body = upload_headers.has_body()
    if parts:
        info, state = uploads.concatenate(context, wanted, parts)
    else:
        info, state = uploads.create(context, wanted, upload_headers.length_bytes())
        is_new = info.job_id == wanted.job_id
        state = _append_first(info) if has_body and is_new else state
    response = _response(201, info, state)
    response.headers["Location"] = reader().path(f"{tus.PATH}/{info.id}")
    if has_body or parts:
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
    except BaseException:
        if "Idempotency-Key" not in request.headers:
            uploads.terminate(context, info.id, info.owner)
        raise


def show(upload_id: str) -> Response:
    info, state = uploads.resume(flow_context(), upload_id, auth.owner())
    response = _response(200, info, state)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Upload-Offset"] = str(state.offset_bytes)
    if state.length_bytes is None:
        response.headers["Upload-Defer-Length"] = "1"
    else:
        response.headers["Upload-Length"] = str(state.length_bytes)
    if info.metadata is not None:
        response.headers["Upload-Metadata"] = info.metadata
    if info.concat is not None:
        response.headers["Upload-Concat"] = info.concat
    return response


def append(upload_id: str) -> Response:
    context, owner = flow_context(), auth.owner()
    upload_headers.check_media_type()
    patch = upload_headers.patch_request(upload_headers.offset_bytes())
    with uploads.open_writer(context, upload_id, owner) as writer, upload_body(writer) as body:
        state = uploads.append(context, writer, patch, body)
    response = _response(204, writer.info, state)
    response.headers["Upload-Offset"] = str(state.offset_bytes)
    return response


def erase(upload_id: str) -> Response:
    uploads.terminate(flow_context(), upload_id, auth.owner())
    return Response(status=204)


def _response(status: int, info: UploadInfo, state: UploadState) -> Response:
    """With the time when the upload expires, and its job where there is one."""
    response = Response(status=status)
    response.headers["Upload-Expires"] = http_date(uploads.expires_at(flow_context(), state))
    if state.has_job:
        response.headers["Link"] = f'<{reader().path(f"/api/jobs/{info.job_id}")}>; rel="job"'
    return response
