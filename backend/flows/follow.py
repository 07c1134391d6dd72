"""Follow: each watcher of a job gets its present state, then every change once and in order.

Announcements are hints. A watcher has a cursor: the ``seq`` that it saw last. When a change does not come right after the cursor, what is missing
is read from the log first. Where the log no longer reaches back that far, the newest state stands for what is missing.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from backend import errors
from backend.core.job import Job, Status
from backend.flows.context import Context
from backend.flows.find_job import find
from backend.ports.announcements import Announcements, Kind

log = logging.getLogger(__name__)
Listener = Callable[[Job], None]
NOT_YET = sys.maxsize
"""The cursor of a listener whose job is still being looked up."""
LOOK_UP_S = 1.0
"""How often a waiting request checks whether its client is still there, and whether the job is."""


@dataclass(slots=True)
class Watched:
    job: Job
    cursors: dict[Listener, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Waiter:
    """A request that waits for a job's end. ``text``: the last status as announced; empty where it has to be looked up."""

    woken: threading.Event = field(default_factory=threading.Event)
    text: str = ""

    def wake(self, text: str = "") -> None:
        self.text = text
        self.woken.set()


class Follower:
    """All that one process watches. ``on_change``, ``on_message`` and ``on_gap`` are the callbacks of its announcements."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watched: dict[str, Watched] = {}
        self._awaited: dict[str, list[Waiter]] = {}
        self._announcements: Announcements | None = None

    def attach(self, announcements: Announcements) -> None:
        self._announcements = announcements

    def follow(self, job_id: str, listener: Listener, *, owner: str = "", after: int | None = None) -> Job:
        """The job as it is now. Later changes go to ``listener``, and with ``after`` also those between ``after`` and now.

        Raises ``NotFound``, ``BackendUnavailable``.
        """
        job = find(self._context, job_id, owner)
        if not job.status.has_ended:
            job = self._subscribe(job, listener, owner)
        watched = self._watched.setdefault(job_id, Watched(job))
        cursor = job.status.seq if after is None else min(after, job.status.seq)
        watched.cursors[listener] = cursor
        if cursor < job.status.seq:
            self._catch_up(watched, listener, job)
        if job.status.has_ended:
            self.unfollow(job_id, listener)
        return job

    def unfollow(self, job_id: str, listener: Listener) -> None:
        watched = self._watched.get(job_id)
        if watched is None:
            return
        watched.cursors.pop(listener, None)
        if not watched.cursors:
            del self._watched[job_id]
            self._unsubscribe(job_id)

    def wait(self, job_id: str, seconds: float, *, owner: str = "", is_enough: Callable[[Job], bool]) -> Job:
        """The job once ``is_enough`` says so, or as it is after so many seconds."""
        changed = threading.Event()
        newest: list[Job] = []

        def listen(job: Job) -> None:
            newest[:] = [job]
            changed.set()

        job = self.follow(job_id, listen, owner=owner)
        deadline = self._context.clock() + seconds
        try:
            while not is_enough(job) and not job.status.has_ended and (left_s := deadline - self._context.clock()) > 0:
                changed.wait(min(left_s, LOOK_UP_S))
                changed.clear()
                job = newest[0] if newest else job
                if job_id not in self._watched and not job.status.has_ended:
                    return find(self._context, job_id, owner)
            return job
        finally:
            self.unfollow(job_id, listen)

    def wait_for_end(self, job_id: str, seconds: float, *, owner: str = "", is_left: Callable[[], bool] = lambda: False) -> Job:
        """The job once it has ended, or as it is after so many seconds, or once ``is_left`` says that the client has gone.

        Only the end is subscribed to, so a request that waits for nothing else costs the encode nothing.
        """
        deadline, waiter = self._context.clock() + seconds, Waiter()
        self._awaited.setdefault(job_id, []).append(waiter)
        try:
            if self._announcements is not None:
                self._announcements.subscribe(job_id, "ended")
            job = find(self._context, job_id, owner)
            while not job.status.has_ended and (left_s := deadline - self._context.clock()) > 0 and not is_left():
                if waiter.woken.wait(min(left_s, LOOK_UP_S)) or left_s <= LOOK_UP_S:
                    waiter.woken.clear()
                    text = waiter.text
                    job = self._complete(job).at(Status.from_json(text)) if text else find(self._context, job_id, owner)
            return job
        finally:
            self._awaited[job_id].remove(waiter)
            if not self._awaited[job_id]:
                del self._awaited[job_id]
                self._unsubscribe(job_id, "ended")

    def on_message(self, kind: str, job_id: str, text: str) -> None:
        """An end was announced. An empty text says that the job was erased."""
        if kind == "ended":
            for each in self._awaited.get(job_id, ()):
                each.wake(text)

    def on_change(self, job_id: str, text: str) -> None:
        """A change was announced. An empty text says that the job was erased."""
        watched = self._watched.get(job_id)
        if watched is None:
            return
        if not text:
            self._drop(job_id)
            return
        job = watched.job = self._complete(watched.job).at(Status.from_json(text))
        for listener in list(watched.cursors):
            self._advance(watched, listener, job)
        if job.status.has_ended:
            self._drop(job_id)

    def _complete(self, job: Job) -> Job:
        """The job with its source, which was still to come when the job was looked up."""
        if not job.manifest.is_awaited:
            return job
        try:
            return find(self._context, job.id, job.manifest.owner)
        except errors.GatewayError:
            return job

    def on_gap(self) -> None:
        """Announcements may have been lost: look up every job that is watched."""
        for waiters in list(self._awaited.values()):
            for each in waiters:
                each.wake()
        for job_id, watched in list(self._watched.items()):
            try:
                job = find(self._context, job_id, watched.job.manifest.owner)
            except errors.NotFound:
                self._drop(job_id)
                continue
            except errors.GatewayError as error:
                log.warning("job %s could not be looked up after a gap: %s", job_id, error)
                continue
            self.on_change(job_id, job.status.to_json())

    def watched_count(self) -> int:
        return len(self._watched.keys() | self._awaited.keys())

    def _advance(self, watched: Watched, listener: Listener, job: Job) -> None:
        cursor = watched.cursors.get(listener)
        if cursor is None or job.status.seq <= cursor:
            return
        if job.status.seq > cursor + 1:
            self._catch_up(watched, listener, job)
        else:
            watched.cursors[listener] = job.status.seq
            listener(job)

    def _catch_up(self, watched: Watched, listener: Listener, job: Job) -> None:
        cursor = watched.cursors[listener]
        for status in self._missed_changes(job, cursor):
            if watched.cursors.get(listener, status.seq) < status.seq:
                watched.cursors[listener] = status.seq
                listener(job.at(status))

    def _missed_changes(self, job: Job, cursor: int) -> list[Status]:
        try:
            missed = self._context.jobs.changes_since(job.id, cursor)
        except errors.BackendUnavailable as error:
            log.warning("the log of job %s cannot be read: %s", job.id, error.private)
            missed = None
        if not missed or missed[-1].seq < job.status.seq:
            return [job.status]
        return missed

    def _subscribe(self, job: Job, listener: Listener, owner: str) -> Job:
        """Subscribe to the job; the job as it is then.

        Until that is done ``listener`` only holds its place, so that another watcher who leaves does not end the subscription. A change that is
        announced before our look-up is answered counts too.
        """
        watched = self._watched.setdefault(job.id, Watched(job))
        watched.cursors[listener] = NOT_YET
        try:
            if self._announcements is not None:
                self._announcements.subscribe(job.id)
            present = find(self._context, job.id, owner)
            if self._watched.get(job.id) is not watched:
                present = find(self._context, job.id, owner)
            if len(watched.cursors) == 1 and present.status.state == "running":
                self._announce_watcher(job.id)
        except errors.GatewayError:
            self.unfollow(job.id, listener)
            raise
        return max(present, watched.job, key=lambda each: each.status.seq)

    def _announce_watcher(self, job_id: str) -> None:
        """An encoder whose job nobody watched reports seldom."""
        try:
            self._context.leases.announce_watcher(job_id)
        except errors.BackendUnavailable as error:
            log.warning("the encoder of job %s does not know that it is watched: %s", job_id, error.private)

    def _drop(self, job_id: str) -> None:
        if self._watched.pop(job_id, None) is not None:
            self._unsubscribe(job_id)

    def _unsubscribe(self, job_id: str, kind: Kind = "changed") -> None:
        if self._announcements is not None:
            try:
                self._announcements.unsubscribe(job_id, kind)
            except errors.BackendUnavailable as error:
                log.warning("job %s is still announced: %s", job_id, error.private)
