"""What a gateway process knows of its Redis server: looked at each minute, told in health and on the operator's page, logged when it changes."""

from __future__ import annotations

import logging
from typing import Any

from backend import texts
from backend.adapters.redis.server_look import Finding, ServerLook
from backend.errors import CannotStart
from backend.ports.duties import Duties
from backend.redis_watch import look_at
from backend.texts import operator

log = logging.getLogger(__name__)
EVERY_S = 60.0
DUTY = "tell-of-redis"


class RedisLooks:
    """Every process looks, one of them logs."""

    def __init__(self, url: str, prefix: str, duties: Duties) -> None:
        self._url, self._prefix, self._duties = url, prefix, duties
        self._findings: tuple[Finding, ...] = ()

    def look(self, name: str) -> None:
        """``name`` is this process's. Raises ``BackendUnavailable``. A Redis that is away is no finding: health tells of that by itself."""
        may_tell = self._duties.acquire(DUTY, name, 1.5 * EVERY_S)
        seen = look_at(self._url, self._prefix)
        now = seen.warnings if isinstance(seen, ServerLook) else (of_obstacle(seen),)
        before, self._findings = self._findings, now
        for each in now:
            if may_tell and each not in before:
                log.warning("%s", operator.text(f"start.{each.code}", **each.params))

    def codes(self) -> dict[str, Any]:
        """For health."""
        return {"redis": {"warnings": [each.code for each in self._findings]}}

    def sentences(self) -> list[dict[str, str]]:
        """For the operator's page: each by language."""
        return [{language: texts.text(f"start.{each.code}", language, **each.params) for language in texts.languages()} for each in self._findings]

    @staticmethod
    def _sentence(finding: Finding) -> dict[str, str]:
        return {language: texts.text(f"start.{finding.code}", language, **finding.params) for language in texts.languages()}


def of_obstacle(obstacle: CannotStart) -> Finding:
    return Finding(obstacle.reason, obstacle.params)
