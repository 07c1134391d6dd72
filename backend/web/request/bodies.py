"""The images and option fields that a request brings: a raw image, or a multipart form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, NeedData

from backend import errors
from backend.core import form_fields
from backend.core.filenames import display_name
from backend.flows.context import Context
from backend.flows.ingest import Intake, Received
from backend.web.request import body_advice, body_stream, query
from backend.web.request.body_stream import CHUNK_BYTES, SMALL_BODY_BYTES
from backend.web.request.form_decoder import PART_HEAD_BYTES, FormDecoder

BUFFER_BYTES = 2 * CHUNK_BYTES
"""What werkzeug's decoder may hold of a part that has no end in sight."""
FORM_PARTS_BEYOND_FILES = 50
BOUNDARY_BYTES = 200
"""RFC 2046 §5.1.1 has at most 70; werkzeug's own client sends one of 71 now and then."""
CHARSET_FIELD = "_charset_"
"""A browser fills it with the charset that it wrote the form's names in (RFC 7578 §4.6)."""
IMAGE_TYPES = ("image/", "application/octet-stream")
OF_ONE_IMAGE = (errors.EmptyFile, errors.UnsupportedFormat, errors.DamagedImage, errors.TooManyPixels, errors.TooManyFrames)
"""What is wrong with one image of a form, and says nothing of the others. One that is too large is not among them: nobody reads it to its end."""


@dataclass(slots=True)
class Form:
    """The images and option fields of one request. Call ``abandon`` if the images do not become jobs.

    A part with a file name is an image, whatever its field is called: libraries have different names for it. So is one without, if it is sent
    as ``IMAGE_TYPES``. What libraries add by themselves (``core/form_fields``) is no field here.
    """

    images: list[Received] = field(default_factory=list)
    refused: list[tuple[str, errors.GatewayError]] = field(default_factory=list)
    """File name and reason of each image that was passed over."""
    fields: list[tuple[str, str]] = field(default_factory=list)

    def abandon(self) -> None:
        for image in self.images:
            image.upload.discard()


def read(context: Context, *, filename: str, max_files: int, passes_over: bool = False) -> Form:
    """Raises ``BadRequest`` and what ``Intake`` raises; then the store keeps nothing of the images. With ``passes_over``, one image of a form that
    cannot be taken does not refuse the others."""
    if form_fields.is_piece_range(request.headers.get("Content-Range", "")):
        raise errors.BadRequest("piece", field="Content-Range")
    media_type, parameters = parse_options_header(request.content_type)
    if media_type == "multipart/form-data":
        _check_form_bytes(context, max_files)
        form = read_form(context, body_stream.chunks(), parameters, max_files, passes_over=passes_over)
        if not form.images and not form.refused:
            raise body_advice.no_image(form.fields)
        return form
    return Form([_raw(context, filename)])


def _raw(context: Context, filename: str) -> Received:
    if request.content_length is not None:
        context.limits.check_bytes(request.content_length)
    intake = Intake(context, filename)
    try:
        for piece in body_stream.checked_pieces():
            intake.take(piece)
            del piece
        return intake.finish()
    except (errors.UnsupportedFormat, errors.DamagedImage, errors.EmptyFile) as error:
        intake.abandon()
        raise body_advice.explain(error, intake.head) from error
    except BaseException:
        intake.abandon()
        raise


def _check_form_bytes(context: Context, max_files: int) -> None:
    """Raises ``TooLarge`` for an announced length that no form with so many images can have, before anything is read."""
    parts = max_files + FORM_PARTS_BEYOND_FILES
    most_bytes = max_files * context.limits.upload_bytes + SMALL_BODY_BYTES + parts * PART_HEAD_BYTES
    if (request.content_length or 0) > most_bytes:
        raise errors.TooLarge(limit_bytes=context.limits.upload_bytes)


def read_form(context: Context, chunks: Iterable[bytes], parameters: Mapping[str, str], max_files: int, *, passes_over: bool = False) -> Form:
    """``parameters`` are those of the form's ``Content-Type``. Raises as ``read``."""
    boundary = parameters.get("boundary", "").encode("latin-1", "replace")
    if not boundary:
        raise errors.BadRequest("no_boundary")
    if len(boundary) > BOUNDARY_BYTES:
        raise errors.BadRequest("multipart")
    decoder = FormDecoder(boundary, parameters.get("charset", ""), BUFFER_BYTES, max_parts=max_files + FORM_PARTS_BEYOND_FILES)
    reader = _Reader(context, decoder, max_files, passes_over=passes_over)
    try:
        for chunk in chunks:
            reader.feed(chunk)
            del chunk  # nobody holds it while the next is waited for
        reader.finish()
        return reader.form
    except (ValueError, RequestEntityTooLarge) as error:  # the latter: too many parts, or a part without an end in sight
        reader.abandon()
        raise errors.BadRequest("multipart", private=repr(error)) from error
    except BaseException:
        reader.abandon()
        raise


