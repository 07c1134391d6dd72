"""Werkzeug's decoder for multipart forms, but for the headers of parts: their bytes may be in any charset."""

from __future__ import annotations

from werkzeug.datastructures import Headers
from werkzeug.sansio.multipart import Event, MultipartDecoder, NeedData, State

from backend.core.content_disposition import FormPart, form_part

DISPOSITION = "Content-Disposition"
PART_HEAD_BYTES = 16 << 10
"""The headers of one part, and what stands before the first. The longest file name has 10 kB; to read 1 MB of headers takes tenths of a second."""


FORM_HEAD_BYTES = 512 << 10
"""The headers of all parts together: a hundred images with names of 255 characters, each of nine bytes, and their other headers."""


class FormDecoder(MultipartDecoder):
    """``part`` is what the last headers said; names in werkzeug's events are to be ignored. ``charset`` is the one that the form states, if any."""

    def __init__(self, boundary: bytes, charset: str, buffer_bytes: int, *, max_parts: int) -> None:
        super().__init__(boundary, buffer_bytes, max_parts=max_parts)
        self.charset = charset
        self.part = FormPart("", None)
        self._head_bytes = 0

    def next_event(self) -> Event:
        """Raises ``ValueError`` for a malformed form, and for headers or a preamble of more than ``PART_HEAD_BYTES``."""
        event = super().next_event()
        if isinstance(event, NeedData) and self.state in (State.PREAMBLE, State.PART) and len(self.buffer) > PART_HEAD_BYTES:
            raise ValueError("headers without an end")
        return event

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        """Werkzeug 3.1.9 reads headers as UTF-8, and refuses the form where they are not. Here each byte is one character until its name is read.

        Only whether there is a ``filename`` is left for werkzeug, which tells files from fields by it.
        """
        self._head_bytes += len(data)
        if len(data) > PART_HEAD_BYTES or self._head_bytes > FORM_HEAD_BYTES:
            raise ValueError("headers are too long")
        headers = super()._parse_headers(data.decode("latin-1").encode())
        disposition = headers.get(DISPOSITION)
        if disposition is not None:
            self.part = form_part(disposition.encode("latin-1"), self.charset)
            headers.set(DISPOSITION, "form-data" if self.part.filename is None else "form-data; filename=file")
        return headers
