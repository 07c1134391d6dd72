"""What each client uses, in Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.scripts import Scripts
from backend.ports.client_uses import ClientUse


class RedisClientUses:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def look(self, client: str) -> ClientUse:
        return ClientUse(*map(int, self._scripts.run("look_at_client", client)))

    def add_bytes(self, amounts: Mapping[str, int]) -> None:
        if amounts:
            self._scripts.run("add_client_bytes", *(each for pair in amounts.items() for each in pair))

    def add_uploads(self, client: str, uploads: Sequence[tuple[str, float]], limit: int | None = None) -> bool:
        pairs = (each for upload_id, until in uploads for each in (int(until), upload_id))
        return bool(self._scripts.run("add_client_uploads", client, "" if limit is None else limit, *pairs))

    def remove_upload(self, client: str, upload_id: str) -> None:
        with translate_errors():
            self._scripts.client.zrem(self._scripts.key(f"uploads:{client}"), upload_id)
