"""Answers, errors and bodies that the operations of several resources have in common."""

from __future__ import annotations

from backend import errors
from backend.core import formats
from backend.web.openapi.resource import Answer, Body, Kind
from backend.web.openapi.schemas import WEBHOOK, Schema, ref, with_options

RECEIVE_ERRORS: tuple[Kind, ...] = (
    errors.BadRequest,
    errors.TooLarge,
    errors.UnsupportedFormat,
    errors.InvalidOption,
    errors.TooManyPixels,
    errors.TooManyFrames,
    errors.DamagedImage,
    errors.EmptyFile,
    errors.RateLimited,
    errors.QueueFull,
    errors.BackendUnavailable,
    errors.StorageFull,
)
"""What may be wrong with an image that is sent."""
ANY_REQUEST: dict[int, tuple[Kind, ...]] = {
    400: (errors.BadRequest,),
    403: (errors.CrossSite,),
    408: (errors.BadRequest,),
    413: (errors.TooLarge,),
    414: (errors.BadRequest,),
    415: (errors.UnsupportedFormat,),
    421: (errors.WrongHost,),
    431: (errors.BadRequest,),
    500: (errors.Internal,),
    503: (errors.BackendUnavailable,),
}
"""What every request may get: its head is malformed, too long, too slow or of a foreign site; its body is too long or compressed; the gateway is
too busy, or has a fault."""
FIND_ERRORS: tuple[Kind, ...] = (errors.NotFound, errors.BackendUnavailable)

JSON = "application/json"
BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
JOB: dict[str, Schema] = {JSON: ref("Job")}
BATCH: dict[str, Schema] = {JSON: ref("Batch")}


def form(file: Schema, **more: Schema) -> Schema:
    return with_options({"file": file, **more}, required=("file",))


IMAGE: Body = {"image/*": BINARY, "application/octet-stream": BINARY}
FORM_OR_IMAGE: Body = {**IMAGE, "multipart/form-data": form({"oneOf": [BINARY, {"type": "array", "items": BINARY, "minItems": 1}]}, **WEBHOOK)}
FORM_OF_ONE_OR_IMAGE: Body = {**IMAGE, "multipart/form-data": form(BINARY)}
OPTIONS: Body = {
    JSON: ref("ChangedOptions"),
    "application/x-www-form-urlencoded": ref("ChangedOptionsForm"),
    "multipart/form-data": ref("ChangedOptionsForm"),
}
"""A body that brings options alone. Its media types are those of ``request/option_fields``."""

UNCHANGED = Answer({}, ("ETag",), shared="unchanged")
EVENTS = Answer({"text/event-stream": ref("Event")}, shared="events")
NOTHING_NEW = Answer(shared="nothing_new")
FILE_HEADERS = ("ETag", "Content-Disposition", "Accept-Ranges")
RESULT: dict[str, Schema] = {formats.BY_NAME[name].media_type: BINARY for name in formats.RESULTS}


def file_answers(content: dict[str, Schema], *headers: str) -> dict[int, Answer]:
    return {
        200: Answer(content, (*FILE_HEADERS, *headers)),
        206: Answer(content, (*FILE_HEADERS, *headers, "Content-Range"), shared="part"),
        304: UNCHANGED,
    }
