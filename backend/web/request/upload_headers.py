"""The headers of tus 1.0.0 (``core/tus`` has their grammar), as the flow's ``UploadInfo`` and ``PatchRequest``."""

from __future__ import annotations

from flask import request

from backend import errors
from backend.core import filenames, tus
from backend.core.options import needs
from backend.core.resumable import UploadInfo
from backend.flows.ingest import Sender
from backend.flows.uploads import PatchRequest
from backend.web.request import body_stream, idempotency, query, wishes
from backend.web.request.context import flow_context
from backend.web.request.webhook import with_receiver

OVERRIDE = "X-HTTP-Method-Override"
CREATION_HEADERS = ("Upload-Length", "Upload-Defer-Length", "Upload-Concat", "Upload-Metadata", "Content-Length", "Content-Digest", "Upload-Checksum")


def is_upload_path() -> bool:
    return request.path == tus.PATH or request.path.startswith(tus.PATH + "/")


def method() -> str:
    """The request's method, or the one that ``X-HTTP-Method-Override`` names: for clients that can send nothing but GET and POST."""
    return request.headers.get(OVERRIDE, request.method).strip().upper()


def routed_method() -> str:
    """The method by which the request's route was found: an override counts as POST, whatever method it comes with."""
    return "POST" if is_upload_path() and OVERRIDE in request.headers else request.method


def new_upload(sender: Sender) -> UploadInfo:
    """Raises ``BadRequest``, ``TooLarge``, ``InvalidOption``, ``QuotaExceeded``."""
    metadata = request.headers.get("Upload-Metadata", "").strip()
    pairs = tus.metadata(metadata)
    given = wishes.parse(tus.wishes(pairs), wishes.parse(query.pairs()))
    wanted, sender = given.options, with_receiver(sender, given.webhook_url)
    known_id = idempotency.claim_id(_content(), wanted, sender)
    return UploadInfo(
        id=known_id or flow_context().new_id(),
        job_id=flow_context().new_id(),
        options=wanted,
        filename=filenames.display_name(wanted.filename or tus.name(pairs)),
        metadata=metadata or None,
        concat=request.headers.get("Upload-Concat"),
        owner=sender.owner,
        client=sender.turn,
        request_id=sender.request_id,
        maker=sender.maker,
        webhook_url=sender.webhook_url,
        needs=needs(wanted),
    )


def _content() -> str:
    """Identifies the upload for its ``Idempotency-Key``: by headers, since the bytes that come along are not read yet."""
    return "\n".join(["upload", *(f"{name}: {request.headers.get(name, '')}" for name in CREATION_HEADERS)])


def length_bytes() -> int | None:
    """None where the client says it later. Raises ``BadRequest``."""
    return tus.length(request.headers.get("Upload-Length"), request.headers.get("Upload-Defer-Length"))


def check_final(has_body: bool) -> None:
    """A final upload has the length and the bytes of its parts. Raises ``BadRequest`` where the client sends others, ``Forbidden`` for bytes."""
    for name in ("Upload-Length", "Upload-Defer-Length"):
        if name in request.headers:
            raise errors.BadRequest("final_length", header=name)
    if has_body:
        raise errors.Forbidden("final_upload")


def offset_bytes() -> int:
    """Raises ``BadRequest``."""
    return tus.count("Upload-Offset", request.headers.get("Upload-Offset", ""))


def has_body() -> bool:
    """Whether bytes come with the request. Raises ``UnsupportedFormat`` if they come as another type than the protocol's."""
    is_there = body_stream.is_announced()
    if is_there:
        check_media_type()
    return is_there


def is_whole() -> bool:
    """Whether the creation brings all bytes of an upload that is one image, and no answer to it can have been lost: without a key, nobody could ask.

    Bytes with a checksum are not among them: they count as a whole or not at all.
    """
    special = ("Upload-Concat", "Upload-Checksum", "Idempotency-Key")
    return not any(name in request.headers for name in special) and request.content_length is not None and length_bytes() == request.content_length


def check_media_type() -> None:
    """Raises ``UnsupportedFormat``."""
    if request.mimetype != tus.MEDIA_TYPE:
        raise errors.UnsupportedFormat("media_type", accepted=tus.MEDIA_TYPE)


def patch_request(offset_bytes: int) -> PatchRequest:
    """Raises ``BadRequest``; also for a checksum that would come after the body (``checksum-trailer``), which nobody would look at."""
    if "upload-checksum" in request.headers.get("Trailer", "").lower():
        raise errors.BadRequest("header", header="Trailer", accepted="–")
    length, checksum = request.headers.get("Upload-Length"), request.headers.get("Upload-Checksum")
    return PatchRequest(
        offset_bytes,
        length_bytes=None if length is None else tus.count("Upload-Length", length),
        checksum=None if checksum is None else tus.checksum(checksum),
        size_bytes=request.content_length,
    )
