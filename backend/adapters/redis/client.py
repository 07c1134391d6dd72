"""The one place where Redis clients are made, with explicit timeouts; ``translate_errors`` turns every failure into ``BackendUnavailable``.

redis-py's own defaults (5 s, ten retries) turn a hung server into a minute of silence; here a call ends within two seconds, and one
more where all connections are taken.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import DefaultParser
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from backend import errors
from backend.adapters.redis import connections
from backend.adapters.redis.connection_pool import BoundedPool, BoundedSentinelPool
from backend.adapters.redis.connections import tls_arguments
from backend.core import redis_url
from backend.core.redis_url import RedisUrl

CALL_TIMEOUT_S = 1.0
DRIVER = redis.DriverInfo(lib_version=redis.__version__)
"""redis-py looks its version up among all installed packages for each connection: 1 MiB of memory that is then no longer shared."""
KEY_PREFIX = "{webp-gateway}:"
"""Of a deployment that was given no other (``GATEWAY_REDIS_PREFIX``)."""


_gevent = sys.modules.get("gevent.monkey")
_poll = _gevent.get_original("select", "poll") if _gevent is not None else select.poll
"""The system's own ``poll``; an encoder is not patched and has no other."""


class Parser(DefaultParser):  # type: ignore[misc, valid-type]
    """Asks the system, and not gevent's loop, whether a connection is still silent.

    redis-py asks that before each command. gevent's poll turns the loop once for it; the system's does not, which saves a third of the command.
    """

    def can_read(self, timeout: float = 0) -> bool:
        return not (timeout == 0 and self._is_silent()) and bool(super().can_read(timeout))

    def _is_silent(self) -> bool:
        """As far as the system knows. It does not know what TLS has deciphered already, so that case is left to redis-py."""
        if self._sock is None or self._reader is None or hasattr(self._sock, "pending") or self._reader.has_data():
            return False
        poller = _poll()
        poller.register(self._sock.fileno(), select.POLLIN)
        return not poller.poll(0)


def connect(url: str, *, timeout_s: float = CALL_TIMEOUT_S, retries: int = 1) -> redis.Redis:
    """``url`` is one of ``core.redis_url``. Raises ``ValueError`` for another; connects to nothing yet."""
    place = redis_url.parse(url)
    options = {
        **_place_arguments(place),
        "wait_s": timeout_s,
        "db": place.database,
        "username": place.username,
        "password": place.password,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), retries),
        "health_check_interval": 0,
        "decode_responses": True,
        "parser_class": Parser,
        "driver_info": DRIVER,
    }
    pool = BoundedSentinelPool(place.service, sentinels(place, timeout_s), **options) if place.service else BoundedPool(**options)
    return redis.Redis.from_pool(pool)


def _place_arguments(place: RedisUrl) -> dict[str, Any]:
    if place.path:
        return {"connection_class": connections.UnixConnection, "path": place.path}
    tls = tls_arguments(place.tls) if place.tls else {}
    if place.service:
        return {"connection_class": connections.SentinelTlsConnection if tls else connections.SentinelConnection, **tls}
    host, port = place.hosts[0]
    return {"connection_class": connections.TlsConnection if tls else connections.TcpConnection, "host": host, "port": port, **tls}


def sentinels(place: RedisUrl, timeout_s: float) -> Sentinel:
    """They are asked one after the other, each for so long; the one that answered is asked first the next time."""
    return Sentinel(place.hosts, sentinel_kwargs=sentinel_arguments(place, timeout_s))  # type: ignore[no-untyped-call]


def sentinel_arguments(place: RedisUrl, timeout_s: float) -> dict[str, Any]:
    return {
        "username": place.sentinel_username,
        "password": place.sentinel_password,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        **({"ssl": True, **tls_arguments(place.tls)} if place.tls else {}),
    }


@contextmanager
def translate_errors() -> Iterator[None]:
    """``LiveStateFull`` where Redis refused a first write since it is full: nothing was changed then."""
    try:
        yield
    except (RedisError, OSError) as error:
        kind = errors.LiveStateFull if _is_full(error) else errors.BackendUnavailable
        raise kind(part="redis", retry_after_s=2, private=repr(error)) from error


def _is_full(error: Exception) -> bool:
    """Servers before Redis 7 wrap what a script met into an error of the script."""
    return isinstance(error, OutOfMemoryError) or "OOM command not allowed" in str(error)
