"""Celery as the encoders' dispatcher: a message says only that jobs wait; which job comes next is decided by the fair queue in Redis.
Encoders that rest between two jobs are rung instead (``redis_bell``), which is quicker.

So no message is precious: one that is lost, late or doubled changes nothing but the moment at which an idle encoder looks.
Jobs, results and leases are not Celery's (no result backend); JSON only; explicit timeouts, since kombu has none.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import QoS as VirtualQoS
from redis.exceptions import RedisError

from backend import errors
from backend.adapters.redis.client import KEY_PREFIX, QUEUE
from backend.adapters.redis_bell import RedisBell

TASK = "encode.next"
TIMEOUT_S = 2.0
log = logging.getLogger(__name__)


class ForgivingQoS(kombu_redis.QoS):
    """With kombu's own, an acknowledgement that meets a dead Redis is counted as outstanding for ever. With prefetch 1 and all processes busy
    that closes the window, the consumer never listens again, and so never notices that its connection is gone."""

    def ack(self, delivery_tag: Any) -> None:
        try:
            super().ack(delivery_tag)
        except (RedisError, OSError) as error:
            log.warning("a message could not be acknowledged, it may come again: %r", error)
            VirtualQoS.ack(self, delivery_tag)


kombu_redis.Channel.QoS = ForgivingQoS


def celery_app(redis_url: str, *, hard_limit_s: float = 120.0) -> Celery:
    """``hard_limit_s`` is the last resort for a task; the codec's own limits come first."""
    app = Celery("webp-gateway", broker=_dialect(redis_url), set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        timezone="UTC",
        enable_utc=True,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=QUEUE,
        task_time_limit=hard_limit_s,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=4,
        broker_transport_options={
            "global_keyprefix": KEY_PREFIX,
            "socket_timeout": TIMEOUT_S,
            "socket_connect_timeout": TIMEOUT_S,
            "max_retries": 1,
            "interval_start": 0,
            "visibility_timeout": int(2 * hard_limit_s + 60),
            "unacked_restore_interval": 5,
        },
    )
    return app


def _dialect(redis_url: str) -> str:
    """Celery's word for a unix socket differs from redis-py's."""
    return redis_url.replace("unix://", "redis+socket://", 1)


class CeleryEncoders:
    def __init__(self, app: Celery, bell: RedisBell) -> None:
        self._app, self._bell = app, bell

    def connect(self) -> None:
        """What the first ``wake`` would have to do otherwise: imports, a connection, the queue. Raises ``BackendUnavailable``."""
        self._bell.ring(0)
        try:
            with self._app.producer_or_acquire() as producer:
                producer.maybe_declare(self._app.amqp.queues[QUEUE])
        except (OperationalError, OSError, RedisError) as error:
            raise errors.BackendUnavailable(part="queue", retry_after_s=2, private=repr(error)) from error

    def wake(self, count: int = 1) -> None:
        messages = self._bell.ring(count) if count else 0
        try:
            for _ in range(messages):
                self._app.send_task(TASK, queue=QUEUE, retry=False, expires=3600)
        except (OperationalError, OSError) as error:
            raise errors.BackendUnavailable(part="queue", retry_after_s=2, private=repr(error)) from error


class EncodersBeside:
    """``wake`` for the gateway's loop. What it says is a hint: nobody's answer waits for it, and what comes while it is on its way goes together."""

    def __init__(self, encoders: CeleryEncoders) -> None:
        self._encoders, self._wanted = encoders, 0
        self._is_waking = False

    def connect(self) -> None:
        """As ``CeleryEncoders.connect``."""
        self._encoders.connect()

    def wake(self, count: int = 1) -> None:
        self._wanted += count
        if self._wanted and not self._is_waking:
            self._is_waking = True
            threading.Thread(target=self._wake, name="wake", daemon=True).start()

    def _wake(self) -> None:
        try:
            while wanted := self._wanted:
                self._wanted = 0
                self._encoders.wake(wanted)
        except errors.BackendUnavailable as error:
            log.warning("encoders could not be told that jobs wait; the caretaker will: %s", error.private)
        finally:
            self._is_waking = False
