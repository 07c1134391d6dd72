"""The schedule of webhooks in memory, and the servers of others that are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from backend import errors
from backend.ports.delivery_queue import Shares, Waiting
from backend.ports.receivers import Reply
from tests.fakes.server import MemoryServer

LOOK_AGAIN_S = 0.5


class MemoryDeliveryQueue:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def add(self, waiting: Sequence[Waiting], *, hastens: bool = False) -> None:
        state = self._server.reach()
        for each in waiting:
            is_new = each.id not in state.deliveries
            state.deliveries.setdefault(each.id, each)
            if is_new or hastens:
                state.due[each.id] = each.due_at

    def claim(self, most: int, lease_s: float, shares: Shares) -> list[str]:
        state, now = self._server.reach(), self._server.clock()
        for late in [each for each, until in state.leased.items() if until <= now]:
            del state.leased[late]
            state.due[late] = now
        found: list[str] = []
        for delivery_id in sorted(state.due, key=lambda each: (state.due[each], each)):
            known = state.deliveries[delivery_id]
            others = [state.deliveries[each] for each in state.leased]
            clients, hosts = Counter(each.client for each in others), Counter(each.host for each in others)
            host_places = 1 if state.host_failures.get(known.host) else shares.host
            has_place = clients[known.client] < shares.client and hosts[known.host] < host_places
            is_served = known.client in {state.deliveries[each].client for each in found}
            is_ready = state.due[delivery_id] <= now and state.host_pauses.get(known.host, 0.0) <= now and delivery_id not in state.leased
            if len(found) < most and has_place and is_ready and not is_served:
                del state.due[delivery_id]
                state.leased[delivery_id] = now + lease_s
                found.append(delivery_id)
        return found

    def put_back(self, delivery_id: str, due_at: float, amounts: Mapping[str, float]) -> None:
        state = self._server.reach()
        self._server.add(amounts)
        state.leased.pop(delivery_id, None)
        if delivery_id in state.deliveries:
            state.due.setdefault(delivery_id, due_at)

    def remove(self, delivery_id: str, amounts: Mapping[str, float]) -> None:
        state = self._server.reach()
        self._server.add(amounts)
        state.leased.pop(delivery_id, None)
        if delivery_id not in state.due:
            state.deliveries.pop(delivery_id, None)

    def pause(self, host: str, seconds: float) -> None:
        self._server.reach().host_pauses[host] = self._server.clock() + seconds

    def count_failures(self, host: str, has_failed: bool) -> int:
        failures = self._server.reach().host_failures
        failures[host] = failures.get(host, 0) + 1 if has_failed else 0
        return failures[host]

    def count(self, client: str) -> int:
        return sum(each.client == client for each in self._server.reach().deliveries.values())


@dataclass
class MemoryReceivers:
    """``answer`` says what a receiver does with a message; ``told`` are those that came."""

    answer: Callable[[str], Reply] = lambda url: Reply(200)
    told: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def check(self, url: str) -> str:
        if url.startswith("http://inside"):
            raise errors.InvalidOption("webhook_address", option="webhook_url", host="inside")
        return url

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.told.append((url, dict(headers), body))
        return self.answer(url)
