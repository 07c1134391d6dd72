"""Socket.IO: ``subscribe``, ``unsubscribe``, ``cancel``, each acknowledged; ``job`` events follow.

Each connection has its own owner and language, taken at connect. Messages and subscriptions are bounded for each connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO

from backend import errors
from backend.core.batch import has_ended, public_batch, seq
from backend.core.job import Job, public
from backend.flows import batch as batches
from backend.flows import conclude
from backend.flows.batch import BatchWatch
from backend.flows.find_job import find
from backend.flows.follow import Listener
from backend.texts.problems import problem, problem_in
from backend.web.request import auth
from backend.web.request.context import Site
from backend.web.routes.status import Lookout
from backend.web.socketio.sender import Event, Wire

log = logging.getLogger(__name__)
MAX_SUBSCRIPTIONS = 1000
MAX_MESSAGES, MESSAGES_WINDOW_S = 1200, 10
"""A page that drops a thousand images subscribes a thousand times. Who goes on at twice the rate is cut off: ``server/socketio/sessions``."""
KEPT = (
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "REMOTE_ADDR",
    "HTTP_HOST",
    "HTTP_ACCEPT_LANGUAGE",
    "wsgi.url_scheme",
    "wsgi.version",
    "flask.app",
)


@dataclass(slots=True)
class Connection:
    owner: str
    language: str
    address: str = ""
    listeners: dict[str, Listener] = field(default_factory=dict)
    watches: dict[str, BatchWatch] = field(default_factory=dict)
    heard: int = 0
    heard_since_s: float = 0.0


class Sockets:
    """All Socket.IO connections of one process."""

    def __init__(self, socketio: SocketIO, site: Site) -> None:
        self._socketio, self._site = socketio, site
        self._connections: dict[str, Connection] = {}
        self._wire = Wire(socketio.server)
        self._lookout = Lookout(site)

    def install(self) -> None:
        on = self._socketio.on_event
        on("connect", self._connect)
        on("disconnect", self._disconnect)
        on("subscribe", self._guarded(self._subscribe))
        on("unsubscribe", self._guarded(self._unsubscribe))
        on("cancel", self._guarded(self._cancel))

    def count(self) -> int:
        return len(self._connections)

    def _connect(self, handshake: Any = None) -> None:
        key = handshake.get("key") if isinstance(handshake, dict) else None
        try:
            owner = auth.owner_of(self._site, key if isinstance(key, str) else "")
        except errors.Unauthorized as error:
            raise ConnectionRefusedError(problem(error.as_record(), auth.language())) from None
        self._connections[_sid()] = Connection(owner, auth.language(), self._wire.address(_sid()))
        _slim(request.environ)

    def _disconnect(self, reason: str = "") -> None:
        connection = self._connections.pop(_sid(), None)
        if connection is not None:
            self._wire.forget(connection.address)
            self._lookout.ignore(connection.address)
            for job_id, listener in connection.listeners.items():
                self._site.follower.unfollow(job_id, listener)
            for watch in connection.watches.values():
                watch.close()

    def _guarded(self, handle: Callable[[Connection, dict[str, Any]], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        """Every message has an acknowledgement: what ``handle`` says, or the problem."""

        def handler(message: Any = None, *_: Any) -> dict[str, Any]:
            connection = self._connections.get(_sid()) or Connection("", auth.language())
            try:
                if not isinstance(message, dict):
                    raise errors.BadRequest("json")
                self._check_rate(connection)
                return {"ok": True, **handle(connection, message)}
            except errors.GatewayError as error:
                return {"ok": False, "error": problem(error.as_record(), connection.language)}
            except Exception as error:
                log.error("unexpected %r on a socket", error, exc_info=error)
                return {"ok": False, "error": problem(errors.Internal().as_record(), connection.language)}

        return handler

    def _check_rate(self, connection: Connection) -> None:
        now = self._site.context.clock()
        if now - connection.heard_since_s >= MESSAGES_WINDOW_S:
            connection.heard, connection.heard_since_s = 0, now
        connection.heard += 1
        if connection.heard > MAX_MESSAGES:
            raise errors.BadRequest("message_rate", limit=MAX_MESSAGES, seconds=MESSAGES_WINDOW_S)

    def _subscribe(self, connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        if "batch" in message:
            return self._subscribe_batch(connection, message)
        if message.get("status") is True:
            return {"status": self._lookout.watch(connection.address, self._teller(_sid()))}
        job_id, after = _job_id(message), message.get("after")
        if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
            raise errors.BadRequest("json")
        if len(connection.listeners) >= MAX_SUBSCRIPTIONS and job_id not in connection.listeners:
            raise errors.BadRequest("subscriptions", limit=MAX_SUBSCRIPTIONS)
        self._drop(connection, job_id)
        address, language = connection.address, connection.language

        def tell(job: Job) -> None:
            version = (job.status.seq, job.status.state, language)
            packet = self._wire.known("job", job.id, version) or self._wire.packet(Event("job", job.id, version, public(job, problem_in(language))))
            self._wire.send(address, job.id, packet)
            if job.status.has_ended:
                connection.listeners.pop(job.id, None)

        connection.listeners[job_id] = tell
        try:
            job = self._site.follower.follow(job_id, tell, owner=connection.owner, after=after)
        except BaseException:
            connection.listeners.pop(job_id, None)
            raise
        if job.status.has_ended:
            connection.listeners.pop(job_id, None)
        return {"job": public(job, problem_in(language))}

    def _teller(self, sid: str) -> Callable[[dict[str, Any]], None]:
        return lambda seen: self._socketio.emit("status", seen, to=sid)

    def _subscribe_batch(self, connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        """Each event is the whole batch, so ``after`` needs no log: the present state is all that is newer."""
        if not isinstance(message["batch"], str):
            raise errors.BadRequest("json")
        batch, jobs = batches.find_batch(self._site.context, message["batch"], connection.owner)
        if len(connection.watches) >= MAX_SUBSCRIPTIONS and batch.id not in connection.watches:
            raise errors.BadRequest("subscriptions", limit=MAX_SUBSCRIPTIONS)
        address, language = connection.address, connection.language

        def tell(now: list[Job]) -> None:
            packet = self._wire.packet(Event("batch", batch.id, (seq(now), language), public_batch(batch, now, problem_in(language))))
            self._wire.send(address, batch.id, packet)

        self._drop_batch(connection, batch.id)
        if not has_ended(jobs):
            connection.watches[batch.id] = BatchWatch(self._site.context, self._site.follower, batch, tell)
            jobs = connection.watches[batch.id].begin()
        return {"batch": public_batch(batch, jobs, problem_in(language))}

    def _unsubscribe(self, connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        if message.get("status") is True:
            self._lookout.ignore(connection.address)
        elif isinstance(message.get("batch"), str):
            self._drop_batch(connection, message["batch"])
        else:
            self._drop(connection, _job_id(message))
        return {}

    def _cancel(self, connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        context = self._site.context
        job = conclude.cancel(context, find(context, _job_id(message), connection.owner))
        return {"job": public(job, problem_in(connection.language))}

    def _drop_batch(self, connection: Connection, batch_id: str) -> None:
        watch = connection.watches.pop(batch_id, None)
        if watch is not None:
            watch.close()

    def _drop(self, connection: Connection, job_id: str) -> None:
        listener = connection.listeners.pop(job_id, None)
        if listener is not None:
            self._site.follower.unfollow(job_id, listener)


def _slim(environ: dict[str, Any]) -> None:
    """python-socketio keeps the handshake's environment for as long as the connection lives: what is needed for a context is enough."""
    kept = {name: environ[name] for name in KEPT if name in environ}
    environ.clear()
    environ.update(kept)


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _job_id(message: dict[str, Any]) -> str:
    job_id = message.get("job")
    if not isinstance(job_id, str):
        raise errors.BadRequest("json")
    return job_id
