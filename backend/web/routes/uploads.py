"""``/api/uploads``: tus 1.0.0. Reads the protocol's headers, hands the bytes to the flow, and says where the upload stands.

A connection that has brought nothing for ``QUIET_S`` gives way to whoever wants its upload; one that is alive does not: the other gets 423.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.http import http_date

from backend import errors
from backend.core import options, tus
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import ingest, uploads
from backend.flows.uploads import PatchRequest
from backend.ports.resumable import UploadWriter
from backend.ports.store import SocketChunk
from backend.web.request import auth, bodies, client_identity, idempotency
from backend.web.request.context import site

routes = Blueprint("uploads", __name__)
LOOK_S = 0.25
QUIET_S = 1.0
View = Callable[..., Response]


@routes.before_app_request
def check_version() -> None:
    """Raises ``PreconditionFailed``; asking for the versions (OPTIONS) needs none."""
    if _is_tus() and _method() != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
        raise errors.PreconditionFailed("tus_version", supported=tus.VERSION)


@routes.after_app_request
def sign(response: Response) -> Response:
    if _is_tus():
        response.headers["Tus-Resumable"] = tus.VERSION
        if response.status_code == 412:
            response.headers["Tus-Version"] = tus.VERSION
    return response


def _is_tus() -> bool:
    return request.path == tus.PATH or request.path.startswith(tus.PATH + "/")


def _method() -> str:
    """For clients that can send nothing but GET and POST."""
    return request.headers.get("X-HTTP-Method-Override", request.method).upper()


@routes.route("/api/uploads", methods=["OPTIONS", "POST"], provide_automatic_options=False)
def collection() -> Response:
    return _dispatched({"OPTIONS": describe, "POST": create})


@routes.route("/api/uploads/<upload_id>", methods=["OPTIONS", "HEAD", "PATCH", "DELETE", "POST"], provide_automatic_options=False)
def single(upload_id: str) -> Response:
    return _dispatched({"OPTIONS": describe, "HEAD": show, "PATCH": append, "DELETE": erase}, upload_id)


def _dispatched(views: dict[str, View], *arguments: str) -> Response:
    view = views.get(_method())
    if view is None:
        raise MethodNotAllowed(valid_methods=list(views))
    return view(*arguments)


def describe(_: str = "") -> Response:
    response = Response(status=204)
    response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Extension"] = ",".join(tus.EXTENSIONS)
    response.headers["Tus-Max-Size"] = str(site().context.limits.upload_bytes)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(tus.CHECKSUMS)
    return response


def create() -> Response:
    context, sender = site().context, client_identity.sender()
    auth.check_rate()
    ingest.check_room(context)
    concat = request.headers.get("Upload-Concat")
    parts = tus.concat(concat)[1] if concat is not None else ()
    asked = _ticket(sender, concat)
    has_body = _has_body()
    if parts:
        info, state = uploads.concatenate(context, asked, parts)
    else:
        info, state = uploads.create(context, asked, _announced())
        is_new = info.job_id == asked.job_id
        state = _with_upload(info) if has_body and is_new else state
    response = _answer(201, info, state)
    response.headers["Location"] = f"{tus.PATH}/{info.id}"
    if has_body or parts:
        response.headers["Upload-Offset"] = str(state.offset_bytes)
    return response


def _ticket(sender: ingest.Sender, concat: str | None) -> UploadInfo:
    """Raises ``BadRequest``, ``InvalidOption``."""
    metadata = request.headers.get("Upload-Metadata")
    pairs = tus.metadata(metadata or "")
    asked = [pair for pair in pairs if pair[0] not in tus.DESCRIPTIVE]
    wanted = options.parse(asked, options.parse(request.args.items(multi=True)))
    known_id = idempotency.agreed(_announcement(), wanted, sender)
    return UploadInfo(
        id=known_id or site().context.new_id(),
        job_id=site().context.new_id(),
        options=wanted,
        filename=bodies.display_name(wanted.filename or dict(pairs).get("name", "")),
        metadata=metadata,
        concat=concat,
        owner=sender.owner,
        client=sender.client,
        request_id=sender.request_id,
        maker=sender.maker,
    )


def _announcement() -> str:
    """What makes a creation the same as an earlier one with its ``Idempotency-Key``. Of bytes that come along, what is known before they do."""
    names = ("Upload-Length", "Upload-Defer-Length", "Upload-Concat", "Upload-Metadata", "Content-Length", "Content-Digest", "Upload-Checksum")
    return "\n".join(["upload", *(f"{name}: {request.headers.get(name, '')}" for name in names)])


def _announced() -> int | None:
    return tus.length(request.headers.get("Upload-Length"), request.headers.get("Upload-Defer-Length"))


def _has_body() -> bool:
    """Whether bytes come with the request. Raises ``UnsupportedFormat`` if they come as anything but the protocol's type."""
    is_there = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if is_there and request.mimetype != tus.MEDIA_TYPE:
        raise errors.UnsupportedFormat("media_type", accepted=tus.MEDIA_TYPE)
    return is_there


