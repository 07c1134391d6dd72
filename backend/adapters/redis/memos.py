"""Short texts with an end, in Redis."""

from __future__ import annotations

from typing import cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.scripts import Scripts
from backend.ports.memos import MOST_IN_GROUP


class RedisMemos:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts, self._client, self._key = scripts, scripts.client, scripts.key

    def get(self, key: str) -> str | None:
        with translate_errors():
            return cast(str | None, self._client.get(self._key(f"memo:{key}")))

    def put_if_absent(self, key: str, value: str, seconds: int, *, group: str = "") -> bool:
        return bool(self._scripts.run("put_memo", key, value, seconds, group, MOST_IN_GROUP))

    def delete(self, key: str, *, value: str = "", group: str = "") -> None:
        self._scripts.run("delete_memo", key, value, group)
