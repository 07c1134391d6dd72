"""Stored bytes as an answer: ranges, conditions, and a name that every client can use."""

from __future__ import annotations

import io
import re
from typing import IO, cast
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

from backend.core.job import Job
from backend.ports import Blob
from backend.web.headers import USER_CONTENT_POLICY

BLOCK_BYTES = 1 << 18


class BlobFile(io.RawIOBase):
    """A blob as a seekable file, which is what werkzeug's ranges and the server's sendfile want."""

    def __init__(self, blob: Blob) -> None:
        self._blob, self._offset = blob, 0

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


def send(blob: Blob, *, media_type: str, etag: str, name: str, is_attachment: bool) -> Response:
    """``200``, ``206``, ``304`` or ``416``; ``etag`` names the bytes and never changes for them."""
    body = wrap_file(request.environ, cast(IO[bytes], BlobFile(blob)), BLOCK_BYTES)
    response = Response(body, content_type=media_type, direct_passthrough=True)
    response.set_etag(etag)
    response.cache_control.private = True
    response.cache_control.max_age = 3600
    response.cache_control.immutable = True
    response.headers["Content-Disposition"] = disposition(name, is_attachment=is_attachment)
    response.headers["Content-Security-Policy"] = USER_CONTENT_POLICY
    response.content_length = blob.size_bytes
    response.make_conditional(request, accept_ranges=True, complete_length=blob.size_bytes)
    if response.status_code in (304, 416):
        response.call_on_close(blob.close)
    return response


def result_name(job: Job) -> str:
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", job.manifest.source.filename)
    return f"{stem or 'image'}.webp"


def disposition(name: str, *, is_attachment: bool) -> str:
    """RFC 6266, for clients that read only ``filename`` too: its ASCII form is never empty and never a hidden file."""
    kind = "attachment" if is_attachment else "inline"
    stem, dot, extension = name.rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9 _.()-]", "", stem if dot else name).strip(" .") or "image"
    plain += f".{extension}" if dot and re.fullmatch(r"[A-Za-z0-9]{1,8}", extension) else ""
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
