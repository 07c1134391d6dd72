"""Answers, errors and bodies that the operations of several resources have in common."""

from __future__ import annotations

from backend import errors
from backend.core import formats
from backend.web.openapi.resource import Answer, Body, Kind
from backend.web.openapi.schemas import TEXT, WEBHOOK, Schema, ref

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
FIND_ERRORS: tuple[Kind, ...] = (errors.NotFound, errors.BackendUnavailable)

JSON = "application/json"
BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
JOB: dict[str, Schema] = {JSON: ref("Job")}
BATCH: dict[str, Schema] = {JSON: ref("Batch")}
FORM: Schema = {
    "type": "object",
    "properties": {"file": {"oneOf": [BINARY, {"type": "array", "items": BINARY}]}, **WEBHOOK},
    "required": ["file"],
    "additionalProperties": {"description": "Any conversion option"},
}
FORM_OR_IMAGE: Body = {"image/*": BINARY, "application/octet-stream": BINARY, "multipart/form-data": FORM}
OPTIONS: Body = dict.fromkeys((JSON, "application/x-www-form-urlencoded", "multipart/form-data"), ref("JobOptions"))
"""A body that brings options alone. Its media types are those of ``request/option_fields``."""

UNCHANGED = Answer({}, ("ETag",), shared="unchanged")
EVENTS = Answer({"text/event-stream": TEXT}, shared="events")
NOTHING_NEW = Answer(shared="nothing_new")
FILE_HEADERS = ("ETag", "Content-Disposition", "Accept-Ranges")
RESULT: dict[str, Schema] = {each.media_type: BINARY for each in formats.OUTPUT.values()}


def file_answers(content: dict[str, Schema]) -> dict[int, Answer]:
    return {
        200: Answer(content, FILE_HEADERS),
        206: Answer(content, (*FILE_HEADERS, "Content-Range"), shared="part"),
        304: UNCHANGED,
    }
