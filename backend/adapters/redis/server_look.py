"""What a Redis server is like, as far as it concerns us: looked at when anything starts, and by a running gateway each minute.

A failover, or ``CONFIG SET``, may change it at any time. Nothing here needs ``CONFIG``, which many services do not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.exceptions import MovedError, ResponseError

from backend.adapters.redis import rights
from backend.core import redis_url
from backend.core.limits import OLDEST_REDIS

SHORT_TIMEOUT_S = 30
"""Our own connections are used, or pinged, each few seconds; a server that closes them sooner makes a call wait for a new one."""
FULL_CLIENTS = 0.9
KEEPING = "noeviction"


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is one of ``redis_…`` in ``start`` of the texts, which ``params`` fill."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def finding(code: str, **params: object) -> Finding:
    return Finding(code, params)


@dataclass(frozen=True, slots=True)
class ServerLook:
    """``obstacle``: why nothing can work. ``warnings``: what works for now, and will not, or is not safe."""

    version: str = ""
    obstacle: Finding | None = None
    warnings: tuple[Finding, ...] = ()


def look(client: redis.Redis, url: str, prefix: str) -> ServerLook:
    """Raises ``RedisError`` and ``OSError``."""
    address = redis_url.parse(url).shown
    info = _info(client)
    version = str(info.get("redis_version", ""))
    obstacle = _obstacle(address, info, version) or _slot_obstacle(address, client, prefix) or _rights_obstacle(address, client, prefix)
    warnings = [*_warnings(address, client, info), *tls_warnings(url)]
    return ServerLook(version, obstacle, tuple(warnings))


def tls_warnings(url: str) -> Iterator[Finding]:
    tls = redis_url.parse(url).tls
    if tls is not None and tls.verify != "full":
        yield finding("redis_tls_weak_ca" if tls.verify == "ca" else "redis_tls_weak_none", address=redis_url.parse(url).shown)


def _info(client: redis.Redis) -> Mapping[str, Any]:
    """Empty where the server does not tell."""
    try:
        return dict(client.info())
    except ResponseError:
        return {}


def _obstacle(address: str, info: Mapping[str, Any], version: str) -> Finding | None:
    if version and tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_REDIS:
        return finding("redis_old", address=address, version=version)
    if info.get("role") == "slave":
        return finding("redis_replica", address=address)
    return finding("redis_loading", address=address) if info.get("loading") in (1, "1") else None


def _slot_obstacle(address: str, client: redis.Redis, prefix: str) -> Finding | None:
    """All our keys are in one slot, so one node of a Redis Cluster serves us whole: the one that has it."""
    try:
        client.exists(f"{prefix}rights")
    except MovedError as error:
        return finding("redis_cluster", address=address, owner=f"{error.host}:{error.port}")
    except ResponseError:
        pass  # of which the rights tell
    return None


def _rights_obstacle(address: str, client: redis.Redis, prefix: str) -> Finding | None:
    denied = rights.missing(client, prefix)
    return finding("redis_rights", address=address, commands=", ".join(denied)) if denied else None


def _warnings(address: str, client: redis.Redis, info: Mapping[str, Any]) -> Iterator[Finding]:
    if not info:
        yield finding("redis_no_info", address=address)
    policy = str(info.get("maxmemory_policy", KEEPING))
    if info.get("maxmemory") and policy != KEEPING:
        yield finding("redis_evicts", address=address, policy=policy)
    most, now = int(info.get("maxclients", 0)), int(info.get("connected_clients", 0))
    if most and now > FULL_CLIENTS * most:
        yield finding("redis_clients", address=address, count=now, most=most)
    timeout_s = _idle_timeout_s(client)
    if 0 < timeout_s < SHORT_TIMEOUT_S:
        yield finding("redis_idle", address=address, seconds=timeout_s)


def _idle_timeout_s(client: redis.Redis) -> int:
    try:
        return int(client.config_get("timeout").get("timeout") or 0)
    except ResponseError:
        return 0
