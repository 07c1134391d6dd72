"""What all routes need: the flows' context, the follower of jobs, and the operator's rules for clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from flask import current_app

from backend.core.api_keys import KeyTable
from backend.core.client_limits import ClientLimits
from backend.flows.context import Context
from backend.flows.fetch import Fetcher
from backend.flows.follow import Follower
from backend.ports.api_keys import ApiKeys
from backend.ports.receivers import Receivers
from backend.web.metrics.prometheus import Worker

KEY = "webp-gateway"


class RedisWarnings(Protocol):
    """By code, for health; and in sentences by language, for the operator's page."""

    def codes(self) -> dict[str, Any]: ...
    def sentences(self) -> list[dict[str, str]]: ...


@dataclass(frozen=True, slots=True)
class WebContext:
    """One a process; the composition root makes it.

    ``fetcher`` is None where fetching by URL is off. ``rate_limit`` is a number of requests and a window in seconds. ``client_limits`` are those
    of a client whose key has none of its own. ``receivers`` is None where there are no webhooks; a client may have so many ``pending_webhooks``.
    ``process_health`` gives what health says of this process.
    ``worker_counters`` reads the counters of all workers. ``free_bytes`` is the store's free space, None where it is not known. ``disk`` is
    the same for the operator's page, with the whole disk. ``versions`` are those of what the gateway runs on, by name.
    ``redis_looks`` say what of the Redis server will not do.
    ``public_origin`` is the scheme and host under which clients see the gateway, where the operator says so.
    ``metrics_port`` is the only port that answers ``/metrics``, and then without a key; None: every port, with an operator's key where there are
    keys. ``bind_log`` names the request in the log lines that follow.
    """

    context: Context
    follower: Follower
    frontend: Path
    version: str
    api_keys: ApiKeys = KeyTable()
    allowed_origins: tuple[str, ...] = ()
    public_origin: str = ""
    fetcher: Fetcher | None = None
    rate_limit: tuple[int, int] | None = None
    client_limits: ClientLimits = ClientLimits()
    receivers: Receivers | None = None
    pending_webhooks: int = 10_000
    max_files: int = 100
    process_health: Callable[[], dict[str, Any]] = field(default=dict)
    worker_counters: Callable[[], Sequence[Worker]] = field(default=list)
    free_bytes: Callable[[], int | None] = field(default=lambda: None)
    disk: Callable[[], dict[str, Any] | None] = field(default=lambda: None)
    versions: Mapping[str, str] = field(default_factory=dict)
    redis_looks: RedisWarnings | None = None
    metrics_port: int | None = None
    bind_log: Callable[[str], None] = field(default=lambda request_id: None)


def web_context() -> WebContext:
    return cast(WebContext, current_app.extensions[KEY])


def flow_context() -> Context:
    return web_context().context
