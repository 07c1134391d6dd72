"""Celery as the encoders' pool: one message is one job. Gateways do not import this; a script in Redis pushes the messages (``redis.ticket``).

A message is a ticket that is bound to no job: the task takes the job at the head of the fair queue, encodes it and ends. So no message is
precious. One that comes twice finds nothing to do; one that is lost costs a second, until the Janitor replaces it. Jobs, results and leases
are not Celery's: there is no result backend.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from celery import Celery
from celery.worker.consumer import Consumer
from kombu import Connection as KombuConnection
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import QoS as VirtualQoS
from redis.connection import Connection, SSLConnection
from redis.exceptions import OutOfMemoryError, RedisError

from backend.adapters.redis.client import KEY_PREFIX, sentinel_arguments
from backend.adapters.redis.connections import ReconnectsAfterFailover, VerifiesTls, tls_arguments
from backend.adapters.redis.ticket import QUEUE
from backend.core import redis_url
from backend.core.redis_url import RedisUrl

TIMEOUT_S = 2.0
PREFETCH = 1
"""Tickets that a worker holds for each of its processes: the one that is worked on. A spare one could wait at a busy host while another is idle."""
EVENTS_WAIT_S = 0.05
RETRY_PAUSES_S = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 1.0}
log = logging.getLogger(__name__)


class PromptConnection(KombuConnection):
    """Tries again within a second. kombu's pauses grow by 2 s up to 30: jobs would wait for that long after Redis is back."""

    def _ensure_connection(self, *given: Any, **more: Any) -> Any:
        return super()._ensure_connection(*given, **{**more, **RETRY_PAUSES_S})


class TicketQoS(VirtualQoS):
    """Messages that are outstanding are known to this process alone, and given back from there.

    kombu's own for Redis writes each message into Redis before its task begins, and deletes it there when it is acknowledged. The task waits for
    that, and what a killed worker had comes again after minutes. A ticket is bound to no job, and the Janitor replaces one that is lost within a
    second. For the same reason a lost connection gives none back.
    """

    channel: Any
    _flush: Callable[[], None]

    def restore_unacked(self) -> None:
        self._flush()
        while self._delivered and self.channel.connection.client is not None:
            self._give_back(self._delivered.popitem()[1])
        (self._delivered or {}).clear()

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        if requeue:
            self._give_back(self.get(delivery_tag))
        self.ack(delivery_tag)

    def _give_back(self, message: Any) -> None:
        place = message.delivery_info
        try:
            with self.channel.conn_or_acquire() as client:
                self.channel._do_restore_message(message._raw, place["exchange"], place["routing_key"], client, leftmost=True)
        except (RedisError, OSError) as error:
            log.info("a ticket could not be given back, the janitor replaces it: %r", error)


class TicketConsumer(Consumer):
    """Sends the events of its tasks a moment later. Celery sends ``task-received`` before it hands the task to a process: a round trip more."""

    hub: Any
    _flush_events: Callable[[], None]
    _sends_later = False

    def on_send_event_buffered(self) -> Any:
        if self.hub and not self._sends_later:
            self._sends_later = True
            self.hub.call_later(EVENTS_WAIT_S, self._send_events)

    def _send_events(self) -> None:
        self._sends_later = False
        self._flush_events()


class BrokerConnection(ReconnectsAfterFailover):
    """Also a Redis that is full, or cannot save, is one that comes back: to kombu these are wrong commands, which end the whole worker."""

    passing_kinds = (*ReconnectsAfterFailover.passing_kinds, OutOfMemoryError)
    passing_words = (*ReconnectsAfterFailover.passing_words, "MISCONF", "NOREPLICAS")


def broker_class(base: type[Connection]) -> type[Connection]:
    """Of kombu's connections, of which one kind is made anew for each channel."""
    tls = (VerifiesTls,) if issubclass(base, SSLConnection) else ()
    return type("BrokerConnection", (BrokerConnection, *tls, base), {})


def _connection_parameters(channel: kombu_redis.Channel, asynchronous: bool = False) -> dict[str, Any]:
    parameters = kombus_own(channel, asynchronous)
    return {**parameters, "connection_class": broker_class(parameters["connection_class"])}


kombus_own = kombu_redis.Channel._connparams  # type: ignore[attr-defined]
kombu_redis.Channel._connparams = _connection_parameters  # type: ignore[attr-defined]
kombu_redis.Channel.QoS = TicketQoS  # type: ignore[assignment]


def celery_app(url: str, *, prefix: str = KEY_PREFIX, hard_limit_s: float = 120.0) -> Celery:
    """``prefix`` begins the names of all keys and channels: queues, what is unacknowledged, events, remote control and its answers.

    ``hard_limit_s``: the last resort against a task that hangs. The codec's own limits come first.

    - A ticket is acknowledged when its job is done (``acks_late``), and comes again when its process is killed: that process may have died
      before it took a job (``TicketQoS``). A task that failed has had its job all the same, so its ticket is spent.
    - Events and remote control are on: ``celery inspect``, ``celery events`` and Flower show what the encoders do.
    - A connection that is lost stops no encode, and changes nothing of the prefetch: the job has a lease of its own.
    - A command that Redis refuses, as where a right was taken away, is tried again. Else it ends the worker.
    - Timeouts are explicit, since kombu has none.
    """
    place = redis_url.parse(url)
    app = Celery("webp-gateway", broker=_broker(place), set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        timezone="UTC",
        enable_utc=True,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        task_default_queue=QUEUE,
        task_time_limit=hard_limit_s,
        worker_consumer=f"{__name__}:TicketConsumer",
        worker_prefetch_multiplier=PREFETCH,
        worker_enable_prefetch_count_reduction=False,
        worker_enable_remote_control=True,
        worker_send_task_events=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        broker_use_ssl=tls_arguments(place.tls) if place.tls else None,
        broker_transport_options={**_transport_options(prefix), **_sentinel_options(place)},
    )
    app.amqp.Connection = PromptConnection
    return app


def _transport_options(prefix: str) -> dict[str, Any]:
    return {
        "global_keyprefix": prefix,
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "max_retries": 1,
        "interval_start": 0,
    }


def _broker(place: RedisUrl) -> str:
    """In the words of Celery and Flower, which have their own for sockets and Sentinels. What concerns TLS is in ``broker_use_ssl``."""
    secrets = f"{quote(place.username or '', safe='')}:{quote(place.password, safe='')}@" if place.password else ""
    if place.path:
        return f"redis+socket://{secrets}{quote(place.path)}?virtual_host={place.database}"
    hosts = [f"{secrets}[{host}]:{port}" if ":" in host else f"{secrets}{host}:{port}" for host, port in place.hosts]
    scheme = "sentinel" if place.service else "rediss" if place.tls else "redis"
    return ";".join(f"{scheme}://{each}/{place.database}" for each in hosts)


def _sentinel_options(place: RedisUrl) -> dict[str, Any]:
    return {"master_name": place.service, "sentinel_kwargs": sentinel_arguments(place, TIMEOUT_S)} if place.service else {}
