"""Hears in Redis that a running job was taken out of this encoder's hands: cancelled, erased, given to another.

A token begins with the name that its encoder listens under, so whoever takes a job away knows whom to tell (``scripts``: ``take_away``).
"""

from __future__ import annotations

import secrets
import threading

import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.errors import BackendUnavailable

MOST_REMEMBERED = 64
"""Of those that nobody has asked for: their jobs ended just then."""


class RedisCancellations:
    """One for each encoder process; ``begin`` starts its listener."""

    def __init__(self, client: redis.Redis, *, prefix: str = KEY_PREFIX) -> None:
        self._name = secrets.token_hex(6)
        self._stopped: dict[str, None] = {}
        self._announcements = RedisAnnouncements(client, lambda _id, _text: None, lambda: None, on_word=self._heard, prefix=prefix)

    def begin(self) -> None:
        threading.Thread(target=self._listen, name="listen-for-stops", daemon=True).start()

    def are_heard(self) -> bool:
        return self._announcements.is_listening_to(self._name, "stopped")

    def new_token(self) -> str:
        return f"{self._name}-{secrets.token_hex(8)}"

    def is_cancelled(self, token: str) -> bool:
        return self._stopped.pop(token, self) is None

    def _listen(self) -> None:
        """Where Redis does not answer now, the listener subscribes as soon as it does."""
        try:
            self._announcements.listen(self._name, "stopped")
        except BackendUnavailable:
            return

    def _heard(self, _what: str, _name: str, token: str) -> None:
        self._stopped[token] = None
        if len(self._stopped) > MOST_REMEMBERED:
            del self._stopped[next(iter(self._stopped))]
