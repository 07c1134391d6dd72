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
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Flask
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from backend import __version__, background, logs, redis_looks, session_owners, telemetry
from backend.adapters.blocking_uploads import BlockingUploads
from backend.adapters.files import protocol_mark
from backend.adapters.files.api_keys import ApiKeysFile
from backend.adapters.files.folder_size import folder_bytes
from backend.adapters.files.history_file import FileHistory
from backend.adapters.files.watermarks import FolderWatermarks
from backend.adapters.http.receivers import HttpReceivers, ReceiverRules
from backend.adapters.http.sources import HttpSources, Rules
from backend.adapters.own_host_names import network_domains, own_host_names
from backend.adapters.redis import client as redis_client
from backend.adapters.redis.live_state import live_state
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.adapters.redis.scripts import sources
from backend.adapters.redis.shared_secret import shared_secret
from backend.adapters.stores import open_store, open_uploads
from backend.adapters.threaded.pool import Threads
from backend.adapters.threaded.resumable import ThreadedUploads
from backend.adapters.threaded.store import ThreadedStore
from backend.core.api_keys import KeyTable, plain_key
from backend.core.host_names import allowed_hosts
from backend.core.reader import Reader
from backend.errors import CannotStart, SettingsError
from backend.flows import announce
from backend.flows.check_protocol import check_data, check_protocol
from backend.flows.context import Context
from backend.flows.fetch import Fetcher
from backend.flows.follow import Follower
from backend.flows.maintenance import Janitor
from backend.flows.send_webhooks import WebhookSender
from backend.flows.shared_clock import SharedClock
from backend.ports.store import Store
from backend.server import connection_limits, stock_workers
from backend.server.http import error_response
from backend.server.metrics import http_middleware, loop_lag
from backend.server.metrics.metrics_port import MetricsPort
from backend.server.metrics.shared_counters import counters
from backend.server.path_prefix import PathPrefix
from backend.server.security_headers import SecurityHeaders
from backend.server.socketio import session_ids, session_relay, sessions
from backend.server.wsgi import Wsgi
from backend.settings import Settings, key_file
from backend.texts.problems import problem
from backend.web.request import admission, body_rules
from backend.web.request.context import KEY, WebContext
from backend.web.response import headers, problems
from backend.web.routes import resources
from backend.web.socketio.handlers import SocketIOHandlers
from backend.web.status.historian import Historian

log = logging.getLogger(__name__)
FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
SHOWN_PACKAGES = ("gunicorn", "gevent")
"""Of which the operator's page says the versions."""
HISTORY_FILE = "history.json"
SOCKET_MESSAGE_BYTES = 64 << 10


class Gateway:
    """One gateway. Making it starts nothing and connects to nothing, so Gunicorn's master can make it and each worker, forked after that, ``start``
    its own copy."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.clock = settings, SharedClock()
        connection_limits.install(_connection_limits(settings))
        error_response.install(settings.prefix)
        self.store = open_store(settings.storage_url, settings.store_dir, min_free_bytes=settings.min_free_bytes)
        self.uploads = open_uploads(settings.storage_url, settings.store_dir, min_free_bytes=settings.min_free_bytes)
        self.context = context = gateway_context(settings, self.store, self.uploads, self.clock)
        self.looks = redis_looks.RedisLooks(settings.broker_url, settings.key_prefix, context.duties)
        follower = Follower(context)
        self.announcements = _announcements(settings, follower, self.clock)
        follower.attach(self.announcements)
        self.app = app = Flask("webp-gateway", static_folder=None)
        flask_alone = app.wsgi_app
        self.fetcher = _fetcher(settings, context)
        self.webhooks = _webhook_sender(settings, context)
        self.web = _web_context(settings, context, follower, self.fetcher, self.webhooks, self.looks)
        socketio = _socketio(app)
        app.extensions[KEY] = self.web
        self.handlers = SocketIOHandlers(socketio, self.web)
        self.handlers.install()
        _install_routes(app)
        app.wsgi_app = _wrap(app.wsgi_app, flask_alone, settings)  # type: ignore[assignment, method-assign]
        _install_sessions(settings, context, socketio)

    def start(self) -> None:
        """Once, in the process that serves. Raises ``CannotStart``, ``SettingsError``, ``OSError``."""
        settings, context, app = self.settings, self.context, self.app
        if isinstance(self.web.api_keys, ApiKeysFile):
            self.web.api_keys.begin()
        check_data(protocol_mark.needs(settings.store_dir), settings.store_dir, __version__)
        self.store.prepare()
        self.uploads.prepare()
        check_protocol(context.presence, __version__)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        if self.fetcher is not None:
            atexit.register(self.fetcher.hand_back)
        app.wsgi_app = stock_workers.adopt(app.wsgi_app)  # type: ignore[assignment, method-assign]
        telemetry.start(settings, "gateway", app)
        loop_lag.start()
        background.start_soon(
            lambda: background.warm_up(app, context, self.announcements),
            lambda: background.watch_keys(self.web.api_keys, self.handlers),
            lambda: background.look_at_redis(lambda: self.looks.look(name), redis_looks.EVERY_S),
            lambda: background.announce_gateway(_announcer(settings, context, name, self.clock)),
            *background.maintenance(Janitor(context, name, self.fetcher)),
            lambda: background.send_webhooks(self.webhooks),
            lambda: background.record_history(_historian(settings, self.web, name)),
        )


_made_ahead: Gateway | None = None


def make_ahead() -> None:
    """In Gunicorn's master: load every module, and make the gateway that ``create_app`` will start in a worker. What stands in the way of that stands
    in a worker's way too, and is told there."""
    global _made_ahead
    import_module("engineio.async_drivers.gevent")
    sources()
    with contextlib.suppress(SettingsError, CannotStart, OSError):
        _made_ahead = Gateway(Settings.from_environment())
        _made_ahead.app.url_map.update()


