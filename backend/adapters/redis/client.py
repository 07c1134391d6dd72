"""The one place where Redis clients are made, with explicit timeouts; ``translate_errors`` turns every failure into ``BackendUnavailable``.

redis-py's own defaults (5 s, ten retries) turn a hung server into a minute of silence; here a call ends within two seconds, and one
more where all connections are taken.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.connection import DefaultParser
from redis.exceptions import RedisError
from redis.retry import Retry

from backend import errors
from backend.adapters.redis.connection_pool import BoundedPool

CALL_TIMEOUT_S = 1.0
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


def connect(url: str, *, timeout_s: float = CALL_TIMEOUT_S) -> redis.Redis:
    pool = BoundedPool.from_url(
        url,
        wait_s=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=0,
        decode_responses=True,
        parser_class=Parser,
    )
    return redis.Redis.from_pool(pool)


@contextmanager
def translate_errors() -> Iterator[None]:
    """``LiveStateFull`` where Redis refused a first write since it is full: nothing was changed then."""
    try:
        yield
    except (RedisError, OSError) as error:
        kind = errors.LiveStateFull if "OOM command not allowed" in str(error) else errors.BackendUnavailable
        raise kind(part="redis", retry_after_s=2, private=repr(error)) from error
