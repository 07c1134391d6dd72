"""The one place where Redis clients are made: every one with explicit timeouts, every failure as ``BackendUnavailable``.

redis-py's own defaults (5 s, ten retries) turn a hung server into a minute of silence; here a call ends within two seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from backend import errors

CALL_TIMEOUT_S = 1.0
QUEUE = "encode"
"""Celery's, of the messages to encoders."""
KEY_PREFIX = "{webp-gateway}:"
"""The braces put all keys into one slot of a Redis Cluster, so that scripts may touch several."""


def connect(url: str, *, timeout_s: float = CALL_TIMEOUT_S) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=0,
        decode_responses=True,
    )


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise errors.BackendUnavailable(part="redis", retry_after_s=2, private=repr(error)) from error
