"""Stored bytes as an answer, with ranges, conditions, and a file name that every client can use."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, cast
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import is_resource_modified
from werkzeug.wsgi import wrap_file

from backend import errors
from backend.core import filenames, formats, security_headers
from backend.core.job import Job, Result
from backend.ports.blob import Blob
from backend.web.response import result_header

BLOCK_BYTES = 1 << 18


class BlobFile(io.RawIOBase):
    """A blob as a seekable file: werkzeug's ranges and the server's ``sendfile`` need one."""

    def __init__(self, blob: Blob, on_close: Callable[[], None] | None = None) -> None:
        self._blob, self._offset, self._on_close = blob, 0, on_close

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._blob.fileno()

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._blob.size_bytes}[whence]
        self._offset = base + offset
        return self._offset

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._blob.size_bytes - self._offset)
        data = self._blob.read_at(self._offset, left if size is None or size < 0 else min(size, left))
        self._offset += len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            self._blob.close()
            super().close()
            if self._on_close is not None:
                self._on_close()


def send_result(job: Job, result: Result, blob: Blob, *, is_attachment: bool, name: str = "", on_close: Callable[[], None] | None = None) -> Response:
    """As ``send``. ``name`` goes before the name of the source."""
    media_type = formats.BY_NAME[result.format].media_type
    shown_name = result_name(job, result, name)
    response = send(blob, media_type=media_type, etag=result.sha256, name=shown_name, is_attachment=is_attachment, on_close=on_close)
    response.headers[result_header.NAME] = result_header.result_header(job, result)
    return response


def send(blob: Blob, *, media_type: str, etag: str, name: str, is_attachment: bool, on_close: Callable[[], None] | None = None) -> Response:
    """``200``, ``206`` or ``304``. Raises ``PreconditionFailed``, and werkzeug's error for a range that cannot be satisfied.

    ``etag`` is a digest of the bytes. ``on_close`` is called when all is sent or the client has left; werkzeug's ``call_on_close`` would not be,
    since the body is passed through to the server.
    """
    body = wrap_file(request.environ, cast(IO[bytes], BlobFile(blob, on_close)), BLOCK_BYTES)
    response = Response(body, content_type=media_type, direct_passthrough=True)
    response.set_etag(etag)
    response.cache_control.private = True
    response.cache_control.max_age = 3600
    response.cache_control.immutable = True
    response.headers["Content-Disposition"] = disposition(name, is_attachment=is_attachment)
    response.headers["Content-Security-Policy"] = security_headers.USER_CONTENT_POLICY
    response.content_length = blob.size_bytes
    response.headers["Accept-Ranges"] = "bytes"
    try:
        is_asked = is_resource_modified(request.environ, etag=response.headers["ETag"])  # conditions go before the range (RFC 9110 §13.2.2)
        response.make_conditional(request, accept_ranges=is_asked and _is_one_range(), complete_length=blob.size_bytes)
    except RequestedRangeNotSatisfiable:
        response.close()
        raise
    if response.status_code == 412:
        response.close()
        raise errors.PreconditionFailed("precondition", etag=f'"{etag}"')
    return response


def _is_one_range() -> bool:
    """Any other ``Range`` is ignored and the whole file is sent: one that is malformed, in another unit, or of several parts (RFC 9110 §14.2)."""
    asked = request.range
    return asked is not None and asked.units == "bytes" and len(asked.ranges) == 1


def result_name(job: Job, result: Result, wanted: str = "") -> str:
    """``cat.webp``; where widths were asked for, ``cat-640w.webp``. A name that is ``wanted`` is taken as it is."""
    given = filenames.display_name(wanted)
    name = given or job.manifest.source.filename
    width = result.width if job.manifest.options.widths and not given else None
    return name_of_result(name, result.format, is_original="original" in result.facts, width=width)


def name_of_result(source_name: str, format_name: str, *, is_original: bool, width: int | None = None) -> str:
    """An original keeps its own name where that has one of its format's extensions."""
    extensions = formats.BY_NAME[format_name].extensions
    name = filenames.source_name(source_name, extensions) if is_original else filenames.result_name(source_name, extensions[0])
    stem, dot, extension = name.rpartition(".")
    return name if width is None else f"{stem}-{width}w{dot}{extension}"


def disposition(name: str, *, is_attachment: bool) -> str:
    """``Content-Disposition`` (RFC 6266): ``filename*`` in UTF-8, and ``filename`` for clients that read ASCII alone."""
    kind = "attachment" if is_attachment else "inline"
    return f"{kind}; filename=\"{filenames.ascii_name(name)}\"; filename*=UTF-8''{quote(name, safe='')}"
