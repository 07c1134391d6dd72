"""The last step of a resumable upload: a complete one becomes a job.

It is tried by each request that meets the complete upload, and by the janitor, until it has happened. It happens once: the job's id was chosen when
the upload was created.
"""

from __future__ import annotations

from backend import errors
from backend.core import formats
from backend.core.client_limits import ADMITTED, ClientLimits
from backend.core.job import Job, Status
from backend.core.resumable import UploadInfo
from backend.core.turns import client_of, line_of
from backend.flows import conclude, ingest, shares
from backend.flows.context import Context
from backend.flows.find_upload import erase
from backend.flows.ingest import Sender
from backend.ports.resumable import UploadWriter

UNRECOVERABLE = (errors.EmptyFile, errors.UnsupportedFormat, errors.DamagedImage, errors.TooManyPixels, errors.TooManyFrames, errors.InvalidOption)
"""The upload is erased with such an error, since trying again cannot help."""


def finish(context: Context, writer: UploadWriter) -> None:
    """Make the job of a complete upload, unless it is made. Raises what ``ingest.accept`` raises.

    Raises ``NotFound`` when the upload was erased meanwhile; then there is no job either.
    """
    info, state = writer.info, writer.state
    if not state.is_complete or state.has_job or info.is_partial:
        return
    try:
        if not _is_made(context, info.job_id):
            _make_job(context, writer)
    except UNRECOVERABLE:
        writer.discard_unsaved()
        erase(context, info)
        raise
    try:
        writer.mark_as_job(context.clock())
    except errors.NotFound:
        conclude.erase(context, Job(context.store.manifest(info.job_id), Status()))
        raise
    shares.release_upload(context, info)


def _is_made(context: Context, job_id: str) -> bool:
    """Whether a process made the job and died before it could note that. The job may not be queued yet."""
    try:
        manifest = context.store.manifest(job_id)
    except errors.NotFound:
        return False
    if context.store.outcome(job_id) is None:
        ingest.queue(context, Job(manifest, Status()), ADMITTED)
    return True


def _make_job(context: Context, writer: UploadWriter) -> None:
    ingest.check_understood(writer.info.needs)
    info, upload = writer.info, writer.create_upload()
    try:
        known = ingest.sniff_format(writer.read_head(formats.SNIFF_BYTES))
        received = ingest.judge(context, upload, known, info.filename)
        ingest.accept(context, received, info.options, sender(info, ADMITTED), job_id=info.job_id)
    except BaseException:
        upload.discard()
        raise


def sender(info: UploadInfo, limits: ClientLimits) -> Sender:
    """Who announced the upload, as the sender of its job."""
    return Sender(info.owner, client_of(info.client), info.request_id, info.maker, limits, line_of(info.client), webhook_url=info.webhook_url)
