"""Many records of a store, read one after the other. One that cannot be read keeps no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from backend import errors
from backend.core.job import Manifest, Status
from backend.ports.job_records import ManyRead

log = logging.getLogger(__name__)
DAMAGED = (ValueError, TypeError, KeyError, AttributeError)
"""What parsing raises of a record that a power cut tore (an ephemeral job's is not synced), or that is none."""


class Records(Protocol):
    def manifest(self, job_id: str) -> Manifest:
        """Raises ``NotFound``."""

    def outcome(self, job_id: str) -> Status | None: ...

    def reach(self) -> None:
        """Raises ``BackendUnavailable`` when the whole store is out of reach, and not one record of it."""


def manifests(records: Records, ids: Sequence[str]) -> ManyRead:
    return _read(records, ids, lambda job_id: True)


def unfinished(records: Records, ids: Sequence[str]) -> ManyRead:
    """The manifest is read last: a job that is erased meanwhile must not look like one that has not ended."""
    return _read(records, ids, lambda job_id: records.outcome(job_id) is None)


def _read(records: Records, ids: Sequence[str], is_wanted: Callable[[str], bool]) -> ManyRead:
    found: list[Manifest] = []
    unread: list[str] = []
    for job_id in ids:
        try:
            if is_wanted(job_id):
                found.append(records.manifest(job_id))
        except errors.NotFound:
            continue
        except DAMAGED as error:
            log.warning("the record of job %s cannot be read: %r", job_id, error)
        except errors.BackendUnavailable as error:
            records.reach()
            log.warning("job %s cannot be read now: %s", job_id, error)
            unread.append(job_id)
    return ManyRead(tuple(found), tuple(unread))
