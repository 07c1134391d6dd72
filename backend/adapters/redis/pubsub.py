"""Announcements over Redis pub/sub: a process hears of the jobs that it is subscribed to, and of no others.

One connection and one listener a process. Announcements are hints: after a broken connection the listener subscribes again to everything
and calls ``on_gap``. The follower then reads from the log what it missed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import cast

import redis
from redis.exceptions import RedisError

from backend import errors
from backend.adapters.redis.client import KEY_PREFIX, translate_errors
from backend.ports.announcements import Kind
from backend.ports.clock import Clock

log = logging.getLogger(__name__)
RETRY_S = 0.3
STEADY_S = 1.0
"""An interruption that comes sooner than this after the last one belongs to it: a missing right, say. It is not told again, and costs a pause."""
CONFIRM_S = 2.0
UNSUBSCRIBE_AFTER_S = 0.05
IDLE_PING_S = 5.0
"""A silent connection is pinged this often, so that a dead peer is noticed within two rounds."""


def ignore(*_: object) -> None:
    """A callback of somebody who does not want to know."""


class RedisAnnouncements:
    """The callbacks run in the listener's thread (under gevent: its greenlet).

    - ``on_change(job_id, status_json)``: a change; an empty text says that the job was erased.
    - ``on_message(kind, name, text)``: what was announced of another kind. ``ended``: a job's id and its last status; ``stopped``: an encoder's
      name and a token.
    - ``on_gap()``: announcements may have been lost.
    - ``on_delay(seconds)``: how long after its record a change was handled, by ``clock``.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        on_change: Callable[[str, str], None] = ignore,
        on_message: Callable[[str, str, str], None] = ignore,
        on_gap: Callable[[], None] = ignore,
        on_delay: Callable[[float], None] = ignore,
        prefix: str = KEY_PREFIX,
        clock: Clock = time.time,
    ) -> None:
        self._client, self._clock = client, clock
        self._on_change, self._on_message, self._on_gap, self._on_delay = on_change, on_message, on_gap, on_delay
        self._prefix, self._own = prefix, f"{prefix}changed:"
        self._confirmed: dict[str, threading.Event] = {}
        """Each channel that is wanted, set once the server has confirmed the subscription."""
        self._unwanted: set[str] = set()
        self._unwanted_since_s = 0.0
        self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self._wire = threading.Lock()
        self._is_started = self._is_listening = False

    def start(self) -> None:
        if self._is_started:
            return
        self._is_started = True
        threading.Thread(target=self._listen_for_ever, name="announcements", daemon=True).start()

    def subscribe(self, name: str, kind: Kind = "changed") -> None:
        self.start()
        channel = self._channel(name, kind)
        confirmed = self._confirmed.setdefault(channel, threading.Event())
        if confirmed.is_set():
            return
        with translate_errors(), self._wire:
            self._pubsub.subscribe(channel)
        if not confirmed.wait(CONFIRM_S):
            raise errors.BackendUnavailable(part="redis", retry_after_s=2, private="no confirmation of a subscription")

    def is_subscribed(self, name: str, kind: Kind = "changed") -> bool:
        return self._is_confirmed(self._channel(name, kind))

    def unsubscribe(self, name: str, kind: Kind = "changed") -> None:
        """Note the channel; the listener unsubscribes after its next message or ping.

        So nobody who waited for a job's end waits for that too, and many jobs that end at once cost one command.
        """
        channel = self._channel(name, kind)
        if self._confirmed.pop(channel, None) is not None:
            if not self._unwanted:
                self._unwanted_since_s = time.monotonic()
            self._unwanted.add(channel)

    def _channel(self, name: str, kind: Kind) -> str:
        return f"{self._prefix}{kind}:{name}"

    def _unsubscribe_unwanted(self) -> None:
        if not self._unwanted or time.monotonic() - self._unwanted_since_s < UNSUBSCRIBE_AFTER_S:
            return
        with self._wire:
            unwanted, self._unwanted = self._unwanted, set()
            channels = [each for each in unwanted if each not in self._confirmed]
            try:
                if channels:
                    self._pubsub.unsubscribe(*channels)
            except (RedisError, OSError, AttributeError) as error:  # the connection is gone, and the next one knows nothing of them
                log.debug("channels are still subscribed: %r", error)

    def _listen_for_ever(self) -> None:
        was_steady = True
        while True:
            begun_s = time.monotonic()
            try:
                self._listen()
            except (RedisError, OSError, AttributeError, errors.Overstayed) as error:
                is_new = was_steady or time.monotonic() - begun_s >= STEADY_S
                log.log(logging.WARNING if is_new else logging.DEBUG, "announcements interrupted, listening again: %r", error)
                if not is_new:
                    time.sleep(RETRY_S)
                was_steady = False
                self._start_over()

    def _listen(self) -> None:
        """A subscription of our own keeps the connection from ever being without one."""
        with self._wire:
            self._pubsub.subscribe(self._own, *self._confirmed)
        received_s = time.monotonic()
        while True:
            message = self._read()
            if message is not None:
                received_s = time.monotonic()
                self._handle(message)
            elif time.monotonic() - received_s > 2 * IDLE_PING_S:
                raise redis.ConnectionError("the server is silent")
            else:
                with self._wire:
                    self._pubsub.ping()
            self._unsubscribe_unwanted()

    def _read(self) -> dict[str, str] | None:
        """The next message; None after ``IDLE_PING_S``. redis-py's ``get_message`` polls twice before it reads, which is half of the cost."""
        try:
            response = self._pubsub.connection.read_response(disconnect_on_error=False, push_request=True, timeout=IDLE_PING_S)
        except redis.TimeoutError:
            return None
        return cast(dict[str, str] | None, self._pubsub.handle_message(response))

    def _handle(self, message: dict[str, str]) -> None:
        channel = message["channel"]
        if message["type"] == "subscribe":
            self._confirm(channel)
        elif message["type"] == "message" and self._is_confirmed(channel):
            kind, _, name = channel.removeprefix(self._prefix).partition(":")
            if kind == "changed":
                self._handle_change(name, message["data"])
            else:
                self._on_message(kind, name, message["data"])

    def _handle_change(self, job_id: str, data: str) -> None:
        recorded_ms, _, text = data.partition(" ")
        self._on_change(job_id, text)
        if text:
            self._on_delay(max(0.0, self._clock() - int(recorded_ms) / 1000))

    def _is_confirmed(self, channel: str) -> bool:
        """A message on a channel that is subscribed to again, and not confirmed yet, is older than what ``subscribe`` promises."""
        confirmed = self._confirmed.get(channel)
        return confirmed is not None and confirmed.is_set()

    def _confirm(self, channel: str) -> None:
        """redis-py reconnects and subscribes again silently: our own channel, confirmed anew, is the only sign of that gap."""
        if channel != self._own:
            if channel in self._confirmed:
                self._confirmed[channel].set()
        elif self._is_listening:
            self._unconfirm_all()
            threading.Thread(target=self._fill_gap, name="fill-gap", daemon=True).start()
        else:
            self._is_listening = True

    def _unconfirm_all(self) -> None:
        for confirmed in list(self._confirmed.values()):
            confirmed.clear()

    def _start_over(self) -> None:
        self._is_listening = False
        self._unconfirm_all()
        while True:
            try:
                self._pubsub.close()
                self._pubsub = self._client.pubsub()  # type: ignore[no-untyped-call]
                self._client.ping()
                break
            except (RedisError, OSError):
                time.sleep(RETRY_S)
        threading.Thread(target=self._fill_gap, name="fill-gap", daemon=True).start()

    def _fill_gap(self) -> None:
        """Wait until the channels are confirmed again, so that nothing is lost between the log and the next announcement."""
        for confirmed in list(self._confirmed.values()):
            confirmed.wait(CONFIRM_S)
        self._on_gap()
