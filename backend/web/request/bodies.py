"""The images and option fields that a request brings: a raw image, a multipart form, or a small JSON object."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from flask import request
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData, State

from backend import errors
from backend.core.delimiters import sure_bytes
from backend.core.filenames import display_name
from backend.flows.context import Context
from backend.flows.ingest import Intake, Received
from backend.ports.peer import SocketChunk
from backend.web.request import body_stream
from backend.web.request.body_stream import CHUNK_BYTES

FIELD_BYTES = 64 << 10
"""All option fields of a form together."""
BUFFER_BYTES = 2 * CHUNK_BYTES
"""What werkzeug's decoder may hold of a part that has no end in sight."""
LARGE_BYTES = CHUNK_BYTES
"""An image of a form that has come so far is worth a search of its own."""
PASSED_BY_BYTES = 4 << 10
"""A shorter chunk is not worth it."""
JSON_BYTES = 64 << 10
FORM_PARTS_BEYOND_FILES = 50
FILE_FIELD = "file"


@dataclass(slots=True)
class Form:
    """The images and option fields of one request. Call ``abandon`` if the images do not become jobs."""

    images: list[Received] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)

    def abandon(self) -> None:
        for image in self.images:
            image.upload.discard()


def read(context: Context, *, filename: str, max_files: int) -> Form:
    """Raises ``BadRequest`` and what ``Intake`` raises; then the store keeps nothing of the images."""
    media_type, parameters = parse_options_header(request.content_type)
    if media_type == "multipart/form-data":
        form = _multipart(context, parameters.get("boundary", ""), max_files)
        if not form.images:
            raise errors.BadRequest("no_file")
        return form
    return Form([_raw(context, filename)])


def read_json() -> dict[str, object]:
    """An object of at most ``JSON_BYTES``. Raises ``BadRequest``."""
    body = bytearray()
    for chunk in body_stream.chunks():
        body += chunk
        if len(body) > JSON_BYTES:
            raise errors.BadRequest("json")
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise errors.BadRequest("json")
    return record


def _raw(context: Context, filename: str) -> Received:
    if request.content_length is not None:
        context.limits.check_bytes(request.content_length)
    intake = Intake(context, filename)
    try:
        for piece in body_stream.checked_pieces():
            intake.take(piece)
            del piece
        return intake.finish()
    except BaseException:
        intake.abandon()
        raise


def _multipart(context: Context, boundary: str, max_files: int) -> Form:
    if not boundary:
        raise errors.BadRequest("multipart")
    reader = _Reader(context, max_files, b"--" + boundary.encode("latin-1", "replace"))
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), BUFFER_BYTES, max_parts=max_files + FORM_PARTS_BEYOND_FILES)
    try:
        for piece in body_stream.checked_pieces():
            reader.take(decoder, piece)
            del piece
        reader.feed(decoder, None)
        return reader.form
    except ValueError as error:
        reader.abandon()
        raise errors.BadRequest("multipart", private=repr(error)) from error
    except BaseException as error:
        reader.abandon()
        if getattr(error, "code", None) == 413:
            raise errors.BadRequest("multipart", private=repr(error)) from error
        raise


class _Reader:
    """Turns werkzeug's events into intakes and fields. In the midst of an image, what cannot be its end goes around the decoder and its copies."""

    def __init__(self, context: Context, max_files: int, mark: bytes) -> None:
        self.form = Form()
        self._mark = mark
        self._context, self._max_files = context, max_files
        self._intake: Intake | None = None
        self._name = ""
        self._value = bytearray()
        self._field_bytes = 0

    def take(self, decoder: MultipartDecoder, piece: bytes | SocketChunk) -> None:
        """A stretch is left to come by, unless it begins in the midst of a large image: then it will belong to that, most of it or all."""
        if isinstance(piece, bytes):
            self.feed(decoder, piece)
        elif self._intake is not None and self._intake.upload.size_bytes >= LARGE_BYTES and decoder.state is State.DATA:
            held = bytes(decoder.buffer)
            decoder.buffer.clear()
            rest = self._intake.take_up_to(self._mark, piece, held)
            if self._mark not in rest:
                decoder.receive_data(rest)
                return
            for begin in range(0, len(rest), CHUNK_BYTES):
                self.feed(decoder, rest[begin : begin + CHUNK_BYTES])

    def feed(self, decoder: MultipartDecoder, chunk: bytes | None) -> None:
        if chunk is not None and self._intake is not None and decoder.state is State.DATA:
            chunk = self._passed_by(self._intake, decoder, chunk)
        decoder.receive_data(chunk)
        while True:
            event = decoder.next_event()
            if isinstance(event, (NeedData, Epilogue)):
                return
            if isinstance(event, File):
                self._open(event)
            elif isinstance(event, Field):
                self._name = event.name
            elif isinstance(event, Data):
                self._take(event)

    def abandon(self) -> None:
        if self._intake is not None:
            self._intake.abandon()
        self.form.abandon()

    def _passed_by(self, intake: Intake, decoder: MultipartDecoder, chunk: bytes) -> bytes:
        """What the decoder has to see: all of it where a boundary stands; else what follows the first line break that one could begin with."""
        held = bytes(decoder.buffer)
        if len(chunk) < PASSED_BY_BYTES + len(self._mark) or self._mark in chunk or self._mark in held + chunk[: len(self._mark)]:
            return chunk
        sure = sure_bytes(chunk, len(chunk), self._mark)
        decoder.buffer.clear()
        if held:
            intake.feed(held)
        intake.feed(chunk[:sure])
        return chunk[sure:]

    def _open(self, event: File) -> None:
        if event.name != FILE_FIELD:
            raise errors.InvalidOption("unknown", option=event.name[:100], suggestion=FILE_FIELD)
        if len(self.form.images) >= self._max_files:
            raise errors.BadRequest("too_many_files", limit=self._max_files)
        self._intake = Intake(self._context, display_name(event.filename or ""))

    def _take(self, event: Data) -> None:
        if self._intake is not None:
            self._take_image(self._intake, event)
        else:
            self._take_field(event)

    def _take_image(self, intake: Intake, event: Data) -> None:
        if event.data:
            intake.feed(bytes(event.data))
        if not event.more_data:
            self.form.images.append(intake.finish())
            self._intake = None

    def _take_field(self, event: Data) -> None:
        self._field_bytes += len(event.data)
        if self._field_bytes > FIELD_BYTES:
            raise errors.BadRequest("multipart")
        self._value += event.data
        if not event.more_data:
            self.form.fields.append((self._name, self._value.decode("utf-8", "replace")))
            self._value.clear()
