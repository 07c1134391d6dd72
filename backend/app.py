"""Composition root of a gateway process: settings in, a Flask application with everything attached out."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import platform
import secrets
import shutil
import socket
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gevent
from flask import Flask
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from backend import __version__, errors, logs, telemetry
from backend.adapters.files.api_keys import LOOK_EVERY_S, ApiKeysFile
from backend.adapters.files.folder_size import folder_bytes
from backend.adapters.files.history_file import FileHistory
from backend.adapters.files.resumable import FileUploads
from backend.adapters.http.receivers import HttpReceivers, ReceiverRules
from backend.adapters.http.sources import HttpSources, Rules
from backend.adapters.own_host_names import network_domains, own_host_names
from backend.adapters.redis import client as redis_client
from backend.adapters.redis.live_state import live_state
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.adapters.stores import open_store
from backend.adapters.threaded.pool import Threads
from backend.adapters.threaded.resumable import ThreadedUploads
from backend.adapters.threaded.store import ThreadedStore
from backend.core.api_keys import KeyTable, plain_key
from backend.core.host_names import allowed_hosts
from backend.core.reader import Reader
from backend.flows import announce, shares
from backend.flows.context import Context
from backend.flows.fetch import Fetcher
from backend.flows.follow import Follower
from backend.flows.maintenance import Janitor
from backend.flows.send_webhooks import WebhookSender
from backend.ports.announcements import Announcements
from backend.ports.api_keys import ApiKeys
from backend.server import connection_limits
from backend.server.http import error_response
from backend.server.metrics import http_middleware, loop_lag
from backend.server.metrics.metrics_port import MetricsPort
from backend.server.metrics.shared_counters import counters
from backend.server.path_prefix import PathPrefix
from backend.server.security_headers import SecurityHeaders
from backend.server.socketio import sessions
from backend.server.wsgi import Wsgi
from backend.settings import Settings, key_file
from backend.texts.problems import problem
from backend.web.request import admission, body_rules
from backend.web.request.context import KEY, WebContext
from backend.web.response import headers, problems
from backend.web.routes import resources
from backend.web.socketio.handlers import SocketIOHandlers
from backend.web.status import historian
from backend.web.status.historian import Historian

log = logging.getLogger(__name__)
FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
MAINTAIN_EVERY_S = 1.0
REST_SHARE = 0.25
SHOWN_PACKAGES = ("gunicorn", "gevent")
"""Of which the operator's page says the versions."""
HISTORY_FILE = "history.json"
BEGIN_AFTER_S = 0.02
SOCKET_MESSAGE_BYTES = 64 << 10


def create_app(settings: Settings | None = None) -> Flask:
    """Raises ``SettingsError``. Touches nothing outside the process until the first request or the Janitor's first round."""
    settings = settings or Settings.from_environment()
    logs.configure_once(logs.Style(**settings.log_style))
    connection_limits.install(_connection_limits(settings))
    error_response.install(settings.prefix)
    context = gateway_context(settings)
    follower = Follower(context)
    announcements = RedisAnnouncements(
        redis_client.connect(settings.broker_url),
        on_change=follower.on_change,
        on_message=follower.on_message,
        on_gap=follower.on_gap,
        on_delay=_observe_delay,
        prefix=settings.key_prefix,
    )
    follower.attach(announcements)
    app = Flask("webp-gateway", static_folder=None)
    flask_alone = app.wsgi_app
    fetcher = _fetcher(settings, context)
    webhooks = _webhook_sender(settings, context)
    web = _web_context(settings, context, follower, fetcher, webhooks)
    socketio = _socketio(app)
    app.extensions[KEY] = web
    handlers = SocketIOHandlers(socketio, web)
    handlers.install()
    for part in (admission, problems, headers, body_rules):
        part.install(app)
    for resource in resources():
        app.register_blueprint(resource)
    app.wsgi_app = _wrap(app.wsgi_app, flask_alone, settings)  # type: ignore[assignment, method-assign]
    telemetry.start(settings, "gateway", app)
    sessions.install(socketio, prefix=settings.prefix)
    loop_lag.start()
    gevent.spawn_later(BEGIN_AFTER_S, _warm_up, app, context, announcements)
    gevent.spawn(_watch_keys, web.api_keys, handlers)
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    gevent.spawn_later(BEGIN_AFTER_S, _announce, _announcer(settings, context, name))
    _start_background(Janitor(context, name, fetcher), webhooks)
    gevent.spawn_later(BEGIN_AFTER_S, _record_history, _historian(settings, web, name))
    return app


def _start_background(janitor: Janitor, webhooks: WebhookSender | None) -> None:
    """A moment later: ``gunicorn --check-config`` makes the application too and ends at once, and gevent gives each greenlet a turn at the end."""
    gevent.spawn_later(BEGIN_AFTER_S, _maintain, janitor)
    gevent.spawn_later(BEGIN_AFTER_S, _look_after_store, janitor)
    if webhooks is not None:
        gevent.spawn_later(BEGIN_AFTER_S, _send_webhooks, webhooks)


