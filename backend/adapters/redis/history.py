"""The operator's page's samples, and facts of the server, in Redis. One list, read in one command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.scripts import Scripts
from backend.core.records import as_json
from backend.ports.history import Sample, ServerFacts


class RedisHistory:
    def __init__(self, scripts: Scripts) -> None:
        self._client, self._key = scripts.client, scripts.key("history")

    def add(self, sample: Mapping[str, Any], limit: int) -> None:
        with translate_errors(), self._client.pipeline() as steps:
            steps.rpush(self._key, as_json(sample))
            steps.ltrim(self._key, -limit, -1)
            steps.execute()

    def samples(self) -> list[Sample]:
        with translate_errors():
            return [json.loads(text) for text in cast(list[str], self._client.lrange(self._key, 0, -1))]

    def restore(self, samples: Sequence[Mapping[str, Any]]) -> None:
        with translate_errors(), self._client.pipeline() as steps:
            steps.delete(self._key)
            if samples:
                steps.rpush(self._key, *map(as_json, samples))
            steps.execute()

    def server(self) -> ServerFacts:
        with translate_errors():
            told = self._client.info("server", "memory")
        return ServerFacts(str(told.get("redis_version", "")), int(told.get("used_memory", 0)), int(told.get("maxmemory", 0)))
