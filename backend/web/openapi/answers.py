"""Answers, errors and bodies that the operations of several resources have in common."""

from __future__ import annotations

from backend import errors
from backend.core import formats
from backend.web.openapi.components import Text
from backend.web.openapi.resource import Answer, Kind
from backend.web.openapi.schemas import TEXT, Schema, ref

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
    "properties": {"file": {"oneOf": [BINARY, {"type": "array", "items": BINARY}]}},
    "required": ["file"],
    "additionalProperties": {"description": "Any conversion option"},
}
FORM_OR_IMAGE: dict[str, Schema] = {"image/*": BINARY, "application/octet-stream": BINARY, "multipart/form-data": FORM}

UNCHANGED = Answer(("Nothing has changed", "没有变化"), {}, ("ETag",))
EVENTS = Answer(
    ("Events, until the end; each datum is the whole state as JSON", "事件流，直到结束；每条数据为完整状态的 JSON"), {"text/event-stream": TEXT}
)
NOTHING_NEW = Answer(("It has ended and there is nothing newer", "已结束，没有更新的内容"))
FILE_HEADERS = ("ETag", "Content-Disposition", "Accept-Ranges")
RESULT: dict[str, Schema] = {each.media_type: BINARY for each in formats.OUTPUT.values()}


def file_answers(what: Text, content: dict[str, Schema]) -> dict[int, Answer]:
    return {
        200: Answer(what, content, FILE_HEADERS),
        206: Answer(("A part of it", "其中一部分"), content, (*FILE_HEADERS, "Content-Range")),
        304: UNCHANGED,
    }