def _announcer(settings: Settings, context: Context, name: str) -> announce.Announcer:
    own = announce.identity(name, socket.gethostname(), os.getpid(), __version__)

    def facts() -> dict[str, Any]:
        address = announce.address(settings.host, settings.port, context.presence.own_address())
        return own if address is None else {**own, "address": address}

    return announce.Announcer(context.presence, "gateways", name, facts)


def _historian(settings: Settings, web: WebContext, name: str) -> Historian:
    threads = Threads(1)
    file = FileHistory(settings.data_dir / HISTORY_FILE, threads.run)
    return Historian(web, name, file, lambda: threads.run(folder_bytes, settings.data_dir))


def _wrap(app: Wsgi, flask_alone: Wsgi, settings: Settings) -> Wsgi:
    """What every request passes on its way to Socket.IO and Flask, the last line first."""
    hops = settings.proxy_hops
    app = admission.Admission(app, flask_alone, _admission_rules(settings))
    if hops:
        app = ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops)
    if settings.prefix or hops:
        app = PathPrefix(app, settings.prefix, hops)
    if settings.metrics_bind:
        app = MetricsPort(app, settings.metrics_bind[1])
    return SecurityHeaders(app)


def _admission_rules(settings: Settings) -> admission.Rules:
    domains = network_domains() if settings.is_in_container else ()
    hosts = allowed_hosts(settings.host_patterns, (*own_host_names(), *settings.given_names), domains)
    own = settings.public_origin.lower()
    return admission.Rules(hosts, frozenset((*settings.allowed_origins, own)) - {""}, own)


def _connection_limits(settings: Settings) -> connection_limits.ConnectionLimits:
    return connection_limits.ConnectionLimits(
        body_idle_timeout_s=settings.body_idle_s,
        body_min_bytes_per_s=settings.body_min_bytes_per_s,
        linger_bytes=settings.max_upload_bytes + connection_limits.MIB,
        websocket_message_bytes=SOCKET_MESSAGE_BYTES,
        connections_per_address=settings.connections_per_address,
    )


def gateway_context(settings: Settings) -> Context:
    store = open_store(settings.storage_url, settings.store_dir, min_free_bytes=settings.min_free_bytes)
    store.prepare()
    resumable = FileUploads(settings.store_dir)
    resumable.prepare()
    return Context(
        store=ThreadedStore(store),
        **live_state(redis_client.connect(settings.broker_url), prefix=settings.key_prefix),
        uploads=ThreadedUploads(resumable),
        limits=settings.limits,
        max_queued_jobs=settings.max_queued_jobs,
        retention_s=settings.retention_s,
        encode_timeout_s=settings.encode_timeout_s,
        shares_results=settings.share_results == "on",
        receiver=receiver(settings),
        sends_webhooks=bool(settings.webhook_secrets),
    )


def receiver(settings: Settings) -> Reader:
    """For whom webhooks are written: a program, which is given codes beside the English sentences."""
    return Reader("en", problem, settings.prefix, settings.public_origin)


def _webhook_sender(settings: Settings, context: Context) -> WebhookSender | None:
    if not settings.webhook_secrets:
        return None
    timeout_s = float(settings.webhook_timeout_s)
    receivers = HttpReceivers(ReceiverRules(settings.webhook_allowed_networks, timeout_s))
    return WebhookSender(context, receivers, settings.webhook_secrets, timeout_s, settings.webhook_pauses_s)


def _fetcher(settings: Settings, context: Context) -> Fetcher | None:
    if settings.fetch == "off":
        return None
    rules = Rules(settings.fetch_allowed_networks, float(settings.fetch_timeout_s), settings.body_min_bytes_per_s)
    fetcher = Fetcher(context, HttpSources(rules))
    atexit.register(fetcher.hand_back)
    return fetcher


def _api_keys(settings: Settings) -> KeyTable:
    """Those of the file are read in a thread of their own: its disk may hang."""
    if settings.api_keys_file is None:
        return KeyTable(map(plain_key, settings.api_keys))
    return ApiKeysFile(settings.api_keys_file, key_file.parse, Threads(1).run, settings.kept_api_keys)


def _web_context(settings: Settings, context: Context, follower: Follower, fetcher: Fetcher | None, webhooks: WebhookSender | None) -> WebContext:
    def process_health() -> dict[str, Any]:
        return {"pid": os.getpid(), "loop_delay_ms": round(loop_lag.current(), 1), "watched_jobs": follower.watched_count()}

    def disk() -> dict[str, Any] | None:
        try:
            found = shutil.disk_usage(settings.store_dir)
        except OSError:
            return None
        return {"total_bytes": found.total, "free_bytes": found.free, "store": (settings.storage_url or "file").partition(":")[0]}

    def free_bytes() -> int | None:
        found = disk()
        return None if found is None else int(found["free_bytes"])

    return WebContext(
        context=context,
        follower=follower,
        fetcher=fetcher,
        receivers=webhooks.receivers if webhooks else None,
        pending_webhooks=settings.client_webhooks,
        frontend=FRONTEND,
        version=__version__,
        api_keys=_api_keys(settings),
        allowed_origins=settings.allowed_origins,
        public_origin=settings.public_origin,
        rate_limit=settings.rate_limit,
        client_limits=settings.client_limits,
        max_files=settings.max_files,
        process_health=process_health,
        worker_counters=counters.read_all,
        bind_log=logs.bind,
        free_bytes=free_bytes,
        disk=disk,
        versions={"python": platform.python_version(), **{name: version(name) for name in SHOWN_PACKAGES}},
        metrics_port=settings.metrics_bind[1] if settings.metrics_bind else None,
    )