def _with_upload(info: UploadInfo) -> UploadState:
    """The first bytes, sent along. If they fail, nobody has learnt the address and the upload goes too, unless its ``Idempotency-Key`` finds it."""
    context = site().context
    try:
        with uploads.open_writer(context, info.id, info.owner) as writer, _body(writer) as chunks:
            return uploads.append(context, writer, _piece(0), chunks)
    except BaseException:
        if "Idempotency-Key" not in request.headers:
            uploads.terminate(context, info.id, info.owner)
        raise


def show(upload_id: str) -> Response:
    info, state = uploads.resume(site().context, upload_id, auth.owner())
    response = _answer(200, info, state)
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
    context, owner = site().context, auth.owner()
    if request.mimetype != tus.MEDIA_TYPE:
        raise errors.UnsupportedFormat("media_type", accepted=tus.MEDIA_TYPE)
    patch = _piece(tus.count("Upload-Offset", request.headers.get("Upload-Offset", "")))
    with uploads.open_writer(context, upload_id, owner) as writer, _body(writer) as body:
        state = uploads.append(context, writer, patch, body)
    response = _answer(204, writer.info, state)
    response.headers["Upload-Offset"] = str(state.offset_bytes)
    return response


def _piece(offset_bytes: int) -> PatchRequest:
    length, checksum = request.headers.get("Upload-Length"), request.headers.get("Upload-Checksum")
    return PatchRequest(
        offset_bytes,
        length_bytes=None if length is None else tus.count("Upload-Length", length),
        checksum=None if checksum is None else tus.checksum(checksum),
        size_bytes=request.content_length,
    )


def erase(upload_id: str) -> Response:
    uploads.terminate(site().context, upload_id, auth.owner())
    return Response(status=204)


def _answer(status: int, info: UploadInfo, state: UploadState) -> Response:
    response = Response(status=status)
    response.headers["Upload-Expires"] = http_date(uploads.expires_at(site().context, state))
    if state.has_job:
        response.headers["Link"] = f'</api/jobs/{info.job_id}>; rel="job"'
    return response


@contextmanager
def _body(writer: UploadWriter) -> Iterator[Iterator[bytes | SocketChunk]]:
    """The request's body, piece by piece, for as long as it may hold the upload. Raises ``Locked`` when it had to give way."""
    watch = _Watch(writer, request.environ["wsgi.input"])
    watcher = threading.Thread(target=watch.run, name="upload-watch", daemon=True)
    watcher.start()
    try:
        yield bodies.pieces()
    except errors.BadRequest as error:
        if watch.has_given_way:
            raise errors.Locked("taken_over", retry_after_s=1) from error
        raise
    finally:
        watch.is_over.set()
        watcher.join()


class _Watch:
    """Sees whether anything of a body still comes: a dead connection may stay open for minutes."""

    def __init__(self, writer: UploadWriter, source: Any) -> None:
        self._writing, self._source = writer, source
        self.has_given_way = False
        self.is_over = threading.Event()

    def run(self) -> None:
        connection = getattr(self._source, "connection", None)
        if connection is None:
            return
        seen, quiet_s = 0, 0.0
        while not self.is_over.wait(LOOK_S):
            is_quiet = self._source.is_waiting and self._source.received_bytes == seen
            seen, quiet_s = self._source.received_bytes, quiet_s + LOOK_S if is_quiet else 0.0
            if quiet_s >= QUIET_S and self._writing.is_takeover_requested():
                self.has_given_way = True
                connection.wake()
                return
