"""The hosts of a deployment, as their processes announce them: for health, the operator's page and ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backend.core.protocol import range_of

Facts = Mapping[str, Any]


def hosts(encoders: Iterable[Facts], gateways: Iterable[Facts]) -> list[dict[str, Any]]:
    """One entry a host, by name. ``jobs`` run there now; ``seal`` is the lowest level of its encoders; ``protocol`` is what all its processes speak,
    oldest and newest. None where nothing is known: releases before protocols tell less."""
    by_host: dict[str, tuple[list[Facts], list[Facts]]] = {}
    for role, facts in enumerate((encoders, gateways)):
        for each in facts:
            by_host.setdefault(str(each.get("host", "")), ([], []))[role].append(each)
    return [{"host": name, **_entry(*processes)} for name, processes in sorted(by_host.items())]


def level(encoder: Facts) -> int:
    """Of an encoder's seal: 3 is full, 0 none."""
    seal = encoder.get("seal")
    return int(seal.get("level", 0)) if isinstance(seal, dict) else 0


def _entry(encoders: list[Facts], gateways: list[Facts]) -> dict[str, Any]:
    everyone = [*encoders, *gateways]
    ranges = [range_of(each) for each in everyone]
    return {
        "cores": max((int(each["cores"]) for each in everyone if "cores" in each), default=None),
        "encoders": len(encoders),
        "jobs": sum(int(each.get("jobs", 0)) for each in encoders),
        "gateways": len(gateways),
        "seal": min(map(level, encoders), default=None),
        "versions": sorted({str(each["version"]) for each in everyone if "version" in each}),
        "protocol": [max(each.oldest for each in ranges), min(each.newest for each in ranges)],
    }
