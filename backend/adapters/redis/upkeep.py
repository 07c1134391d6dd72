"""What the Janitor keeps in Redis, and its look for what was lost there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.job_arguments import milliseconds
from backend.adapters.redis.scripts import Scripts
from backend.core.records import as_json
from backend.core.scan import Scan
from backend.ports.upkeep import Notes, Signs

KEYS_OF_A_LOOK = 500
"""Keys that one SCAN looks at, and members of a set that one command reads: half a millisecond of Redis."""
LEASE_S = 4.0
"""What a live job that lacks its lease gets: an encoder renews each second, a fetcher at least every 2.5 s."""
MOST_LOST = 5000
TROUBLE = ":trouble"


class RedisUpkeep:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts, self._client, self._key = scripts, scripts.client, scripts.key

    def want_scan(self, why: str, after_s: float) -> None:
        self._scripts.run("want_scan", why, milliseconds(after_s))

    def wanted_scan(self) -> str:
        with translate_errors():
            due_ms, _, why = cast(str, self._client.get(self._key("scan:wanted")) or "").partition(" ")
            return why if why and float(due_ms) <= self._now_ms() else ""

    def scan(self) -> Scan | None:
        with translate_errors():
            known = cast(dict[str, str], self._client.hgetall(self._key("scan")))
            return _scan(known) if known and known.get("run") == self._run_id() else None

    def begin_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        return self._save("begin", scan, duty, holder)

    def save_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        return self._save("save", scan, duty, holder)

    def end_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        return self._save("end", scan, duty, holder)

    def _save(self, step: str, scan: Scan, duty: str, holder: str) -> bool:
        with translate_errors():
            run = self._run_id()
        return bool(self._scripts.run("save_scan", step, duty, holder, scan.id, as_json(scan), run, f"{holder}@{run}"))

    def note(self, kind: str, trouble: str = "") -> None:
        self._scripts.run("note_round", kind, trouble)

    def notes(self) -> Notes:
        with translate_errors():
            known = cast(dict[str, str], self._client.hgetall(self._key("upkeep")))
            scan = cast(dict[str, str], self._client.hgetall(self._key("scan")))
            now_ms = self._now_ms()
        kinds = {name.removesuffix(TROUBLE) for name in known}
        ages = {kind: (now_ms - float(known[kind])) / 1000 if kind in known else float("inf") for kind in kinds}
        return Notes({kind: (max(0.0, age), known.get(kind + TROUBLE, "")) for kind, age in ages.items()}, _scan(scan) if scan else None)

    def signs(self, serial: int = 0) -> Signs:
        found = self._scripts.run("signs", serial)
        with translate_errors():
            evicted = int(self._client.info("stats").get("evicted_keys", 0))
        return replace(Signs(*(0, *map(int, found))), evicted=evicted)

    def strays(self, cursor: int) -> tuple[int, list[tuple[float, str]]]:
        begin = self._key("job:")
        with translate_errors():
            cursor, keys = cast(tuple[int, list[str]], self._client.scan(cursor, match=_literal(begin) + "*", count=KEYS_OF_A_LOOK))
        found = self._scripts.run("mend", "look", *(each.removeprefix(begin) for each in keys)) if keys else []
        return int(cursor), [(float(made), job_id) for made, job_id in zip(found[::2], found[1::2], strict=True)]

    def mend(self, ids: Sequence[str]) -> int:
        return int(self._scripts.run("mend", "mend", milliseconds(LEASE_S), *ids)) if ids else 0

    def lost(self) -> list[str]:
        with translate_errors():
            found = cast(list[str], self._client.spop(self._key("lost"), MOST_LOST) or [])
        for name in ("queue", "waiting", "running", "fetching"):
            first = 0
            with translate_errors():
                while ids := cast(list[str], self._client.zrange(self._key(name), first, first + KEYS_OF_A_LOOK - 1)):
                    found += self._scripts.run("unknown", *ids)
                    first += KEYS_OF_A_LOOK
                    if len(found) >= MOST_LOST:
                        break
        return list(dict.fromkeys(found))

    def _run_id(self) -> str:
        return str(self._client.info("server")["run_id"])

    def _now_ms(self) -> float:
        seconds, micros = self._client.time()
        return seconds * 1000 + micros / 1000


def _scan(known: dict[str, str]) -> Scan:
    """Without what a later version wrote beside."""
    fields: dict[str, Any] = json.loads(known["scan"])
    return Scan(**{name: value for name, value in fields.items() if name in Scan.__dataclass_fields__})


def _literal(text: str) -> str:
    """As a pattern of Redis that matches this text alone."""
    return "".join(f"\\{each}" if each in "*?[]^\\" else each for each in text)
