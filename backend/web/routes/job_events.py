"""A job's changes without Socket.IO: Server-Sent Events and a plain WebSocket, with the same JSON in the same order.

Both give the present state first; a client that resumes gives the ``seq`` it has and gets what came after it. Then follow all changes, and the
stream ends with the job. A worker that drains ends it early; the client resumes at another. So does the end of the client's key; then the
client is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from flask import Response, request

from backend import errors
from backend.core.events import STATE, events_of
from backend.core.job import Job
from backend.core.reader import Reader
from backend.flows.outbox import Outbox
from backend.ports.peer import WebSocket
from backend.web.openapi.answers import EVENTS, FIND_ERRORS, NOTHING_NEW
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.request import auth
from backend.web.request.context import web_context
from backend.web.request.peer import peer
from backend.web.request.reader import reader
from backend.web.request.waiting import last_seq
from backend.web.response.event_stream import TICK_S, Event, event_stream
from backend.web.response.json_response import json_text

routes = Resource("job_events", __name__, tag="events")
NORMAL, GOING_AWAY, POLICY_VIOLATION = 1000, 1001, 1008
PING_EVERY_S, MAX_SILENCE_S = 15.0, 40.0
"""A WebSocket client that answers no ping is given up. Server-Sent Events have no answer; there TCP notices (``server/worker``)."""
MAX_MESSAGES = 100
"""What a client says on a plain WebSocket has no meaning. After so many messages it is closed."""


class JobStream:
    """The changes of one job for one client. Iterating gives None after each second without a change."""

    def __init__(self, job_id: str, owner: str, after: int | None) -> None:
        """Raises ``NotFound``, ``BackendUnavailable``."""
        self._job_id, self._web, self._owner, self._outbox, self._peer = job_id, web_context(), owner, Outbox(), peer()
        self.job = self._web.follower.follow(job_id, self._outbox.put, owner=owner, after=after)
        if after is None:
            self._outbox.put(self.job)
        self.has_nothing_new = self.job.status.has_ended and after is not None and after >= self.job.status.seq

    @property
    def is_admitted(self) -> bool:
        """Whether the client's key still counts."""
        return auth.is_admitted(self._web, self._owner)

    def __iter__(self) -> Iterator[Job | None]:
        seen = -1
        try:
            while not self._peer.is_draining and self.is_admitted:
                taken = self._outbox.take(TICK_S)
                if not taken:
                    yield None
                for job in taken if self.is_admitted else ():
                    if job.status.seq > seen:
                        seen = job.status.seq
                        yield job
                    if job.status.has_ended:
                        return
        finally:
            self.close()

    def close(self) -> None:
        self._web.follower.unfollow(self._job_id, self._outbox.put)


@routes.serve(
    Operation(
        "GET",
        "/api/jobs/{job_id}/events",
        "followJob",
        {200: EVENTS, 204: NOTHING_NEW},
        (errors.BadRequest, errors.NoRealtime, *FIND_ERRORS),
        ("job_id", "Last-Event-ID", "after"),
        curl="curl -N {base}/api/jobs/$job/events",
    )
)
def server_sent_events(job_id: str) -> Response:
    """``204`` tells an ``EventSource`` that nothing more will come."""
    asked, known = last_seq(request.args.get("after"), "after"), last_seq(request.headers.get("Last-Event-ID"), "Last-Event-ID")
    stream = JobStream(job_id, auth.owner(), asked if known is None else known)
    if stream.has_nothing_new:
        stream.close()
        return Response(status=204)
    return event_stream(_events(stream, reader()), stream.close)


def _events(stream: JobStream, known: Reader) -> Iterator[Event | None]:
    for job in stream:
        if job is None:
            yield None
            continue
        for each in events_of(job):
            yield Event(job.status.seq, each.payload(job, known), "" if each is STATE else each.name)


@routes.serve(
    Operation(
        "GET",
        "/api/jobs/{job_id}/ws",
        "watchJob",
        {101: Answer()},
        (errors.BadRequest, errors.UpgradeRequired, errors.NoRealtime, *FIND_ERRORS),
        ("job_id", "after", "Upgrade", "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key"),
    ),
    websocket=True,
)
def plain_websocket(job_id: str) -> Response:
    """A wrong job is refused before the ``101``, with an ordinary answer."""
    socket = peer().websocket
    if socket is None:
        raise errors.BadRequest("websocket")
    stream = JobStream(job_id, auth.owner(), last_seq(request.args.get("after"), "after"))
    try:
        _send_all(stream, socket, reader())
    except ConnectionError:
        stream.close()
    return Response()


@routes.get("/api/jobs/<job_id>/ws", endpoint="not_upgraded")
def not_upgraded(job_id: str) -> Response:
    raise errors.BadRequest("websocket")


def _send_all(stream: JobStream, socket: WebSocket, known: Reader) -> None:
    socket.settimeout(MAX_SILENCE_S)
    socket.ping()
    threading.Thread(target=_discard_messages, args=(socket,), daemon=True).start()
    has_ended, next_ping_s = stream.has_nothing_new, time.monotonic() + PING_EVERY_S
    for job in () if has_ended else stream:
        if job is not None:
            for each in events_of(job):
                socket.send(json_text(each.payload(job, known)))
            has_ended = job.status.has_ended
        elif socket.closed:
            return
        if time.monotonic() >= next_ping_s:
            socket.ping()
            next_ping_s = time.monotonic() + PING_EVERY_S
    socket.close(NORMAL if has_ended else GOING_AWAY if stream.is_admitted else POLICY_VIOLATION)


def _discard_messages(socket: WebSocket) -> None:
    """While this reads, pings are answered, and a close or a silence is noticed."""
    for _ in range(MAX_MESSAGES):
        if socket.receive() is None:
            return
    socket.close(POLICY_VIOLATION)