class _Reader:
    """Turns the events of werkzeug's decoder into images and fields of a ``Form``."""

    def __init__(self, context: Context, decoder: FormDecoder, max_files: int, *, passes_over: bool) -> None:
        self.form = Form()
        self._passes_over = passes_over
        self._is_passing_over = False
        self._passed_bytes = 0
        self._context, self._max_files = context, max_files
        self._decoder = decoder
        self._cut_delimiter = b"--" + decoder.boundary + b"-"
        self._held_back = b""
        self._intake: Intake | None = None
        self._image_fields: set[str] = set()
        self._name = ""
        self._value = bytearray()
        self._field_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Raises ``ValueError`` for a malformed form, and what ``Intake.feed`` raises."""
        data, self._held_back = self._held_back + chunk, b""
        if self._ends_in_cut_delimiter(data):
            data, self._held_back = data[:-1], data[-1:]
        self._decoder.receive_data(data)
        self._handle_events()

    def finish(self) -> None:
        """The body has ended. Raises as ``feed``. FilePond sends what it knows of a file as text, in a part called like the file's."""
        self._decoder.receive_data(self._held_back)
        self._decoder.receive_data(None)
        self._handle_events()
        self.form.fields = [each for each in self.form.fields if each[0] not in self._image_fields]

    def _ends_in_cut_delimiter(self, data: bytes) -> bool:
        """Whether the network cut the form between the two dashes that end it. Werkzeug 3.1.9 would then take the line break before the delimiter
        for a part of the image (https://github.com/pallets/werkzeug/issues/3285)."""
        most = len(self._cut_delimiter)
        return bytes(self._decoder.buffer[-most:] + data[-most:]).endswith(self._cut_delimiter)

    def _handle_events(self) -> None:
        while not isinstance(event := self._decoder.next_event(), (NeedData, Epilogue)):
            if isinstance(event, File) or (isinstance(event, Field) and _is_image(event)):
                self._open()
            elif isinstance(event, Field):
                self._name = self._decoder.part.name
            elif isinstance(event, Data):
                self._take(event)

    def abandon(self) -> None:
        if self._intake is not None:
            self._intake.abandon()
        self.form.abandon()

    def _open(self) -> None:
        if not self._max_files:
            raise errors.BadRequest("file_not_taken")
        if len(self.form.images) + len(self.form.refused) >= self._max_files:
            raise errors.BadRequest("too_many_files", limit=self._max_files)
        part = self._decoder.part
        self._image_fields.add(part.name)
        self._intake = Intake(self._context, display_name(part.filename or ""))

    def _take(self, event: Data) -> None:
        if self._is_passing_over:
            self._pass_over(event)
        elif self._intake is not None:
            self._take_or_pass_over(self._intake, event)
        else:
            self._take_field(event)

    def _pass_over(self, event: Data) -> None:
        """Raises ``TooLarge`` after as many bytes as an image may have: no more is read for nothing."""
        self._passed_bytes += len(event.data)
        if self._passed_bytes > self._context.limits.upload_bytes:
            raise errors.TooLarge(limit_bytes=self._context.limits.upload_bytes)
        self._is_passing_over = event.more_data

    def _take_or_pass_over(self, intake: Intake, event: Data) -> None:
        try:
            self._take_image(intake, event)
        except OF_ONE_IMAGE as error:
            if not self._passes_over:
                raise
            intake.abandon()
            self._intake, self._is_passing_over = None, event.more_data
            self.form.refused.append((intake.filename, error))

    def _take_image(self, intake: Intake, event: Data) -> None:
        if event.data:
            intake.feed(bytes(event.data))
        if not event.more_data:
            self.form.images.append(intake.finish())
            self._intake = None

    def _take_field(self, event: Data) -> None:
        self._field_bytes += len(event.data)
        if self._field_bytes > SMALL_BODY_BYTES:
            raise errors.TooLarge("fields", limit_bytes=SMALL_BODY_BYTES)
        self._value += event.data
        if not event.more_data:
            is_first = all(name != self._name for name, _ in self.form.fields)
            self._end_field(self._name, query.field_text(self._name, bytes(self._value), is_first=is_first))
            self._value.clear()

    def _end_field(self, name: str, value: str) -> None:
        if name == CHARSET_FIELD:
            self._decoder.charset = value
        if form_fields.is_piece(name, value):
            raise errors.BadRequest("piece", field=f"{name}: {value[:20]}")
        if form_fields.is_option(name):
            self.form.fields.append((name, value))


def _is_image(event: Field) -> bool:
    return event.headers.get("Content-Type", "").lower().startswith(IMAGE_TYPES)
