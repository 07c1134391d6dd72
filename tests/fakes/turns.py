"""Turns in memory: slots of clients, lines within a client, classes within a line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from backend.core.job import Manifest
from backend.core.turns import WAITS, client_of, line_of

QUARTER_MEGAPIXEL = 1 << 18
EXPRESS_COST = 16
Slot = tuple[int, int]


@dataclass
class Seats:
    """Who takes turns among equals: a slot for each job, and when each one's next slot is due."""

    slots: dict[str, Slot] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)

    def next_slot(self, name: str, now: int, cost: int, tie: int) -> Slot:
        time = max(now, self.due.get(name, 0))
        self.due[name] = time + cost
        return time, tie

    def seat(self, ids: list[str], new: Slot) -> None:
        """``ids`` in this order: the first is new, and the others move on by one slot."""
        free = sorted([new, *(self.slots[each] for each in ids[1:])])
        self.slots.update(zip(ids, free, strict=True))

    def order(self) -> list[str]:
        return sorted(self.slots, key=self.slots.__getitem__)

    def from_here_on(self, job_id: str) -> list[str]:
        order = self.order()
        return order[order.index(job_id) :]


def line_up(queue: Seats, clients: dict[str, Seats], lines: dict[str, Seats], manifest: Manifest, now: int, serial: int) -> None:
    who, line = client_of(manifest.client), f"{client_of(manifest.client)} {line_of(manifest.client)}"
    own, mine = clients.setdefault(who, Seats()), lines.setdefault(line, Seats())
    if not queue.slots:
        queue.due.clear()
    if not own.slots:
        own.due.clear()
    cost, job_class, was_empty = cost_of(manifest), class_of(manifest), not mine.slots
    served = max(0, min(own.slots.values())[0]) if own.slots else 0
    mine.slots[manifest.id] = (job_class, serial)
    own.seat(mine.from_here_on(manifest.id), own.next_slot(line, served, cost, 0 if job_class == 0 and was_empty else serial))
    queue.seat(own.from_here_on(manifest.id), queue.next_slot(who, now, cost, serial))


def leave(queue: Seats, clients: dict[str, Seats], lines: dict[str, Seats], manifest: Manifest) -> None:
    """A waiting job goes. The slot that its client loses is the last one, and so is that of its line."""
    own = clients.setdefault(client_of(manifest.client), Seats())
    mine = lines.setdefault(f"{client_of(manifest.client)} {line_of(manifest.client)}", Seats())
    if manifest.id not in mine.slots:
        return
    turns = sorted(queue.slots.pop(each) for each in own.order())[:-1]
    turns_of_line = sorted(own.slots.pop(each) for each in mine.order())[:-1]
    del mine.slots[manifest.id]
    own.slots.update(zip(mine.order(), turns_of_line, strict=True))
    queue.slots.update(zip(own.order(), turns, strict=True))


def cost_of(manifest: Manifest) -> int:
    source = manifest.source
    return max(1, math.ceil(source.width * source.height * source.frames / QUARTER_MEGAPIXEL))


def is_small(manifest: Manifest) -> bool:
    return cost_of(manifest) <= EXPRESS_COST


def class_of(manifest: Manifest) -> int:
    if manifest.is_ephemeral or manifest.client.endswith(f" {WAITS}"):
        return 0
    return 1 if manifest.batch is None else 2
