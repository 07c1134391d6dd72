"""The heartbeats of encoder processes, in Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.scripts import Scripts
from backend.core.records import as_json


class RedisPresence:
    def __init__(self, scripts: Scripts) -> None:
        self._client, self._key = scripts.client, scripts.key("encoders")

    def heartbeat(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> None:
        with translate_errors():
            self._client.hset(self._key, encoder, as_json({"until": time.time() + seconds, "facts": facts}))

    def encoders(self) -> list[dict[str, Any]]:
        """Those that have fallen silent are removed on the way."""
        with translate_errors():
            texts = cast(dict[str, str], self._client.hgetall(self._key))
        known = {name: json.loads(text) for name, text in texts.items()}
        silent = [name for name, each in known.items() if each["until"] < time.time()]
        if silent:
            with translate_errors():
                self._client.hdel(self._key, *silent)
        return [each["facts"] for name, each in known.items() if name not in silent]
