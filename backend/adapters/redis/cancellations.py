"""Hears in Redis that a running job was taken from this encoder: cancelled, erased, or given to another; and that somebody watches one.

A token begins with the name that its encoder subscribes to: so the script that takes a job away knows whom to tell (``prelude.lua``:
``announce_stop``; ``announce_watcher.lua``).
"""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress

import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.errors import BackendUnavailable
from backend.ports.announcements import Kind

MAX_REMEMBERED = 64
"""Tokens of each kind that nobody has asked for: their jobs ended just then."""
KINDS: tuple[Kind, ...] = ("stopped", "watched")


class RedisCancellations:
    """One for each encoder process."""

    def __init__(self, client: redis.Redis, *, prefix: str = KEY_PREFIX) -> None:
        self._name = secrets.token_hex(6)
        self._heard: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
        self._announcements = RedisAnnouncements(client, on_message=self._remember, prefix=prefix)

    def start(self) -> None:
        threading.Thread(target=self._subscribe, name="listen-for-stops", daemon=True).start()

    def is_connected(self) -> bool:
        return self._announcements.is_subscribed(self._name, "stopped")

    def new_token(self) -> str:
        return f"{self._name}-{secrets.token_hex(8)}"

    def is_cancelled(self, token: str) -> bool:
        return self._heard["stopped"].pop(token, self) is None

    def is_watched(self, token: str) -> bool:
        return self._heard["watched"].pop(token, self) is None

    def _subscribe(self) -> None:
        """Where Redis does not answer now, the listener subscribes as soon as it does."""
        for kind in KINDS:
            with suppress(BackendUnavailable):
                self._announcements.subscribe(self._name, kind)

    def _remember(self, kind: str, _name: str, token: str) -> None:
        heard = self._heard[kind]
        heard[token] = None
        if len(heard) > MAX_REMEMBERED:
            del heard[next(iter(heard))]
