"""Resumable uploads by their id: who may see one, how long it is kept, and its end."""

from __future__ import annotations

from backend import errors
from backend.core.resumable import UploadInfo, UploadState
from backend.flows import shares
from backend.flows.context import Context
from backend.flows.find_job import check_id
from backend.ports.resumable import Uploads

EMPTY_S = 3600
"""An upload of which no byte has come expires after so many seconds: clients send the first ones at once, and nothing is lost."""


def uploads_of(context: Context) -> Uploads:
    assert context.uploads is not None, "this process takes no uploads"
    return context.uploads


def find(context: Context, upload_id: str, owner: str) -> tuple[UploadInfo, UploadState]:
    """Raises ``NotFound`` for an upload that is unknown, expired, erased, or of another owner: they all look the same."""
    check_id(upload_id)
    info, state = uploads_of(context).find(upload_id)
    check_visible(context, info, state, owner)
    return info, state


def check_visible(context: Context, info: UploadInfo, state: UploadState, owner: str) -> None:
    """Raises ``NotFound``."""
    if info.owner != owner or expires_at(context, state) <= context.clock():
        raise errors.NotFound()


def expires_at(context: Context, state: UploadState) -> float:
    """Counted from the last progress. The record of a finished upload lives as long as its job. One without a byte does not live for long."""
    is_empty = state.offset_bytes == 0 and not state.is_complete
    return state.touched_at + (min(EMPTY_S, context.retention_s) if is_empty else context.retention_s)


def erase(context: Context, info: UploadInfo) -> int:
    """The bytes freed; 0 when it is gone already."""
    freed = uploads_of(context).erase(info.id)
    shares.release_upload(context, info)
    return freed
