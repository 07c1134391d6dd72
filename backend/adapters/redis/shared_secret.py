"""A secret that only this deployment's processes know, since only they read its keys. It is drawn by whoever asks first, and never logged."""

from __future__ import annotations

import secrets

import redis

from backend.adapters.redis.client import translate_errors

NAME = "relay:secret"
BYTES = 32


def shared_secret(client: redis.Redis, prefix: str) -> bytes:
    """Raises ``BackendUnavailable``."""
    with translate_errors():
        client.set(prefix + NAME, secrets.token_hex(BYTES), nx=True)
        return str(client.get(prefix + NAME)).encode()
