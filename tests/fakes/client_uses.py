"""What each client uses, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.ports.client_uses import ClientUse
from tests.fakes.server import MemoryServer

DAY_S = 86_400


class MemoryClientUses:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def look(self, client: str) -> ClientUse:
        state, now = self._server.reach(), self._server.clock()
        sent, until = state.bytes_of_day.get(client, (0, 0.0))
        bytes_of_day, left_s = (sent, round(until - now)) if until > now else (0, 0)
        return ClientUse(self._server.underway(client), bytes_of_day, left_s, len(state.queue))

    def add_bytes(self, amounts: Mapping[str, int]) -> None:
        state, now = self._server.reach(), self._server.clock()
        for client, count in amounts.items():
            sent, until = state.bytes_of_day.get(client, (0, 0.0))
            state.bytes_of_day[client] = (sent + count, until) if until > now else (count, now + DAY_S)

    def add_uploads(self, client: str, uploads: Sequence[tuple[str, float]], limit: int | None = None) -> bool:
        known, now = self._server.reach().unfinished.setdefault(client, {}), self._server.clock()
        for upload_id in [each for each, until in known.items() if until <= now]:
            del known[upload_id]
        for upload_id, until in uploads:
            if limit is not None and len(known) >= limit and upload_id not in known:
                return False
            known[upload_id] = until
        return True

    def remove_upload(self, client: str, upload_id: str) -> None:
        self._server.reach().unfinished.get(client, {}).pop(upload_id, None)
