"""Socket.IO: ``subscribe``, ``unsubscribe`` and ``cancel``, each with an acknowledgement; ``job``, ``batch`` and ``status`` events follow.

A client's owner, language and address are taken when it connects; once its key no longer counts, it is disconnected. Its messages and
subscriptions are bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO

from backend import errors
from backend.core.batch import has_ended, public_batch, seq
from backend.core.job import Job
from backend.core.public_job import public
from backend.core.reader import Reader
from backend.flows import batch as batches
from backend.flows import conclude
from backend.flows.batch import BatchWatch
from backend.flows.find_job import find
from backend.flows.follow import Listener
from backend.web.request import auth
from backend.web.request.context import WebContext
from backend.web.request.reader import reader
from backend.web.socketio.live_status import LiveStatus
from backend.web.socketio.sender import Event, EventSender

log = logging.getLogger(__name__)
MAX_SUBSCRIPTIONS = 1000
MAX_READERS = 64
EXAMPLE = '{"job": "…"}'
"""Of a message, for sentences that show one."""
MAX_MESSAGES, MESSAGES_WINDOW_S = 1200, 10
"""A page on which a thousand images are dropped subscribes a thousand times. Twice this rate ends the session (``server/socketio``)."""
KEPT_ENVIRON = (
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

Message = dict[str, Any]
Handler = Callable[["Client", Message], dict[str, Any]]


@dataclass(slots=True)
class Client:
    """One Socket.IO client with its subscriptions, by job and by batch. ``reads_figures``: it is sent the operator's. ``messages`` counts
    those of the present window."""

    owner: str
    reader: Reader
    engineio_sid: str = ""
    listeners: dict[str, Listener] = field(default_factory=dict)
    watches: dict[str, BatchWatch] = field(default_factory=dict)
    reads_figures: bool = False
    messages: int = 0
    window_began_s: float = 0.0


class SocketIOHandlers:
    """All Socket.IO clients of one process."""

    def __init__(self, socketio: SocketIO, web: WebContext) -> None:
        self._socketio, self._web = socketio, web
        self._clients: dict[str, Client] = {}
        self._readers: dict[Reader, Reader] = {}
        self._sender = EventSender(socketio.server)
        self._live_status = LiveStatus(web)

    def install(self) -> None:
        on = self._socketio.on_event
        on("connect", self._connect)
        on("disconnect", self._disconnect)
        on("subscribe", self._acknowledging(self._subscribe))
        on("unsubscribe", self._acknowledging(self._unsubscribe))
        on("cancel", self._acknowledging(self._cancel))

    def _connect(self, handshake: Any = None) -> None:
        key = handshake.get("key") if isinstance(handshake, dict) else None
        try:
            known = auth.key_of(self._web, key if isinstance(key, str) else "")
        except errors.Unauthorized as error:
            refusal = reader().problem(error.as_record())
            raise ConnectionRefusedError(refusal["detail"], refusal) from None
        self._clients[_sid()] = Client(known.digest if known else "", self._one_of_equal(reader()), self._sender.engineio_sid(_sid()))
        _shrink(request.environ)

    def _one_of_equal(self, known: Reader) -> Reader:
        """Most clients are equal readers. Then one is kept, and what is made for a reader is found by the same object."""
        if len(self._readers) >= MAX_READERS:
            self._readers.clear()
        return self._readers.setdefault(known, known)

    def _disconnect(self, reason: str = "") -> None:
        client = self._clients.pop(_sid(), None)
        if client is not None:
            self._sender.drop_backlog(client.engineio_sid)
            self._live_status.unsubscribe(client.engineio_sid)
            for job_id, listener in client.listeners.items():
                self._web.follower.unfollow(job_id, listener)
            for watch in client.watches.values():
                watch.close()

    def _acknowledging(self, handle: Handler) -> Callable[..., dict[str, Any]]:
        """The handler of one event. It acknowledges with what ``handle`` returns, or with the problem that it raises."""

        def handler(message: Any = None, *_: Any) -> dict[str, Any]:
            client = self._clients.get(_sid()) or Client("", reader())
            try:
                if not isinstance(message, dict):
                    raise errors.BadRequest("json", example=EXAMPLE)
                self._check_key(client)
                self._check_rate(client)
                return {"ok": True, **handle(client, message)}
            except errors.GatewayError as error:
                return {"ok": False, "error": client.reader.problem(error.as_record())}
            except Exception as error:
                log.error("unexpected %r on a socket", error, exc_info=error)
                return {"ok": False, "error": client.reader.problem(errors.Internal().as_record())}

        return handler

    def disconnect_refused(self) -> None:
        """Those whose key no longer counts, or no longer reads the figures that it is sent. Meant to be called about once a second."""
        web = self._web
        if not web.api_keys.are_set:
            return
        admitted = {owner: auth.is_admitted(web, owner) for owner in {each.owner for each in self._clients.values()}}
        for sid, client in list(self._clients.items()):
            if not admitted.get(client.owner) or (client.reads_figures and not _may_read_figures(web, client)):
                self._socketio.server.disconnect(sid)

    def _check_key(self, client: Client) -> None:
        if not auth.is_admitted(self._web, client.owner):
            raise errors.Unauthorized()

    def _check_rate(self, client: Client) -> None:
        now = self._web.context.clock()
        if now - client.window_began_s >= MESSAGES_WINDOW_S:
            client.messages, client.window_began_s = 0, now
        client.messages += 1
        if client.messages > MAX_MESSAGES:
            raise errors.BadRequest("message_rate", limit=MAX_MESSAGES, seconds=MESSAGES_WINDOW_S)

    def _subscribe(self, client: Client, message: Message) -> dict[str, Any]:
        if "batch" in message:
            return self._subscribe_batch(client, message)
        if message.get("status") is True:
            return {"status": self._subscribe_status(client)}
        return self._subscribe_job(client, _job_id(message), _after(message))

    def _subscribe_job(self, client: Client, job_id: str, after: int | None) -> dict[str, Any]:
        if len(client.listeners) >= MAX_SUBSCRIPTIONS and job_id not in client.listeners:
            raise errors.BadRequest("subscriptions", limit=MAX_SUBSCRIPTIONS)
        self._unsubscribe_job(client, job_id)
        client.listeners[job_id] = listener = self._job_listener(client)
        try:
            job = self._web.follower.follow(job_id, listener, owner=client.owner, after=after)
        except BaseException:
            client.listeners.pop(job_id, None)
            raise
        if job.status.has_ended:
            client.listeners.pop(job_id, None)
        return {"job": public(job, client.reader)}

    def _job_listener(self, client: Client) -> Listener:
        sender, sid, known = self._sender, client.engineio_sid, client.reader

        def send(job: Job) -> None:
            sender.send_job(sid, job, known)
            if job.status.has_ended:
                client.listeners.pop(job.id, None)

        return send

    def _subscribe_status(self, client: Client) -> dict[str, Any]:
        if not _may_read_figures(self._web, client):
            raise errors.OperatorOnly("operator")
        client.reads_figures = True
        return self._live_status.subscribe(client.engineio_sid, self._status_sender(_sid()))

    def _status_sender(self, sid: str) -> Callable[[dict[str, Any]], None]:
        return lambda seen: self._socketio.emit("status", seen, to=sid)

    def _subscribe_batch(self, client: Client, message: Message) -> dict[str, Any]:
        """Each event is the whole batch. So a client that resumes needs no earlier ones: the present state is all that is new to it."""
        if not isinstance(message["batch"], str):
            raise errors.BadRequest("json", example=EXAMPLE)
        batch, jobs = batches.find_batch(self._web.context, message["batch"], client.owner)
        if len(client.watches) >= MAX_SUBSCRIPTIONS and batch.id not in client.watches:
            raise errors.BadRequest("subscriptions", limit=MAX_SUBSCRIPTIONS)
        sid, known = client.engineio_sid, client.reader

        def send(now: list[Job]) -> None:
            payload = partial(public_batch, batch, now, known)
            self._sender.send(sid, self._sender.packet(Event("batch", batch.id, (seq(now), known), payload)))

        self._unsubscribe_batch(client, batch.id)
        if not has_ended(jobs):
            client.watches[batch.id] = BatchWatch(self._web.context, self._web.follower, batch, send)
            jobs = client.watches[batch.id].begin()
        return {"batch": public_batch(batch, jobs, known)}

    def _unsubscribe(self, client: Client, message: Message) -> dict[str, Any]:
        if message.get("status") is True:
            client.reads_figures = False
            self._live_status.unsubscribe(client.engineio_sid)
        elif isinstance(message.get("batch"), str):
            self._unsubscribe_batch(client, message["batch"])
        else:
            self._unsubscribe_job(client, _job_id(message))
        return {}

    def _cancel(self, client: Client, message: Message) -> dict[str, Any]:
        context = self._web.context
        job = conclude.cancel(context, find(context, _job_id(message), client.owner))
        return {"job": public(job, client.reader)}

    def _unsubscribe_batch(self, client: Client, batch_id: str) -> None:
        watch = client.watches.pop(batch_id, None)
        if watch is not None:
            watch.close()

    def _unsubscribe_job(self, client: Client, job_id: str) -> None:
        listener = client.listeners.pop(job_id, None)
        if listener is not None:
            self._web.follower.unfollow(job_id, listener)


def _may_read_figures(web: WebContext, client: Client) -> bool:
    found = web.api_keys.find(client.owner)
    return found.reads_figures if found is not None else not web.api_keys.are_set


def _shrink(environ: dict[str, Any]) -> None:
    """python-socketio keeps the handshake's environment for as long as the client is connected. Flask's request needs no more than this of it."""
    kept = {name: environ[name] for name in KEPT_ENVIRON if name in environ}
    environ.clear()
    environ.update(kept)


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _job_id(message: Message) -> str:
    job_id = message.get("job")
    if not isinstance(job_id, str):
        raise errors.BadRequest("json", example=EXAMPLE)
    return job_id


def _after(message: Message) -> int | None:
    after = message.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
        raise errors.BadRequest("json", example=EXAMPLE)
    return after