def create_app(settings: Settings | None = None) -> Flask:
    """Raises ``SettingsError``, and ``CannotStart`` beside a release or data that it does not understand. Changes nothing outside the process until
    the first request or the Janitor's first round."""
    settings = settings or Settings.from_environment()
    logs.configure_once(logs.Style(**settings.log_style))
    gateway = _made_ahead if _made_ahead is not None and _made_ahead.settings == settings else Gateway(settings)
    gateway.start()
    return gateway.app


def _install_routes(app: Flask) -> None:
    for part in (admission, problems, headers, body_rules):
        part.install(app)
    for resource in resources():
        app.register_blueprint(resource)


def _announcements(settings: Settings, follower: Follower, clock: SharedClock) -> RedisAnnouncements:
    return RedisAnnouncements(
        redis_client.connect(settings.broker_url),
        on_change=follower.on_change,
        on_message=follower.on_message,
        on_gap=follower.on_gap,
        on_delay=_observe_delay,
        prefix=settings.key_prefix,
        clock=clock,
    )


def _announcer(settings: Settings, context: Context, name: str, clock: SharedClock) -> announce.Announcer:
    own = {**announce.identity(name, socket.gethostname(), os.getpid(), __version__), session_owners.BOOT: session_ids.boot.id}

    def facts() -> dict[str, Any]:
        address = _peer_address(settings, context)
        return own if address is None else {**own, "address": address}

    return announce.Announcer(context.presence, "gateways", name, facts, clock)


def _peer_address(settings: Settings, context: Context) -> str | None:
    """Where other hosts reach this gateway, as the operator says or as it looks from here."""
    if settings.peer_address is not None:
        return None if settings.peer_address == "off" else settings.peer_address
    return announce.address(settings.host, settings.port, context.presence.own_address())


def _install_sessions(settings: Settings, context: Context, socketio: SocketIO) -> None:
    sessions.install(socketio, prefix=settings.prefix)
    session_relay.install(_session_owners(settings, context))


def _session_owners(settings: Settings, context: Context) -> session_owners.PresentOwners | None:
    if settings.peer_address == "off":
        return None
    client = redis_client.connect(settings.broker_url)
    return session_owners.PresentOwners(context.presence, lambda: shared_secret(client, settings.key_prefix))


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


def gateway_context(settings: Settings, store: Store, uploads: BlockingUploads, clock: SharedClock) -> Context:
    return Context(
        store=ThreadedStore(store),
        **live_state(redis_client.connect(settings.broker_url), prefix=settings.key_prefix),
        uploads=ThreadedUploads(uploads),
        watermarks=FolderWatermarks(settings.watermarks_dir, Threads(1).run) if settings.watermarks_dir else None,
        limits=settings.limits,
        max_queued_jobs=settings.max_queued_jobs,
        retention_s=settings.retention_s,
        encode_timeout_s=settings.encode_timeout_s,
        shares_results=settings.share_results == "on",
        receiver=receiver(settings),
        sends_webhooks=bool(settings.webhook_secrets),
        clock=clock,
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
    return Fetcher(context, HttpSources(rules))


def _api_keys(settings: Settings) -> KeyTable:
    """Those of the file are read in a thread of their own: its disk may hang."""
    if settings.api_keys_file is None:
        return KeyTable(map(plain_key, settings.api_keys))
    return ApiKeysFile(settings.api_keys_file, key_file.parse, Threads(1).run, settings.kept_api_keys)


def _web_context(
    settings: Settings, context: Context, follower: Follower, fetcher: Fetcher | None, webhooks: WebhookSender | None, looks: redis_looks.RedisLooks
) -> WebContext:
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
        redis_looks=looks,
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
