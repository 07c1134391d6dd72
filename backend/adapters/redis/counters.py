"""Totals and rate windows, in Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping

from backend.adapters.redis.presence import present
from backend.adapters.redis.scripts import Scripts
from backend.core.job import STATES
from backend.core.overview import Overview
from backend.core.records import as_json


class RedisCounters:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def add(self, amounts: Mapping[str, float]) -> None:
        self._scripts.run("add_totals", as_json(amounts))

    def count_in_window(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        count, left_s = self._scripts.run("count_in_window", key, amount, window_s)
        return int(count), int(left_s)

    def overview(self) -> Overview:
        now_ms, *counts, oldest, totals, encoders, recent, recent_s, conversion_ms, webhooks, gateways = self._scripts.run("overview")
        return Overview(
            jobs=dict(zip(STATES, counts, strict=True)),
            oldest_queued_s=max(0.0, float(now_ms) / 1000 - float(oldest)) if oldest else 0.0,
            encoders=tuple(present(encoders, float(now_ms) / 1000)),
            gateways=tuple(present(gateways, float(now_ms) / 1000)),
            totals={name: float(amount) for name, amount in zip(totals[::2], totals[1::2], strict=True)},
            recent=json.loads(recent),
            recent_s=float(recent_s),
            conversion_s=float(conversion_ms) / 1000,
            webhooks_pending=int(webhooks),
        )
