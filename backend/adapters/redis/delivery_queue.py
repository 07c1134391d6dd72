"""The schedule of webhooks, in Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import milliseconds
from backend.adapters.redis.scripts import Scripts
from backend.core.records import as_json
from backend.ports.delivery_queue import Shares, Waiting

FAILURES_KEPT_S = 3600
"""After so long without a try, a host's failures are forgotten."""


class RedisDeliveryQueue:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def add(self, waiting: Sequence[Waiting], *, hastens: bool = False) -> None:
        rows = [[each.id, each.client, each.host, milliseconds(each.due_at)] for each in waiting]
        if rows:
            self._scripts.run("add_deliveries", as_json(rows), *(["hastens"] if hastens else []))

    def claim(self, most: int, lease_s: float, shares: Shares) -> list[str]:
        return cast(list[str], self._scripts.run("claim_deliveries", most, milliseconds(lease_s), shares.client, shares.host))

    def put_back(self, delivery_id: str, due_at: float, amounts: Mapping[str, float]) -> None:
        self._scripts.run("put_back_delivery", delivery_id, milliseconds(due_at), as_json(amounts))

    def remove(self, delivery_id: str, amounts: Mapping[str, float]) -> None:
        self._scripts.run("remove_delivery", delivery_id, as_json(amounts))

    def pause(self, host: str, seconds: float) -> None:
        with translate_errors():
            self._scripts.client.set(self._scripts.key(f"webhooks:paused:{host}"), 1, px=max(1, milliseconds(seconds)))

    def count_failures(self, host: str, has_failed: bool) -> int:
        name = self._scripts.key(f"webhooks:failures:{host}")
        with translate_errors():
            if not has_failed:
                self._scripts.client.delete(name)
                return 0
            with self._scripts.client.pipeline() as pipe:
                pipe.incr(name)
                pipe.expire(name, FAILURES_KEPT_S)
                return int(pipe.execute()[0])

    def count(self, client: str) -> int:
        with translate_errors():
            return int(cast(str | None, self._scripts.client.hget(self._scripts.key("webhooks:counts"), client)) or 0)
