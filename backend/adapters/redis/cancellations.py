"""Hears in Redis that a running job was taken from this encoder: cancelled, erased, or given to another.

A token begins with the name that its encoder subscribes to: so the script that takes a job away knows whom to tell (``prelude.lua``:
``announce_stop``).
"""

from __future__ import annotations

import secrets
import threading

import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.errors import BackendUnavailable

MAX_REMEMBERED = 64
"""Cancellations that nobody has asked for: their jobs ended just then."""


class RedisCancellations:
    """One for each encoder process."""

    def __init__(self, client: redis.Redis, *, prefix: str = KEY_PREFIX) -> None:
        self._name = secrets.token_hex(6)
        self._cancelled: dict[str, None] = {}
        self._announcements = RedisAnnouncements(client, on_message=self._remember, prefix=prefix)

    def start(self) -> None:
        threading.Thread(target=self._subscribe, name="listen-for-stops", daemon=True).start()

    def is_connected(self) -> bool:
        return self._announcements.is_subscribed(self._name, "stopped")

    def new_token(self) -> str:
        return f"{self._name}-{secrets.token_hex(8)}"

    def is_cancelled(self, token: str) -> bool:
        return self._cancelled.pop(token, self) is None

    def _subscribe(self) -> None:
        """Where Redis does not answer now, the listener subscribes as soon as it does."""
        try:
            self._announcements.subscribe(self._name, "stopped")
        except BackendUnavailable:
            return

    def _remember(self, _kind: str, _name: str, token: str) -> None:
        self._cancelled[token] = None
        if len(self._cancelled) > MAX_REMEMBERED:
            del self._cancelled[next(iter(self._cancelled))]
