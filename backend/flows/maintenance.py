"""Maintenance: what must happen by itself, done by one gateway process at a time.

Rounds over jobs: give those of lost encoders to others, replace tickets that were lost, announce positions. Rounds over the store: rebuild an empty
Redis, find what it lost, erase what has expired. They run side by side, so that a slow store keeps no lost job waiting. Each task is idempotent,
so it does no harm if two processes do it for a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from backend import errors
from backend.core.scan import EMPTY, OUTAGE, ROUTINE, Scan
from backend.flows.context import Context
from backend.flows.expire import count_freed, expire_some
from backend.flows.fetch import Fetcher
from backend.flows.mend import SETTLE_S, Mender
from backend.flows.note_rounds import JOBS, STORE, noted
from backend.flows.queue_later import queue_remembered
from backend.flows.queue_stored import ABANDONED_S
from backend.flows.scan_store import Scanner
from backend.flows.sweep_uploads import count_unfinished, sweep
from backend.flows.take_back import take_back_expired

log = logging.getLogger(__name__)
DUTY = "caretaker"
"""The Janitor's name in Redis. It stays, so that processes of two versions share one duty."""
DUTY_S = 3.0
"""Another process takes over this long after the Janitor died."""
RENEW_S = 1.0
EXPIRE_EVERY_S = 10.0
TIDY_EVERY_S = 300.0
LEAST_RESCAN_S, MOST_RESCAN_S, RESCAN_EASE = 60.0, 300.0, 100
"""A store is scanned again after a hundred times what the scan before took, within these bounds: that is 1 % of a process, and little of a bill."""
UNREAD_RESCAN_S = 10.0
"""The same after a scan that could not read some jobs; it doubles as long as that goes on."""


class Superseded(Exception):
    """Another process has the duty now."""


