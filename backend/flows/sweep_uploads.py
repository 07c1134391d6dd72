"""The janitor's part in resumable uploads: it erases those that have expired, finishes those that a killed process left complete, and tells Redis
of all that are unfinished.

Each call of ``sweep`` looks at one page of the listing and goes on from there the next time, so a hundred thousand uploads cost no more at once than
a few do. What it has read it does not read again until it has changed or something is due.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from backend import errors
from backend.core import tus
from backend.core.resumable import UploadInfo, UploadState
from backend.core.turns import client_of
from backend.flows.context import Context, SeenUpload
from backend.flows.find_upload import erase, expires_at, find, uploads_of
from backend.flows.finish_upload import finish
from backend.ports.resumable import Listed

log = logging.getLogger(__name__)
PAGE = 500
MAX_SEEN = 100_000
"""What the janitor remembers, at some 300 bytes each. Uploads beyond are read in each round."""
USED_S = 3600
"""Parts are erased so many seconds after a final upload that was made of them has become a job."""
FINISH_AFTER_S = 10.0
"""A complete upload is left so long to the request that brought its last byte: where nothing is locked, two would do the same work."""


def sweep(context: Context) -> int:
    """Do what is due for one page of uploads; the bytes freed."""
    progress = context.upload_sweep
    page = uploads_of(context).page(progress.after, PAGE)
    freed = sum(_sweep_one(context, each) for each in page)
    progress.after = page[-1].id if len(page) == PAGE else ""
    if not progress.after:
        progress.seen, progress.seen_this_round = progress.seen_this_round, {}
    return freed


def _sweep_one(context: Context, listed: Listed) -> int:
    progress = context.upload_sweep
    known = _known(context, listed)
    if known is not None and context.clock() < known.due_at:
        progress.seen_this_round[listed.id] = known
        return 0
    try:
        info, state = uploads_of(context).find(listed.id)
    except errors.NotFound:
        return 0
    except (errors.GatewayError, ValueError, TypeError, KeyError) as error:
        log.warning("the upload %s cannot be read: %r", listed.id, error)
        return 0
    freed = _do_due(context, info, state)
    _remember(context, listed, info, state)
    return freed


def _do_due(context: Context, info: UploadInfo, state: UploadState) -> int:
    now = context.clock()
    if expires_at(context, state) <= now:
        return erase(context, info)
    if _awaits_finish(info, state) and state.touched_at + FINISH_AFTER_S <= now:
        _finish_unlocked(context, info.id)
    elif state.has_job and info.is_final and state.touched_at + USED_S <= now:
        return _erase_parts(context, info)
    return 0


def _awaits_finish(info: UploadInfo, state: UploadState) -> bool:
    return state.is_complete and not state.has_job and not info.is_partial


def _known(context: Context, listed: Listed) -> SeenUpload | None:
    """What is known of an upload that has not changed since."""
    progress = context.upload_sweep
    known = progress.seen_this_round.get(listed.id) or progress.seen.get(listed.id)
    return known if known is not None and known.version == listed.version else None


def _remember(context: Context, listed: Listed, info: UploadInfo, state: UploadState) -> SeenUpload:
    now, expiry = context.clock(), expires_at(context, state)
    due_at = expiry
    if _awaits_finish(info, state):
        due_at = now
    elif state.has_job and info.is_final and state.touched_at + USED_S > now:
        due_at = state.touched_at + USED_S
    seen = SeenUpload(listed.version, due_at, expiry, "" if state.has_job else client_of(info.client), state.has_job)
    if len(context.upload_sweep.seen_this_round) < MAX_SEEN:
        context.upload_sweep.seen_this_round[listed.id] = seen
    return seen


def _erase_parts(context: Context, info: UploadInfo) -> int:
    """Erase what a final upload was put together of: it is a job now, and its client had time to ask once more."""
    freed = 0
    for part in tus.concat(info.concat or "")[1]:
        try:
            freed += erase(context, find(context, part, info.owner)[0])
        except errors.NotFound:
            continue
    return freed


def _finish_unlocked(context: Context, upload_id: str) -> None:
    """A locked upload is left to the request that has it."""
    try:
        writer = uploads_of(context).open(upload_id)
        if writer is None:
            return
        try:
            finish(context, writer)
        finally:
            writer.close()
    except errors.GatewayError as error:
        log.info("the complete upload %s did not become a job: %s", upload_id, error)


def count_unfinished(context: Context) -> None:
    """Tell Redis of all unfinished uploads, page by page and client by client: it may have begun empty."""
    after = ""
    while page := uploads_of(context).page(after, PAGE):
        after = page[-1].id
        unfinished: dict[str, list[tuple[str, float]]] = {}
        for upload_id, seen in _look(context, page):
            if not seen.has_job:
                unfinished.setdefault(seen.client, []).append((upload_id, seen.expires_at))
        for client, found in unfinished.items():
            context.client_uses.add_uploads(client, found)


def _look(context: Context, page: list[Listed]) -> Iterator[tuple[str, SeenUpload]]:
    for listed in page:
        try:
            yield listed.id, _known(context, listed) or _remember(context, listed, *uploads_of(context).find(listed.id))
        except errors.NotFound:
            continue
        except (errors.GatewayError, ValueError, TypeError, KeyError) as error:
            log.warning("the upload %s cannot be read: %r", listed.id, error)
