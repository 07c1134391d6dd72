"""Check, before a process serves, that it understands the data and the processes that are there (``core.protocol``).

What cannot be reached now says nothing, so it stops no start: a process that comes later checks too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from backend.core.protocol import SPOKEN, is_understood, range_of
from backend.errors import BackendUnavailable, CannotStart
from backend.ports.presence import Kind, Presence

EXIT_CODE = 3
"""Of a start that is refused, by whichever way. Gunicorn takes it for a worker that cannot boot, and ends instead of starting it again."""
ROLE_OF: Mapping[Kind, str] = {"encoders": "encoder", "gateways": "gateway"}


def check_protocol(presence: Presence, version: str) -> None:
    """Against Redis and the processes that are there. Raises ``CannotStart``."""
    with contextlib.suppress(BackendUnavailable):
        check_data(presence.needs(), "Redis", version)
        _check_peers("encoders", presence.encoders(), version)
        _check_peers("gateways", presence.gateways(), version)


def check_data(needs: int, place: object, version: str) -> None:
    """Raises ``CannotStart``."""
    if not is_understood(needs):
        raise CannotStart("protocol_of_data", EXIT_CODE, place=place, needs=needs, own=str(SPOKEN), version=version)


def _check_peers(kind: Kind, peers: Iterable[Mapping[str, Any]], version: str) -> None:
    for each in peers:
        if not range_of(each).meets(SPOKEN):
            known = {"role": ROLE_OF[kind], "host": each.get("host", "?"), "other": str(range_of(each)), "other_version": each.get("version", "?")}
            raise CannotStart("protocol_of_peer", EXIT_CODE, version=version, own=str(SPOKEN), **known)
