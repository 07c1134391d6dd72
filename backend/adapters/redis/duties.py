"""Duties and the epoch, in Redis."""

from __future__ import annotations

from typing import cast

from redis.exceptions import ResponseError

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import milliseconds
from backend.adapters.redis.scripts import Scripts


class RedisDuties:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        return bool(self._scripts.run("acquire_duty", name, holder, milliseconds(seconds)))

    def epoch(self) -> str | None:
        """A server that was restarted, or a replica that took over, may have come back with an older state: that counts as empty."""
        with translate_errors():
            name, _, run_id = cast(str, self._scripts.client.get(self._scripts.key("epoch")) or "").rpartition("@")
            return name if name and run_id == self._run_id() else None

    def begin_epoch(self, name: str) -> None:
        with translate_errors():
            self._scripts.client.set(self._scripts.key("epoch"), f"{name}@{self._run_id()}")

    def _run_id(self) -> str:
        """Of a server that does not tell, a restart is not noticed: the watch of the start warns of it."""
        try:
            return str(self._scripts.client.info("server")["run_id"])
        except ResponseError:
            return "unknown"
