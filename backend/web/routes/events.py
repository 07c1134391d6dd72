"""A job's changes without Socket.IO: Server-Sent Events and a plain WebSocket. The same JSON, the same order, resumed by ``seq``.

Both give the present state first (or, resumed, what came after ``seq``), then each change, and end with the job. A server that drains ends
them early; the client resumes at another worker.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, request

from backend import errors
from backend.core.job import Job, public
from backend.flows.outbox import Outbox
from backend.ports.peer import WebSocket
from backend.web.request import auth
from backend.web.request.context import site
from backend.web.request.peer import peer

routes = Blueprint("events", __name__)
HEARTBEAT_S = 15.0
"""A comment this often keeps proxies from closing a quiet stream (nginx: 60 s)."""
LOOK_UP_S = 1.0
RETRY_MS = 500
NORMAL, GOING_AWAY, POLICY_VIOLATION = 1000, 1001, 1008
PING_EVERY_S, MOST_SILENCE_S = 15.0, 40.0
"""A WebSocket peer that answers no ping is gone. (Server-Sent Events have no answer; there, TCP notices: ``server/worker``.)"""
MOST_MESSAGES = 100
"""What a client says on a plain WebSocket has no meaning; so many are borne."""


class Stream:
    """One watcher's way through a job: iterate it for the changes; None when nothing came for a second."""

    def __init__(self, job_id: str, owner: str, after: int | None) -> None:
        self._job_id, self._follower, self._outbox = job_id, site().follower, Outbox()
        self._peer = peer()
        self.job = self._follower.follow(job_id, self._outbox.put, owner=owner, after=after)
        if after is None:
            self._outbox.put(self.job)
        self.has_nothing_new = self.job.status.has_ended and after is not None and after >= self.job.status.seq

    def __iter__(self) -> Iterator[Job | None]:
        seen = -1
        try:
            while not self._peer.is_draining:
                taken = self._outbox.take(LOOK_UP_S)
                if not taken:
                    yield None
                for job in taken:
                    if job.status.seq > seen:
                        seen = job.status.seq
                        yield job
                    if job.status.has_ended:
                        return
        finally:
            self.close()

    def close(self) -> None:
        self._follower.unfollow(self._job_id, self._outbox.put)


@routes.get("/api/jobs/<job_id>/events")
def server_sent_events(job_id: str) -> Response:
    """WHATWG HTML §9.2. ``204`` tells an ``EventSource`` that there is nothing more to come."""
    stream = Stream(job_id, auth.owner(), seq_of(request.headers.get("Last-Event-ID") or request.args.get("after"), "Last-Event-ID"))
    if stream.has_nothing_new:
        stream.close()
        return Response(status=204)
    return stream_response(_lines(stream, auth.language()), stream.close)


def stream_response(lines: Iterator[str], close: Callable[[], None]) -> Response:
    """Neither cached nor buffered on the way; ``close`` is called however it ends."""
    response = Response(lines, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(close)
    return response


def _lines(stream: Stream, language: str) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    silent_s = 0.0
    for job in stream:
        if job is not None:
            silent_s = 0.0
            yield f"id: {job.status.seq}\ndata: {json.dumps(public(job, language), ensure_ascii=False)}\n\n"
            continue
        silent_s += LOOK_UP_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"


@routes.get("/api/jobs/<job_id>/ws", websocket=True)
def plain_websocket(job_id: str) -> Response:
    """RFC 6455; refused with an ordinary answer before the ``101`` where the job or the origin is not right."""
    _check_origin()
    socket = peer().websocket
    if socket is None:
        raise errors.BadRequest("header", header="Upgrade", accepted="websocket")
    stream = Stream(job_id, auth.owner(), seq_of(request.args.get("after"), "after"))
    try:
        _send_all(stream, socket, auth.language())
    except ConnectionError:
        stream.close()
    return Response()


def _send_all(stream: Stream, socket: WebSocket, language: str) -> None:
    socket.settimeout(MOST_SILENCE_S)
    socket.ping()
    threading.Thread(target=_hear, args=(socket,), daemon=True).start()
    has_ended, next_ping_s = stream.has_nothing_new, time.monotonic() + PING_EVERY_S
    for job in () if has_ended else stream:
        if job is not None:
            socket.send(json.dumps(public(job, language), ensure_ascii=False))
            has_ended = job.status.has_ended
        elif socket.closed:
            return
        if time.monotonic() >= next_ping_s:
            socket.ping()
            next_ping_s = time.monotonic() + PING_EVERY_S
    socket.close(NORMAL if has_ended else GOING_AWAY)


def _hear(socket: WebSocket) -> None:
    """Pings are answered, a close and a silence are noticed while reading; what the client says has no meaning here, and is bounded."""
    for _ in range(MOST_MESSAGES):
        if socket.receive() is None:
            return
    socket.close(POLICY_VIOLATION)


@routes.get("/api/jobs/<job_id>/ws", endpoint="not_upgraded")
def not_upgraded(job_id: str) -> Response:
    raise errors.BadRequest("header", header="Upgrade", accepted="websocket")


def _check_origin() -> None:
    """Browsers let any page open a WebSocket to anywhere; only our own and the operator's origins may."""
    origin = request.headers.get("Origin")
    if origin and origin not in site().allowed_origins and origin.split("://", 1)[-1] != request.host:
        raise errors.Unauthorized()


def seq_of(text: str | None, name: str) -> int | None:
    if text is None or text == "":
        return None
    if not text.isdecimal() or len(text) > 15:
        raise errors.BadRequest("header", header=name, accepted="seq")
    return int(text)
