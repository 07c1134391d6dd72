"""Follow: each watcher of a job gets its present state, then every change once and in order.

Announcements are hints. A watcher has a cursor, the ``seq`` it saw last; a change that does not come right after it is first completed from
the log, and where the log no longer reaches back, the newest state stands for what is missing.
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
from backend.ports.announcements import Announcements, Heard

log = logging.getLogger(__name__)
Listener = Callable[[Job], None]


@dataclass(slots=True)
class Watched:
    job: Job
    cursors: dict[Listener, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Waiter:
    """One who waits for an end. ``text``: how it was told to be; empty where it has to be looked up."""

    called: threading.Event = field(default_factory=threading.Event)
    text: str = ""

    def call(self, text: str = "") -> None:
        self.text = text
        self.called.set()


class Follower:
    """All that one process watches. Give ``changed``, ``heard`` and ``gap`` to the announcements."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watched: dict[str, Watched] = {}
        self._awaited: dict[str, list[Waiter]] = {}
        self._announcements: Announcements | None = None

    def hear(self, announcements: Announcements) -> None:
        self._announcements = announcements

    def follow(self, job_id: str, listener: Listener, *, owner: str = "", after: int | None = None) -> Job:
        """The job now. Changes after it, and with ``after`` those between, go to ``listener``. Raises ``NotFound``, ``BackendUnavailable``."""
        job = find(self._context, job_id, owner)
        if not job.status.has_ended:
            job = self._announced(job, listener, owner)
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
            self._ignore(job_id)

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
        """The job once it has ended, or as it is after so many seconds, or once ``is_left``: nobody waits any more. Its progress is not listened
        to, so whoever only waits for an end costs its encode nothing."""
        deadline, waiter = self._context.clock() + seconds, Waiter()
        self._awaited.setdefault(job_id, []).append(waiter)
        try:
            if self._announcements is not None:
                self._announcements.listen(job_id, "ended")
            job = find(self._context, job_id, owner)
            while not job.status.has_ended and (left_s := deadline - self._context.clock()) > 0 and not is_left():
                if waiter.called.wait(min(left_s, LOOK_UP_S)) or left_s <= LOOK_UP_S:
                    waiter.called.clear()
                    told = waiter.text
                    job = self._complete(job).at(Status.from_json(told)) if told else find(self._context, job_id, owner)
            return job
        finally:
            self._awaited[job_id].remove(waiter)
            if not self._awaited[job_id]:
                del self._awaited[job_id]
                self._ignore(job_id, "ended")

    def heard(self, what: str, job_id: str, text: str) -> None:
        """An announcement of an end. An empty one says that the job was erased."""
        if what == "ended":
            for each in self._awaited.get(job_id, ()):
                each.call(text)

    def changed(self, job_id: str, text: str) -> None:
        """An announcement. An empty one says that the job was erased."""
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
        """A job whose source was still to come when it was looked up may have it now."""
        if not job.manifest.is_awaited:
            return job
        try:
            return find(self._context, job.id, job.manifest.owner)
        except errors.GatewayError:
            return job

    def gap(self) -> None:
        """Announcements may have been lost: look every watched job up."""
        for waiting in list(self._awaited.values()):
            for each in waiting:
                each.call()
        for job_id, watched in list(self._watched.items()):
            try:
                job = find(self._context, job_id, watched.job.manifest.owner)
            except errors.NotFound:
                self._drop(job_id)
                continue
            except errors.GatewayError as error:
                log.warning("job %s could not be looked up after a gap: %s", job_id, error)
                continue
            self.changed(job_id, job.status.to_json())

    def watching(self) -> int:
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
        for status in self._missed(job, cursor):
            if watched.cursors.get(listener, status.seq) < status.seq:
                watched.cursors[listener] = status.seq
                listener(job.at(status))

    def _missed(self, job: Job, cursor: int) -> list[Status]:
        try:
            missed = self._context.jobs.changes_since(job.id, cursor)
        except errors.BackendUnavailable as error:
            log.warning("the log of job %s cannot be read: %s", job.id, error.private)
            missed = None
        if not missed or missed[-1].seq < job.status.seq:
            return [job.status]
        return missed

    def _announced(self, job: Job, listener: Listener, owner: str) -> Job:
        """The job as it is now that every later change is announced. Until then ``listener`` only holds its place, so that nobody who
        leaves takes the announcements along. One that was handled before the answer to our look-up counts too."""
        watched = self._watched.setdefault(job.id, Watched(job))
        watched.cursors[listener] = NOT_YET
        try:
            if self._announcements is not None:
                self._announcements.listen(job.id)
            present = find(self._context, job.id, owner)
            if self._watched.get(job.id) is not watched:
                present = find(self._context, job.id, owner)
        except errors.GatewayError:
            self.unfollow(job.id, listener)
            raise
        return max(present, watched.job, key=lambda each: each.status.seq)

    def _drop(self, job_id: str) -> None:
        if self._watched.pop(job_id, None) is not None:
            self._ignore(job_id)

    def _ignore(self, job_id: str, what: Heard = "changed") -> None:
        if self._announcements is not None:
            try:
                self._announcements.ignore(job_id, what)
            except errors.BackendUnavailable as error:
                log.warning("job %s is still announced: %s", job_id, error.private)


NOT_YET = sys.maxsize
"""The cursor of a listener that is still on its way in."""
LOOK_UP_S = 1.0
"""Whoever waits asks this often whether anybody still does, and whether the job is still there."""
