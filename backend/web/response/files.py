"""Stored bytes as an answer: ranges, conditions, and a name that every client can use."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import IO, cast
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import wrap_file

from backend import errors
from backend.core.job import Job
from backend.ports.blob import Blob
from backend.web.response.headers import USER_CONTENT_POLICY

BLOCK_BYTES = 1 << 18


class BlobFile(io.RawIOBase):
    """A blob as a seekable file, which is what werkzeug's ranges and the server's sendfile want."""

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


def send(blob: Blob, *, media_type: str, etag: str, name: str, is_attachment: bool, on_close: Callable[[], None] | None = None) -> Response:
    """``200``, ``206``, ``304`` or ``416``; ``etag`` names the bytes and never changes for them. ``on_close`` is called when all is sent or
    nobody reads on (werkzeug's own ``call_on_close`` is not, for a body that is passed through)."""
    body = wrap_file(request.environ, cast(IO[bytes], BlobFile(blob, on_close)), BLOCK_BYTES)
    response = Response(body, content_type=media_type, direct_passthrough=True)
    response.set_etag(etag)
    response.cache_control.private = True
    response.cache_control.max_age = 3600
    response.cache_control.immutable = True
    response.headers["Content-Disposition"] = disposition(name, is_attachment=is_attachment)
    response.headers["Content-Security-Policy"] = USER_CONTENT_POLICY
    response.content_length = blob.size_bytes
    response.headers["Accept-Ranges"] = "bytes"
    try:
        response.make_conditional(request, accept_ranges=_is_one_range(), complete_length=blob.size_bytes)
    except RequestedRangeNotSatisfiable:
        response.close()
        raise
    if response.status_code == 412:
        response.close()
        raise errors.PreconditionFailed("precondition", etag=f'"{etag}"')
    return response


def _is_one_range() -> bool:
    """RFC 9110 §14.2: a range that is malformed, in another unit or of several parts may be ignored, and the whole is sent."""
    asked = request.range
    return asked is not None and asked.units == "bytes" and len(asked.ranges) == 1


def result_name(job: Job) -> str:
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", job.manifest.source.filename)
    return f"{stem or 'image'}.webp"


def unique_name(name: str, taken: set[str]) -> str:
    """``name``, or ``name (2)`` … where it is taken; noted in ``taken``. File systems that ignore case must not lose one either."""
    stem, dot, extension = name.rpartition(".")
    number, unique = 1, name
    while unique.lower() in taken:
        number += 1
        unique = f"{stem or extension} ({number}){dot}{extension if dot else ''}"
    taken.add(unique.lower())
    return unique


def disposition(name: str, *, is_attachment: bool) -> str:
    """RFC 6266, for clients that read only ``filename`` too: its ASCII form is never empty and never a hidden file."""
    kind = "attachment" if is_attachment else "inline"
    stem, dot, extension = name.rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9 _.()-]", "", stem if dot else name).strip(" .") or "image"
    plain += f".{extension}" if dot and re.fullmatch(r"[A-Za-z0-9]{1,8}", extension) else ""
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
