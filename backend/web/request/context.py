"""What the routes share: the world, the follower, and the operator's rules for clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from flask import current_app

from backend.flows.context import Context
from backend.flows.fetch import Fetcher
from backend.flows.follow import Follower
from backend.web.metrics.prometheus import Worker

KEY = "webp-gateway"


@dataclass(frozen=True, slots=True)
class Site:
    """``keys`` are SHA-256 digests of the API keys; empty: open to everybody. ``vitals`` adds a process's own readings to health.

    ``bind`` names the request in the log. ``workers`` reads what all workers count; ``metrics_port`` is where alone
    ``/metrics`` is answered, without a key.
    """

    context: Context
    follower: Follower
    frontend: Path
    version: str
    keys: frozenset[str] = frozenset()
    allowed_origins: tuple[str, ...] = ()
    fetcher: Fetcher | None = None
    rate_limit: tuple[int, int] | None = None
    max_files: int = 100
    vitals: Callable[[], dict[str, Any]] = field(default=dict)
    workers: Callable[[], Sequence[Worker]] = field(default=list)
    free_bytes: Callable[[], int | None] = field(default=lambda: None)
    metrics_port: int | None = None
    bind: Callable[[str], None] = field(default=lambda request_id: None)


def site() -> Site:
    return cast(Site, current_app.extensions[KEY])
