"""Several results as one ZIP, streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Response
from werkzeug.wsgi import ClosingIterator
from zipstream import ZIP_STORED, ZipStream

from backend.core import filenames
from backend.core.job import Job, Result
from backend.flows import deliver
from backend.flows.context import Context
from backend.ports.blob import Blob
from backend.web.response import files


def send_archive(context: Context, jobs: Iterable[Job], name: str) -> Response:
    """All results that the jobs have. Not compressed, since they do not shrink any more; so the length is known before the first byte.

    Raises ``Gone`` where one was erased.
    """
    zipped = ZipStream(compress_type=ZIP_STORED, sized=True)
    taken: set[str] = set()
    blobs: list[Blob] = []
    try:
        for job, result in _results(jobs):
            blob = context.store.open_result(job.id, result.file)
            blobs.append(blob)
            zipped.add(_blocks(blob), filenames.archive_name(files.result_name(job, result), taken), size=result.bytes)
    except BaseException:
        _close(blobs)
        raise
    response = Response(ClosingIterator(zipped, lambda: _close(blobs)), content_type="application/zip", direct_passthrough=True)
    response.content_length = len(zipped)
    response.headers["Content-Disposition"] = files.disposition(name, is_attachment=True)
    response.headers["Cache-Control"] = "no-store"
    return response


def _results(jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
    """Two widths that became the same are one picture."""
    for job in jobs:
        shown: set[tuple[str, int]] = set()
        for each in deliver.results(job):
            if (each.format, each.width) not in shown:
                shown.add((each.format, each.width))
                yield job, each


def _blocks(blob: Blob) -> Iterator[bytes]:
    offset = 0
    while block := blob.read_at(offset, files.BLOCK_BYTES):
        offset += len(block)
        yield block


def _close(blobs: list[Blob]) -> None:
    """All that were opened, also those that a client who left has not come to."""
    while blobs:
        blobs.pop().close()
