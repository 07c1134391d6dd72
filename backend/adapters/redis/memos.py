"""Short texts with an end, in Redis."""

from __future__ import annotations

from typing import cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.scripts import Scripts


class RedisMemos:
    def __init__(self, scripts: Scripts) -> None:
        self._client, self._key = scripts.client, scripts.key

    def get(self, key: str) -> str | None:
        with translate_errors():
            return cast(str | None, self._client.get(self._key(f"memo:{key}")))

    def put_if_absent(self, key: str, value: str, seconds: int) -> bool:
        with translate_errors():
            return bool(self._client.set(self._key(f"memo:{key}"), value, nx=True, ex=seconds))

    def delete(self, key: str) -> None:
        with translate_errors():
            self._client.delete(self._key(f"memo:{key}"))
