"""Socket.IO session ids, each of which names the worker that owns the session: ``<boot id>.<random>``.

Every worker process draws a boot id. A process id would not do: it comes round again.
"""

from __future__ import annotations

import os
import re
import secrets

SESSION_ID = re.compile(r"([0-9a-f]{16})\.[A-Za-z0-9_-]{24}")
SID_FIELD = re.compile(r"(?:^|&)sid=([^&]*)")


class Boot:
    """This process's boot id. A forked child draws its own."""

    def __init__(self) -> None:
        self._pid = 0
        self._id = ""

    @property
    def id(self) -> str:
        if self._pid != os.getpid():
            self._pid, self._id = os.getpid(), secrets.token_hex(8)
        return self._id


boot = Boot()


def new_session_id() -> str:
    return f"{boot.id}.{secrets.token_urlsafe(18)}"


def owner_of(query: str) -> str | None:
    """The boot id in the query's ``sid``. None where there is no ``sid``, or one that no worker can have given out."""
    field = SID_FIELD.search(query)
    session_id = SESSION_ID.fullmatch(field[1]) if field else None
    return session_id[1] if session_id else None


def session_id_of(query: str) -> str | None:
    """The query's ``sid`` as it stands."""
    field = SID_FIELD.search(query)
    return field[1] if field else None
