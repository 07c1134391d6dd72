"""Scan the store, part by part, and make known to Redis what it does not know.

A part is a few pages of the store's listing. Its place is kept in Redis afterwards, so that any process can go on there. Nothing of an ended job
is read where the listing shows its line of the index. Of the others, the jobs of a part are queued by age. So a store that is scanned in one part is
served in the order of age, and a larger one part by part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from backend.core.index_line import IndexLine, index_line
from backend.core.scan import Scan
from backend.flows import webhooks
from backend.flows.context import Context
from backend.flows.queue_stored import READ_AT_ONCE, queue_stored
from backend.ports.job_records import ListedJob

log = logging.getLogger(__name__)
PART_S = 2.0
"""A part ends after so many seconds, and what it found is queued. So long at most do encoders idle beside jobs that were found already."""
PART_JOBS = 2000
"""It also ends with so many jobs that have not ended: their manifests are in memory at once, some 2 kB each."""
PAGE = 500


@dataclass(slots=True)
class Scanner:
    """``go_on`` is called often, and may raise to stop the scan. What it remembers only saves work: a scan may be continued by another."""

    context: Context
    go_on: Callable[[], object] = lambda: None
    _recorded: set[str] | None = field(init=False, default=None)
    """Ids of the webhooks' deliveries, once a job with a webhook was met."""

    def scan_part(self, scan: Scan) -> tuple[Scan, bool]:
        """The scan after the next part, and whether it is complete. Raises ``BackendUnavailable``; the same part can be scanned again then."""
        context, begun = self.context, self.context.clock()
        place: str | None = scan.place
        unfinished: list[str] = []
        jobs = unread = 0
        while place is not None and len(unfinished) < PART_JOBS and (place == scan.place or context.clock() - begun < PART_S):
            self.go_on()
            page = context.store.job_page(place, PAGE)
            unfinished += [each.id for each in page.jobs if not each.has_ended]
            unread += self._index([each for each in page.jobs if each.has_ended], scan.is_thorough)
            jobs, place = jobs + len(page.jobs), page.next_place
        done = queue_stored(context, unfinished, self.go_on)
        self._index_known(unfinished)
        after = replace(
            scan,
            place=place or "",
            jobs=scan.jobs + jobs,
            queued=scan.queued + done.queued,
            unread=scan.unread + unread + done.unread,
        )
        return after, place is None

    def _index(self, ended: Sequence[ListedJob], is_thorough: bool) -> int:
        """Index ended jobs, and see to their webhooks; how many could not be read."""
        ids = [each.id for each in ended]
        missing = set(ids) if is_thorough else self.context.index.missing(ids)
        lines = [each.line for each in ended if each.id in missing and each.line is not None]
        read, unread = self._read([each.id for each in ended if each.id in missing and each.line is None])
        self.context.index.add([*lines, *read])
        self._record_ends([*lines, *read])
        return unread

    def _index_known(self, ids: Sequence[str]) -> None:
        """Jobs that have not ended are indexed where they are queued. What expired before that is not queued, and is to be erased."""
        read, _ = self._read(sorted(self.context.index.missing(ids)))
        self.context.index.add(read)

    def _read(self, ids: Sequence[str]) -> tuple[list[IndexLine], int]:
        lines: list[IndexLine] = []
        unread = 0
        for first in range(0, len(ids), READ_AT_ONCE * 4):
            self.go_on()
            read = self.context.store.manifests(ids[first : first + READ_AT_ONCE * 4])
            lines += map(index_line, read.found)
            unread += len(read.unread)
        return lines, unread

    def _record_ends(self, lines: Sequence[IndexLine]) -> None:
        """Record what is to be sent of jobs that ended and have no record of that: the process died in between."""
        context, now = self.context, self.context.clock()
        told = [each for each in lines if each.webhook_subject and each.expires_at > now]
        if not told:
            return
        if self._recorded is None:
            self._recorded = context.store.delivery_ids()
        webhooks.record_missing(context.store, context.deliveries, context.receiver, told, self._recorded, self.go_on)

    def complete(self, scan: Scan) -> None:
        """After the last part: make the deliveries known that wait, which need no place."""
        self._recorded = None
        if scan.is_thorough or self.context.sends_webhooks:
            webhooks.await_pending(self.context.store, self.context.deliveries, self.go_on)
        if scan.queued:
            log.info("%s unfinished jobs found in the store", scan.queued)