@dataclass(slots=True)
class Janitor:
    """Call ``look_after_jobs`` and ``look_after_store`` about once a second, each from a thread of its own."""

    context: Context
    name: str
    fetcher: Fetcher | None = None
    _mender: Mender = field(init=False)
    _scanner: Scanner = field(init=False)
    _held_s: float = field(init=False, default=float("-inf"))
    _is_outage: bool = field(init=False, default=False)
    _expired_s: float = field(init=False, default=0.0)
    _tidied_s: float = field(init=False, default=0.0)
    _scanned_s: float = field(init=False, default=0.0)
    _rescan_s: float = field(init=False, default=LEAST_RESCAN_S)

    def __post_init__(self) -> None:
        self._mender = Mender(self.context)
        self._scanner = Scanner(self.context, self._go_on)

    def maintain(self) -> None:
        """Everything that is due, one after the other. Raises as ``look_after_jobs``."""
        self.look_after_jobs()
        while self.look_after_store():
            pass

    def look_after_jobs(self) -> None:
        """Do what needs Redis alone, if the duty is ours. Raises ``BackendUnavailable`` when Redis cannot be reached; call again then."""
        try:
            is_ours = self._acquire_duty()
            if self._is_outage:
                self.context.upkeep.want_scan(OUTAGE, SETTLE_S)
        except errors.BackendUnavailable:
            self._is_outage = True
            raise
        self._is_outage = False
        if is_ours:
            with noted(self.context, JOBS):
                self._do_round()

    def _do_round(self) -> None:
        context = self.context
        take_back_expired(context)
        if self.fetcher is not None:
            for job_id in context.fetch_leases.expired():
                self.fetcher.take_over(job_id)
        context.queue.publish_positions()
        _top_up_tickets(context)

    def look_after_store(self) -> bool:
        """Do what needs the store: for jobs of this process, and if the duty is ours for all. Whether there is more to do at once.

        Raises ``BackendUnavailable``, ``StorageFull`` after all was tried.
        """
        _queue_remembered_or_log(self.context)
        if not self._holds_duty():
            return False
        try:
            with noted(self.context, STORE):
                return self._do_store_round()
        except Superseded:
            log.info("another process does the maintenance now")
            return False

    def _do_store_round(self) -> bool:
        """One task that fails keeps no other: the retention makes the room that the others may need."""
        has_more, failures = False, []
        for task in (self._expire, self._mend, self._scan_part, self._tidy):
            try:
                has_more = task() or has_more
            except errors.GatewayError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return has_more

    def _expire(self) -> bool:
        now = self.context.clock()
        if now - self._expired_s < EXPIRE_EVERY_S:
            return False
        _, has_more = expire_some(self.context)
        if not has_more:
            self._expired_s = now
            _sweep_uploads(self.context)
        return has_more

    def _mend(self) -> bool:
        self._mender.mend_if_due(self._go_on)
        return False

    def _tidy(self) -> bool:
        now = self.context.clock()
        if now - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now
            count_freed(self.context, self.context.store.clean_up(ABANDONED_S), "debris")
        return False

    def _scan_part(self) -> bool:
        """Scan the next part of the store, of the scan under way or of one that is due; whether there are more."""
        scan = self._scan_under_way()
        if scan is None:
            return False
        after, is_complete = self._scanner.scan_part(scan)
        if is_complete:
            _complete(self._scanner, after)
        save = self.context.upkeep.end_scan if is_complete else self.context.upkeep.save_scan
        self._go_on()
        if not save(after, DUTY, self.name):  # The duty is another's, or the state was lost once more, and the duty with it.
            self._renew_duty()
            return True
        if is_complete:
            self._plan_rescan(after)
        return not is_complete

    def _scan_under_way(self) -> Scan | None:
        """An interrupted one goes on, whoever began it. One that the state was lost over begins again: then Redis knows of none."""
        context = self.context
        under_way = context.upkeep.scan()
        why = EMPTY if context.duties.epoch() is None else context.upkeep.wanted_scan()
        if under_way is not None and (not why or why == EMPTY):
            return under_way
        is_due = context.clock() - self._scanned_s >= self._rescan_s
        if not why and not is_due:
            return None
        scan = Scan(context.new_id(), why or ROUTINE, context.clock())
        return scan if context.upkeep.begin_scan(scan, DUTY, self.name) else None

    def _plan_rescan(self, scan: Scan) -> None:
        now = self.context.clock()
        took_s, self._scanned_s = now - scan.began_at, now
        usual_s = min(MOST_RESCAN_S, max(LEAST_RESCAN_S, RESCAN_EASE * took_s))
        is_repeated = self._rescan_s < LEAST_RESCAN_S
        self._rescan_s = min(usual_s, 2 * self._rescan_s if is_repeated else UNREAD_RESCAN_S) if scan.unread else usual_s

    def _acquire_duty(self) -> bool:
        is_ours = self.context.duties.acquire(DUTY, self.name, DUTY_S)
        self._held_s = self.context.clock() if is_ours else float("-inf")
        return is_ours

    def _holds_duty(self) -> bool:
        return 0 <= self.context.clock() - self._held_s < DUTY_S

    def _go_on(self) -> None:
        """Renew the duty where the other rounds have not. Raises ``Superseded`` when it is another's, ``BackendUnavailable``."""
        if not 0 <= self.context.clock() - self._held_s < RENEW_S:
            self._renew_duty()

    def _renew_duty(self) -> None:
        if not self._acquire_duty():
            raise Superseded()


def _queue_remembered_or_log(context: Context) -> None:
    try:
        queue_remembered(context)
    except errors.GatewayError as error:
        log.debug("%s jobs that this process accepted cannot be queued yet: %s", len(context.unqueued.ids), error)


def recover(context: Context, go_on: Callable[[], object] = lambda: None) -> int:
    """Scan the store at once, and thoroughly; how many jobs were queued. ``go_on`` is called every now and then."""
    scanner, scan, is_complete = Scanner(context, go_on), Scan(context.new_id(), EMPTY, context.clock()), False
    while not is_complete:
        scan, is_complete = scanner.scan_part(scan)
    _complete(scanner, scan)
    return scan.queued


def _complete(scanner: Scanner, scan: Scan) -> None:
    if scan.is_thorough and scanner.context.uploads is not None:
        count_unfinished(scanner.context)
    scanner.complete(scan)


def expire(context: Context) -> int:
    """Erase what has outlived its retention; the bytes freed. What cannot be erased now stays for the next time, and keeps nothing else."""
    freed, has_more = expire_some(context)
    while has_more:
        more, has_more = expire_some(context)
        freed += more
    return freed + _sweep_uploads(context)


def _sweep_uploads(context: Context) -> int:
    freed = sweep(context) if context.uploads is not None else 0
    count_freed(context, freed, "retention")
    return freed


def _top_up_tickets(context: Context) -> None:
    """Tickets may be lost with the encoder that had them; jobs that wait while encoders idle are the sign."""
    if context.queue.depth() and len(context.presence.encoders()) > context.leases.count():
        context.queue.top_up_tickets()
