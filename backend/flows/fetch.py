"""Fetch: a job whose source is on somebody else's server. The job is on disk before the answer; its source comes afterwards.

The job is ``queued`` while its source is fetched; that makes the first ``FETCH_PERCENT`` of its progress. The gateway that fetches holds a lease.
When the lease runs out, the Janitor gives the job to another gateway, which begins at the first byte again. A job over whose fetch so many processes
were lost fails. What cannot be fetched ends as ``failed``, with the code that an upload of it would have got. The other server is the client's
choice: it is not asked again. What fails on this side (the store, the disk, descriptors) ends no job.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from backend import errors
from backend.core.job import Job, Manifest, Source, Status, failed, work_key
from backend.core.options import Options, decided, needs
from backend.core.pauses import MAX_LOSSES, WORLD_PAUSES_S
from backend.core.protocol import NEWEST
from backend.core.turns import client_of
from backend.flows import shares, watermarks
from backend.flows.conclude import conclude, erase
from backend.flows.context import Context
from backend.flows.find_job import find_stored
from backend.flows.ingest import Intake, Received, Sender, check_result, queue_is_full
from backend.flows.places import Places
from backend.flows.unqueued import remember
from backend.ports.sources import Download, Sources

log = logging.getLogger(__name__)
FETCH_PERCENT = 10
LEASE_S = 10.0
RENEW_S, RENEW_WAITING_S = 0.25, 2.5
"""While a source comes, and while a job waits for a place: often enough for ``LEASE_S``, and few calls for a thousand jobs that wait."""
MAX_DOWNLOADS, CLIENT_DOWNLOADS = 64, 32
"""Of one process at once, and of one client's among them; others wait as in the queue, and their deadline has not begun. A download takes half a MB
of memory and two descriptors. A server that is slow, or a name server that is silent, holds a place until the deadline."""
MAX_FETCHES = MAX_LOSSES
"""A fetch that was lost so often with its process begins no more: it may be what kills them."""
MAX_HANDED_BACK = 5
"""So often a process that ends as it should costs a fetch nothing. A worker ends after ``GUNICORN_MAX_REQUESTS``, which may be every minute."""


class Unwanted(Exception):
    """The job was cancelled, erased, or given to another process."""


def run_in_background(call: Callable[[], None]) -> None:
    threading.Thread(target=call, daemon=True).start()


@dataclass(slots=True)
class Fetcher:
    """One for each process. ``start`` runs a call in the background."""

    context: Context
    sources: Sources
    start: Callable[[Callable[[], None]], None] = run_in_background
    _places: Places = field(default_factory=lambda: Places(MAX_DOWNLOADS, CLIENT_DOWNLOADS))
    _begun: set[FetchLease] = field(init=False, default_factory=set)

    def order(self, url: str, options: Options, sender: Sender, *, job_id: str | None = None) -> Job:
        """Make a durable job, and start to fetch its source.

        Raises ``BadRequest`` for an address that may not be fetched from, ``QueueFull``, ``StorageFull``.
        """
        context, name, now = self.context, self.sources.check(url), self.context.clock()
        options = decided(options)
        manifest = Manifest(
            id=job_id or context.new_id(),
            source=Source(options.filename or name, 0, "", "", 0, 0, 0),
            options=options,
            created_at=now,
            expires_at=now + context.retention_s,
            owner=sender.owner,
            client=sender.turn,
            request_id=sender.request_id,
            maker=sender.maker,
            url=url,
            webhook_url=sender.webhook_url,
            needs=needs(options),
        )
        context.store.reserve(manifest)
        token, job = context.new_id(), Job(manifest, Status())
        try:
            job = context.fetch_leases.reserve(job, token, LEASE_S, limit=context.max_queued_jobs, share=sender.limits.jobs)
        except (errors.QuotaExceeded, errors.QueueFull, errors.LiveStateFull) as error:
            erase(context, job)
            raise queue_is_full(context, context.max_queued_jobs) if isinstance(error, errors.QueueFull) else error from None
        except errors.BackendUnavailable as error:
            log.warning("job %s is stored and will be fetched once Redis is back: %s", manifest.id, error.private)
            remember(context, manifest.id)
            return job
        self.start(lambda: self.fetch(job, token))
        return job

    def take_over(self, job_id: str) -> None:
        """Fetch for a process that was lost. A job that has ended, or has its source, is only made known as such."""
        try:
            job = find_stored(self.context, job_id)
        except errors.NotFound:
            self.context.jobs.forget(job_id)
            return
        if job.status.has_ended:
            conclude(self.context, job)
        elif not job.manifest.is_awaited:
            self.context.fetch_leases.attach_source(job)
        elif job.manifest.needs <= NEWEST:
            self._take_over(job)

    def _take_over(self, job: Job) -> None:
        token = self.context.new_id()
        begun = self.context.fetch_leases.take_over(job.id, token, LEASE_S)
        if begun is None:
            return
        if begun >= MAX_FETCHES:
            self._fail(job, errors.Internal("fetch_lost", attempts=begun))
            return
        log.info("job %s is fetched again", job.id)
        self.start(lambda: self.fetch(job, token))

    def hand_back(self) -> None:
        """Call it when the process ends as it should: others take over at once, and what they fetch counts as if it had not begun here."""
        for lease in list(self._begun):
            try:
                lease.hand_back()
            except errors.BackendUnavailable as error:
                log.info("a fetch could not be handed back, so its lease has to run out: %s", error.private)
                return

    def fetch(self, job: Job, token: str) -> None:
        """Fetch the source and queue the job, or end the job as failed. Where this side fails, it is put off, for any gateway to try again.

        Raises nothing: this is the edge of a background thread.
        """
        lease = FetchLease(self.context, job, token)
        try:
            with self._places.take(job.manifest.client, lease.renew, RENEW_WAITING_S), self._begin(lease):
                self._fetch_source(job, lease)
        except Unwanted:
            log.info("job %s is no longer wanted here", job.id)
        except errors.NotFound:
            log.info("job %s was erased while it was fetched", job.id)
        except errors.GatewayError as error:
            if error.is_passing:
                lease.put_off(error)
            else:
                self._fail(job, error)
        except OSError as error:
            lease.put_off(error)
        except Exception as error:
            log.error("fetching for job %s met an unexpected %r", job.id, error, exc_info=error)
            self._fail(job, errors.Internal())

    @contextmanager
    def _begin(self, lease: FetchLease) -> Iterator[None]:
        lease.begin()
        self._begun.add(lease)
        try:
            yield
        finally:
            self._begun.discard(lease)

    def _fetch_source(self, job: Job, lease: FetchLease) -> None:
        context, manifest = self.context, job.manifest
        download = self.sources.open(manifest.url, lease.pulse)
        try:
            intake = Intake(context, manifest.source.filename)
            try:
                try:
                    received = _receive(context, intake, download, lease)
                finally:
                    shares.count_bytes(context, client_of(manifest.client), intake.upload.size_bytes)
                check_result(context, received.shape, manifest.options)
                source = replace(received.source(), filename=_display_name(manifest, download, received.filename))
                watermark = watermarks.digest(context, manifest.options)
                key = work_key(source, manifest.options, manifest.owner, watermark) if context.shares_results else ""
                complete = replace(manifest, source=source, work_key=key)
                lease.renew()
                context.store.attach_source(received.upload, complete)
            except BaseException:
                intake.abandon()
                raise
        finally:
            download.close()
        self._queue(job, complete)

    def _queue(self, job: Job, complete: Manifest) -> None:
        try:
            self.context.fetch_leases.attach_source(Job(complete, job.status))
        except errors.BackendUnavailable as error:
            log.warning("job %s has its source and will be queued once Redis is back: %s", job.id, error.private)

    def _fail(self, job: Job, error: errors.GatewayError) -> None:
        log.info("job %s could not be fetched: %s", job.id, error)
        try:
            now = self.context.jobs.find(job.id) or job
            conclude(self.context, now.at(failed(now.status, error, self.context.clock())))
        except errors.NotFound:
            return
        except errors.GatewayError as trouble:
            log.warning("how job %s ended could not be stored, so it will be fetched again: %s", job.id, trouble)


@dataclass(slots=True, eq=False)
class FetchLease:
    """This process's lease on a job whose source it fetches."""

    context: Context
    job: Job
    token: str
    percent: int = 0
    _renewed_s: float = field(default=float("-inf"))

    def report_progress(self, received_bytes: int, size_bytes: int | None) -> None:
        """Renew the lease when that is due. The percent stays 0 for a server that does not say how much it sends."""
        if size_bytes:
            self.percent = min(FETCH_PERCENT, FETCH_PERCENT * received_bytes // size_bytes)
        self.pulse()

    def pulse(self) -> None:
        """Renew the lease if that is due, also while the other server is silent. Raises ``Unwanted``."""
        if not 0 <= self.context.clock() - self._renewed_s < RENEW_S:
            self.renew()

    def begin(self) -> None:
        """Count that the fetch begins. Raises as ``renew``."""
        self._hold(lambda: self.context.fetch_leases.begin(self.job.id, self.token, LEASE_S))

    def renew(self) -> None:
        """Renew the lease. Without Redis the download goes on: the store will take the source. Raises ``Unwanted``."""
        self._hold(lambda: self.context.fetch_leases.renew(self.job.id, self.token, self.percent, LEASE_S))

    def hand_back(self) -> None:
        """Raises ``BackendUnavailable``."""
        self.context.fetch_leases.hand_back(self.job.id, self.token, MAX_HANDED_BACK)

    def put_off(self, why: Exception) -> None:
        """Raises nothing: where Redis is away, the lease runs out."""
        log.warning("fetching for job %s is put off: %s", self.job.id, why)
        try:
            self.context.fetch_leases.pause(self.job.id, self.token, WORLD_PAUSES_S)
        except errors.BackendUnavailable as error:
            log.warning("the fetch for job %s could not be put off, so its lease has to run out: %s", self.job.id, error.private)

    def _hold(self, call: Callable[[], bool | None]) -> None:
        self._renewed_s = self.context.clock()
        try:
            is_held = call()
        except errors.BackendUnavailable:
            return
        if is_held is False:
            raise Unwanted()


def _receive(context: Context, intake: Intake, download: Download, lease: FetchLease) -> Received:
    if download.size_bytes is not None:
        context.limits.check_bytes(download.size_bytes)
    for chunk in download.chunks():
        intake.feed(chunk)
        lease.report_progress(intake.upload.size_bytes, download.size_bytes)
    return intake.finish()


def _display_name(manifest: Manifest, download: Download, default: str) -> str:
    """The name that the client gave, else the other server's, else the one in the address, else one made from the format."""
    return manifest.options.filename or download.filename or manifest.source.filename or default