def _socketio(app: Flask) -> SocketIO:
    """No message queue: announcements come through the follower, so that a worker hears only of jobs that its own clients watch. Foreign pages were
    refused before (``web/request/admission``); whoever comes as far as this may read the answer."""
    return SocketIO(
        app,
        async_mode="gevent",
        cors_allowed_origins="*",
        ping_interval=10,
        ping_timeout=10,
        max_http_buffer_size=SOCKET_MESSAGE_BYTES,
        manage_session=False,
        always_connect=False,
    )


def _observe_delay(seconds: float) -> None:
    http_middleware.observe("event_delay", seconds, http_middleware.BOUNDS_S)


def _warm_up(app: Flask, context: Context, announcements: Announcements) -> None:
    """Connect and subscribe now, which otherwise would be done in each worker's first request and cost it some 50 ms."""
    app.url_map.update()
    announcements.start()
    try:
        context.store.check()
        context.queue.depth()
    except errors.GatewayError as error:
        log.info("not everything is within reach yet: %s", error)


def _send_webhooks(webhooks: WebhookSender) -> None:
    while True:
        try:
            if not webhooks.send_due():
                webhooks.wait()
        except errors.GatewayError as error:
            log.warning("no webhook can be sent now: %s", error)
            time.sleep(MAINTAIN_EVERY_S)
        except Exception as error:
            log.error("sending webhooks met an unexpected %r", error, exc_info=error)
            time.sleep(MAINTAIN_EVERY_S)


def _watch_keys(api_keys: ApiKeys, handlers: SocketIOHandlers) -> None:
    """What the operator changes of the keys counts within two rounds, for open sockets too; so does a key's expiry."""
    while api_keys.are_set:
        time.sleep(LOOK_EVERY_S)
        try:
            if isinstance(api_keys, ApiKeysFile):
                api_keys.look()
            handlers.disconnect_refused()
        except Exception as error:
            log.error("watching the API keys met an unexpected %r", error, exc_info=error)


def _maintain(janitor: Janitor) -> None:
    outage = logs.Outage(log)
    while True:
        try:
            shares.tell_bytes(janitor.context)
            janitor.look_after_jobs()
            outage.end("maintenance goes on")
        except errors.GatewayError as error:
            outage.tell("maintenance could not be finished this time, and is tried again: %s", error)
        except errors.Overstayed:
            pass  # The watchdog has logged where it was.
        except Exception as error:
            log.error("maintenance met an unexpected %r", error, exc_info=error)
        time.sleep(MAINTAIN_EVERY_S)


def _look_after_store(janitor: Janitor) -> None:
    """Between two parts of a scan the requests have the processor for a quarter of the time that the part took, at least."""
    outage = logs.Outage(log)
    while True:
        begun, has_more = time.monotonic(), False
        try:
            has_more = janitor.look_after_store()
            outage.end("the store is looked after again")
        except errors.GatewayError as error:
            outage.tell("the store could not be looked after this time, which is tried again: %s", error)
        except errors.Overstayed:
            pass  # The watchdog has logged where it was.
        except Exception as error:
            log.error("looking after the store met an unexpected %r", error, exc_info=error)
        time.sleep(max(0.01, REST_SHARE * (time.monotonic() - begun)) if has_more else MAINTAIN_EVERY_S)


def _announce(announcer: announce.Announcer) -> None:
    atexit.register(_leave, announcer)
    outage = logs.Outage(log)
    while True:
        try:
            announcer.beat()
            outage.end("this gateway sends its heartbeat again")
        except errors.BackendUnavailable as error:
            outage.tell("this gateway cannot send its heartbeat, and tries again: %s", error.private)
        time.sleep(announce.HEARTBEAT_EVERY_S)


def _leave(announcer: announce.Announcer) -> None:
    with contextlib.suppress(errors.BackendUnavailable):
        announcer.leave()


def _record_history(recorder: Historian) -> None:
    atexit.register(_finish_history, recorder)
    while True:
        try:
            recorder.record()
        except errors.GatewayError as error:
            log.info("no sample of the figures is kept this time: %s", error)
        except Exception as error:
            log.error("the history of the figures met an unexpected %r", error, exc_info=error)
        time.sleep(historian.EVERY_S)


def _finish_history(recorder: Historian) -> None:
    with contextlib.suppress(errors.GatewayError):
        recorder.finish()
