"""Report: what an encoder tells of a running job, and what it learns by that: whether the job is still its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from backend import errors
from backend.core.conversion import Progress, Stopped
from backend.core.job import Result
from backend.core.records import as_dict
from backend.flows.context import Context
from backend.ports.queue import Claim

log = logging.getLogger(__name__)
LEASE_S = 4.0
HEARTBEAT_S = 1.0
"""How often the lease is renewed."""
DEAF_HEARTBEAT_S = 0.1
"""The same where cancellations cannot be heard of, so that one is noticed all the same."""
REPORT_INTERVAL_S = 0.105
"""At most ten changes a second for one job (the contract), with a little room for jitter."""
UNHEARD_INTERVAL_S = HEARTBEAT_S
"""The same while nobody is subscribed, and of an ephemeral job, whose progress only its followers show: the lease is renewed that often anyway."""
STORE_PERCENT = 99
CODEC_SHARE = 0.98
"""The codec's 100 % is this share of the job; the rest is making the result durable."""
ETA_FROM_PERCENT = 3
"""Before that, an estimate would be a guess."""


def has_passed(seconds: float, since: float, now: float) -> bool:
    """Also where the clock was set back: what is due may not wait until it has caught up."""
    return not 0 <= now - since < seconds


class LeaseKeeper:
    """Renews leases while their encoder waits for the store. Call ``renew_due`` once a second, in a thread of its own."""

    def __init__(self) -> None:
        self._held: set[Reporter] = set()

    @contextmanager
    def hold(self, reporter: Reporter) -> Iterator[None]:
        self._held.add(reporter)
        try:
            yield
        finally:
            self._held.discard(reporter)

    def held_count(self) -> int:
        """How many jobs the encoder has now."""
        return len(self._held)

    def renew_due(self) -> None:
        for reporter in list(self._held):
            reporter.renew_if_due()


class Reporter:
    """Reports the codec's progress, no more often than the contract allows."""

    def __init__(self, context: Context, claim: Claim) -> None:
        self.status = claim.job.status
        self._fetched_percent = claim.job.status.progress
        self._context, self._claim = context, claim
        self._newest: Progress | None = None
        self._reported_s = self._renewed_s = context.clock()
        self._is_heard = claim.listeners > 0
        self._is_unwanted = False
        self.begun_s = context.clock()

    def report_progress(self, progress: Progress) -> None:
        """Report, or keep the progress for later if the last report was a moment ago."""
        self._newest = progress
        self._report_if_due()

    def report_results(self, results: tuple[Result, ...]) -> None:
        """Report the variants that are ready."""
        self.status = replace(self.status, results=results)
        self._report({"results": list(map(as_dict, results))})

    def report_storing(self) -> None:
        """Report that the result is being stored, where that is heard: the end follows soon. Raises ``Stopped``."""
        if self._is_followed():
            self.status = replace(self.status, stage="store", progress=STORE_PERCENT, eta_s=None)
            self._report({"stage": "store", "progress": STORE_PERCENT, "eta_s": None})
        if self._is_unwanted:
            raise Stopped()

    def is_unwanted(self) -> bool:
        """Whether the job was cancelled, erased, or given to another encoder. Renews the lease when that is due."""
        cancellations = self._context.cancellations
        if cancellations is not None and cancellations.is_watched(self._claim.token):
            self._is_heard = True
        self._report_if_due()
        patience_s = HEARTBEAT_S if cancellations is not None and cancellations.is_connected() else DEAF_HEARTBEAT_S
        is_due = has_passed(patience_s, self._renewed_s, self._context.clock())
        if is_due or (cancellations is not None and cancellations.is_cancelled(self._claim.token)):
            self._report({})
        return self._is_unwanted

    def renew_if_due(self) -> None:
        """Renew the lease from another thread, while this encoder waits for something else."""
        if self._is_unwanted or not has_passed(HEARTBEAT_S, self._renewed_s, self._context.clock()):
            return
        self._renewed_s = self._context.clock()
        try:
            acknowledged = self._context.leases.report(self._claim.job.id, self._claim.token, {}, LEASE_S)
            if acknowledged is not None and acknowledged.seq == 0:
                self._give_up()
        except errors.BackendUnavailable as error:
            log.warning("job %s goes on unheard: %s", self._claim.job.id, error.private)

    def _give_up(self) -> None:
        """The job was cancelled or erased, or this encoder was taken for lost: then it says that it was not."""
        if not self._is_unwanted:
            self._is_unwanted = True
            self._context.leases.acquit(self._claim.job.id, self._claim.token)

    def _report_if_due(self) -> None:
        now = self._context.clock()
        interval_s = REPORT_INTERVAL_S if self._is_followed() else UNHEARD_INTERVAL_S
        if self._newest is None or not has_passed(interval_s, self._reported_s, now):
            return
        stage, percent = self._newest.stage, max(self.status.progress, self._percent(self._newest.percent))
        self._newest = None
        if (stage, percent) == (self.status.stage, self.status.progress):
            return
        self._reported_s = now
        self.status = replace(self.status, stage=stage, progress=percent, eta_s=self._eta_s(percent, now))
        self._report({"stage": stage, "progress": percent, "eta_s": self.status.eta_s})

    def _is_followed(self) -> bool:
        return self._is_heard and not self._claim.job.manifest.is_ephemeral

    def _percent(self, codec_percent: float) -> int:
        """The codec's part lies between what fetching the source took and what storing takes."""
        return int(self._fetched_percent + codec_percent * (CODEC_SHARE - self._fetched_percent / 100))

    def _eta_s(self, percent: int, now: float) -> float | None:
        started = self.status.started_at
        if started is None or percent < ETA_FROM_PERCENT or now < started:
            return None
        return round((now - started) * (100 - percent) / percent, 1)

    def _report(self, patch: dict[str, object]) -> None:
        """Renew the lease, with a change if ``patch`` has one. Without Redis the encode goes on: the store takes the result."""
        self._renewed_s = self._context.clock()
        try:
            acknowledged = self._context.leases.report(self._claim.job.id, self._claim.token, patch, LEASE_S)
            if acknowledged is None:
                self._readopt()
                return
            if acknowledged.seq == 0:
                self._give_up()
            self.status = replace(self.status, seq=acknowledged.seq or self.status.seq)
            if patch:
                self._is_heard = acknowledged.listeners > 0
        except errors.BackendUnavailable as error:
            log.warning("job %s goes on unheard: %s", self._claim.job.id, error.private)

    def _readopt(self) -> None:
        """Redis does not know the job: it was erased, or Redis began empty. The store says which."""
        job = self._claim.job
        try:
            self._context.store.manifest(job.id)
            is_over = self._context.store.outcome(job.id) is not None
        except errors.NotFound:
            is_over = True
        self._is_unwanted = is_over or not self._context.leases.readopt(replace(self._claim, job=job.at(self.status)), LEASE_S)
