"""All ports that Redis provides, over one server in memory; the small ones are here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from backend.core import tally
from backend.core.job import STATES
from backend.core.overview import Overview
from backend.ports.history import Sample, ServerFacts
from backend.ports.live_state import LiveState
from backend.ports.memos import MOST_IN_GROUP
from backend.ports.presence import Kind
from tests.fakes.client_uses import MemoryClientUses
from tests.fakes.deliveries import MemoryDeliveryQueue
from tests.fakes.job_states import MemoryJobIndex, MemoryJobStates
from tests.fakes.leases import MemoryFetchLeases, MemoryLeases
from tests.fakes.queue import MemoryJobQueue
from tests.fakes.server import MemoryServer
from tests.fakes.upkeep import MemoryUpkeep


def live_state(server: MemoryServer) -> LiveState:
    return {
        "queue": MemoryJobQueue(server),
        "jobs": MemoryJobStates(server),
        "leases": MemoryLeases(server),
        "fetch_leases": MemoryFetchLeases(server),
        "index": MemoryJobIndex(server),
        "client_uses": MemoryClientUses(server),
        "counters": MemoryCounters(server),
        "memos": MemoryMemos(server),
        "duties": MemoryDuties(server),
        "presence": MemoryPresence(server),
        "deliveries": MemoryDeliveryQueue(server),
        "history": MemoryHistory(server),
        "upkeep": MemoryUpkeep(server),
    }


class MemoryCounters:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def add(self, amounts: Mapping[str, float]) -> None:
        self._server.reach()
        self._server.add(amounts)

    def count_in_window(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        windows, now = self._server.reach().windows, self._server.clock()
        count, until = windows.get(key, (0, 0.0))
        if until <= now:
            count, until = 0, now + window_s
        windows[key] = (count + amount, until)
        return count + amount, round(until - now)

    def overview(self) -> Overview:
        state, now = self._server.reach(), self._server.clock()
        counted = Counter(each.status.state for each in state.known.values())
        waiting = [state.known[each].manifest.created_at for each in state.queue]
        recent: Counter[str] = Counter()
        for when, amounts in state.paces:
            if when > now - 60:
                recent.update(amounts)
        return Overview(
            jobs={each: counted[each] for each in STATES},
            oldest_queued_s=max(0.0, now - min(waiting)) if waiting else 0.0,
            encoders=tuple(facts for until, facts in state.encoders.values() if until >= now),
            gateways=tuple(facts for until, facts in state.gateways.values() if until >= now),
            totals=dict(state.totals),
            recent=dict(recent),
            conversion_s=sum(state.recent) / len(state.recent) / 1000 if state.recent else 0.0,
            webhooks_pending=len(state.deliveries),
        )


class MemoryMemos:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def get(self, key: str) -> str | None:
        value, until = self._server.reach().memos.get(key, ("", 0.0))
        return value if until > self._server.clock() else None

    def put_if_absent(self, key: str, value: str, seconds: int, *, group: str = "") -> bool:
        if self.get(key) is not None:
            return False
        state = self._server.reach()
        state.memos[key] = (value, self._server.clock() + seconds)
        if group:
            state.memo_groups.setdefault(group, []).append(key)
            while len(state.memo_groups[group]) > MOST_IN_GROUP:
                state.memos.pop(state.memo_groups[group].pop(0), None)
        return True

    def delete(self, key: str, *, value: str = "", group: str = "") -> None:
        state = self._server.reach()
        if value and self.get(key) != value:
            return
        state.memos.pop(key, None)
        if group and key in state.memo_groups.get(group, []):
            state.memo_groups[group].remove(key)


class MemoryDuties:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        duties, now = self._server.reach().duties, self._server.clock()
        held = duties.get(name)
        if held is not None and held[1] > now and held[0] != holder:
            return False
        duties[name] = (holder, now + seconds)
        return True

    def epoch(self) -> str | None:
        return self._server.reach().epoch

    def begin_epoch(self, name: str) -> None:
        self._server.reach().epoch = name


class MemoryPresence:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def heartbeat(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> float:
        self._server.reach().encoders[encoder] = (self._server.clock() + seconds, dict(facts))
        return self._server.clock()

    def announce(self, gateway: str, facts: Mapping[str, Any], seconds: float) -> float:
        self._server.reach().gateways[gateway] = (self._server.clock() + seconds, dict(facts))
        return self._server.clock()

    def leave(self, kind: Kind, name: str) -> None:
        state = self._server.reach()
        _, facts = (state.encoders if kind == "encoders" else state.gateways).pop(name, (0.0, {}))
        hosts = {each.get("host") for _, each in state.encoders.values()}
        if kind == "encoders" and facts.get("host") not in hosts:
            state.totals.pop(f"{tally.ENCODER_CPU_S}:{facts.get('host')}", None)

    def encoders(self) -> list[dict[str, Any]]:
        return self._present(self._server.reach().encoders)

    def gateways(self) -> list[dict[str, Any]]:
        return self._present(self._server.reach().gateways)

    def needs(self) -> int:
        return self._server.reach().needs

    def own_address(self) -> str | None:
        self._server.reach()
        return None

    def _present(self, entries: Mapping[str, tuple[float, dict[str, Any]]]) -> list[dict[str, Any]]:
        return [facts for until, facts in entries.values() if until >= self._server.clock()]


class MemoryHistory:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def add(self, sample: Mapping[str, Any], limit: int) -> None:
        state = self._server.reach()
        state.history = [*state.history, dict(sample)][-limit:]

    def samples(self) -> list[Sample]:
        return [dict(each) for each in self._server.reach().history]

    def restore(self, samples: Sequence[Mapping[str, Any]]) -> None:
        self._server.reach().history = [dict(each) for each in samples]

    def server(self) -> ServerFacts:
        self._server.reach()
        return ServerFacts("7.0.0", 1_000_000, 400_000_000)
