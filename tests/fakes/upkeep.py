"""What the Janitor keeps, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.core.scan import Scan
from backend.ports.upkeep import Notes, Signs
from tests.fakes.server import Known, MemoryServer, State

LEASE_S = 4.0


class MemoryUpkeep:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def want_scan(self, why: str, after_s: float) -> None:
        state = self._server.reach()
        state.wanted_scan = state.wanted_scan or (self._server.clock() + after_s, why)

    def wanted_scan(self) -> str:
        due_s, why = self._server.reach().wanted_scan or (0.0, "")
        return why if due_s <= self._server.clock() else ""

    def scan(self) -> Scan | None:
        return self._server.reach().scan

    def begin_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        state = self._server.reach()
        if not self._holds(state, duty, holder):
            return False
        state.scan, state.wanted_scan = scan, None
        return True

    def save_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        state = self._server.reach()
        if not self._holds(state, duty, holder) or state.scan is None or state.scan.id != scan.id:
            return False
        state.scan = scan
        return True

    def end_scan(self, scan: Scan, duty: str, holder: str) -> bool:
        if not self.save_scan(scan, duty, holder):
            return False
        state = self._server.reach()
        state.scan, state.epoch = None, holder
        return True

    def _holds(self, state: State, duty: str, holder: str) -> bool:
        who, until = state.duties.get(duty, ("", 0.0))
        return who == holder and until > self._server.clock()

    def note(self, kind: str, trouble: str = "") -> None:
        rounds = self._server.reach().rounds
        at = rounds.get(kind, (float("-inf"), ""))[0] if trouble else self._server.clock()
        rounds[kind] = (at, trouble)

    def notes(self) -> Notes:
        state, now = self._server.reach(), self._server.clock()
        return Notes({kind: (now - at, trouble) for kind, (at, trouble) in state.rounds.items()}, state.scan)

    def signs(self, serial: int = 0) -> Signs:
        state = self._server.reach()
        state.serial = state.serial if state.serial >= serial else state.serial + serial
        listed = sum(bool(who) for who, _ in state.listed.values())
        return Signs(state.evicted, len(state.queue), len(state.queue), len(state.expiries), listed, state.serial)

    def strays(self, cursor: int) -> tuple[int, list[tuple[float, str]]]:
        state = self._server.reach()
        return 0, [(each.manifest.created_at, job_id) for job_id, each in state.known.items() if _lacks_place(state, each)]

    def mend(self, ids: Sequence[str]) -> int:
        state = self._server.reach()
        found = [state.known[each] for each in ids if each in state.known and _lacks_place(state, state.known[each])]
        for known in found:
            self._put(state, known)
        return len(found)

    def _put(self, state: State, known: Known) -> None:
        if known.status.state == "queued" and not known.manifest.is_awaited:
            self._server.line_up(known.manifest)
            self._server.push_ticket()
            return
        leases: dict[str, Any] = state.leases if known.status.state == "running" else state.fetching
        leases[known.manifest.id] = self._server.clock() + LEASE_S

    def lost(self) -> list[str]:
        state = self._server.reach()
        return [each for each in dict.fromkeys((*state.queue, *state.leases, *state.fetching)) if each not in state.known]


def _lacks_place(state: State, known: Known) -> bool:
    if known.status.has_ended:
        return False
    if known.status.state == "running":
        return known.manifest.id not in state.leases
    return known.manifest.id not in (state.fetching if known.manifest.is_awaited else state.queue)
