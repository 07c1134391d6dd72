"""Hears in Redis of the changes of the jobs that this process watches, or of their ends where only those are waited for, and of no others.

One connection and one listener a process. Announcements are hints: after a broken connection the listener subscribes again to everything
and calls ``on_gap``, upon which the follower reads from the log what it missed.
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
from backend.adapters.redis.client import KEY_PREFIX, translated
from backend.ports.announcements import Heard

log = logging.getLogger(__name__)
RETRY_S = 0.3
CONFIRM_S = 2.0
UNSUBSCRIBE_AFTER_S = 0.05
IDLE_PING_S = 5.0
"""A silent connection is pinged this often, so that a dead peer is noticed within two rounds."""


class RedisAnnouncements:
    """``on_change(job_id, status_json)`` and ``on_gap()`` are called from the listener's thread (under gevent: its greenlet).

    ``on_word(what, name, text)`` is told what else was listened to: ``ended`` with a job's id and how it ended, ``stopped`` with an encoder's name.
    ``on_delay(seconds)`` is told how long after its record each change had been handled, by the two machines' clocks.
    """

    def __init__(
        self,
        client: redis.Redis,
        on_change: Callable[[str, str], None],
        on_gap: Callable[[], None],
        *,
        on_delay: Callable[[float], None] = lambda seconds: None,
        on_word: Callable[[str, str, str], None] = lambda what, name, text: None,
        prefix: str = KEY_PREFIX,
    ) -> None:
        self._client = client
        self._on_change, self._on_gap, self._on_delay, self._on_word = on_change, on_gap, on_delay, on_word
        self._prefix, self._own = prefix, f"{prefix}changed:"
        self._confirmed: dict[str, threading.Event] = {}
        self._ignored: set[str] = set()
        self._ignored_s = 0.0
        """Since when there are any."""
        self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self._wire = threading.Lock()
        self._started = self._is_listening = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        threading.Thread(target=self._listen_for_ever, name="announcements", daemon=True).start()

    def listen(self, name: str, what: Heard = "changed") -> None:
        self.start()
        channel = f"{self._prefix}{what}:{name}"
        confirmed = self._confirmed.setdefault(channel, threading.Event())
        if confirmed.is_set():
            return
        with translated(), self._wire:
            self._pubsub.subscribe(channel)
        if not confirmed.wait(CONFIRM_S):
            raise errors.BackendUnavailable(part="redis", retry_after_s=2, private="no confirmation of a subscription")

    def is_listening_to(self, name: str, what: Heard = "changed") -> bool:
        return self._is_heard(f"{self._prefix}{what}:{name}")

    def ignore(self, name: str, what: Heard = "changed") -> None:
        """At the next message that comes, or when the connection is pinged: what says nothing more costs nothing, many that end at once are one
        message, and whoever waited for a job's end does not wait for that."""
        channel = f"{self._prefix}{what}:{name}"
        if self._confirmed.pop(channel, None) is not None:
            if not self._ignored:
                self._ignored_s = time.monotonic()
            self._ignored.add(channel)

    def _unsubscribe(self) -> None:
        if not self._ignored or time.monotonic() - self._ignored_s < UNSUBSCRIBE_AFTER_S:
            return
        with self._wire:
            ignored, self._ignored = self._ignored, set()
            channels = [each for each in ignored if each not in self._confirmed]
            try:
                if channels:
                    self._pubsub.unsubscribe(*channels)
            except (RedisError, OSError, AttributeError) as error:  # the connection is gone, and the next one knows nothing of them
                log.debug("channels are still subscribed: %r", error)

    def _listen_for_ever(self) -> None:
        while True:
            try:
                self._listen()
            except (RedisError, OSError, AttributeError) as error:
                log.warning("announcements interrupted, listening again: %r", error)
                self._start_over()

    def _listen(self) -> None:
        """A subscription of our own keeps the connection from ever being without one."""
        with self._wire:
            self._pubsub.subscribe(self._own, *self._confirmed)
        heard_s = time.monotonic()
        while True:
            message = self._next()
            if message is not None:
                heard_s = time.monotonic()
                self._handle(message)
            elif time.monotonic() - heard_s > 2 * IDLE_PING_S:
                raise redis.ConnectionError("the server is silent")
            else:
                with self._wire:
                    self._pubsub.ping()
            self._unsubscribe()

    def _next(self) -> dict[str, str] | None:
        """None after ``IDLE_PING_S``. Read at once: redis-py's ``get_message`` polls twice before it reads, which is half of a message's cost."""
        try:
            said = self._pubsub.connection.read_response(disconnect_on_error=False, push_request=True, timeout=IDLE_PING_S)
        except redis.TimeoutError:
            return None
        return cast(dict[str, str] | None, self._pubsub.handle_message(said))

    def _handle(self, message: dict[str, str]) -> None:
        channel = message["channel"]
        if message["type"] == "subscribe":
            self._confirm(channel)
        elif message["type"] == "message" and self._is_heard(channel):
            what, _, name = channel.removeprefix(self._prefix).partition(":")
            if what == "changed":
                self._tell_change(name, message["data"])
            else:
                self._on_word(what, name, message["data"])

    def _tell_change(self, job_id: str, data: str) -> None:
        recorded_ms, _, text = data.partition(" ")
        self._on_change(job_id, text)
        if text:
            self._on_delay(max(0.0, time.time() - int(recorded_ms) / 1000))

    def _is_heard(self, channel: str) -> bool:
        """What comes of a channel that was ignored, and whose new confirmation is still to come, is older than what ``listen`` promises."""
        confirmed = self._confirmed.get(channel)
        return confirmed is not None and confirmed.is_set()

    def _confirm(self, channel: str) -> None:
        """redis-py connects and subscribes again by itself, in silence: our own channel, confirmed anew, is the only sign of that gap."""
        if channel != self._own:
            if channel in self._confirmed:
                self._confirmed[channel].set()
        elif self._is_listening:
            self._distrust()
            threading.Thread(target=self._fill_gap, name="fill-gap", daemon=True).start()
        else:
            self._is_listening = True

    def _distrust(self) -> None:
        for confirmed in list(self._confirmed.values()):
            confirmed.clear()

    def _start_over(self) -> None:
        self._is_listening = False
        self._distrust()
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
        """Waits until the channels are confirmed again, so that nothing falls between the log and the next announcement."""
        for confirmed in list(self._confirmed.values()):
            confirmed.wait(CONFIRM_S)
        self._on_gap()
