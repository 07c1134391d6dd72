"""What Redis holds, in dictionaries, and the changes that its scripts share. The fakes of the single ports work on it.

``is_down`` makes it unreachable; ``lose_everything`` is a Redis that began empty.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backend import errors
from backend.core.job import FOLLOWING, Job, Manifest, Status
from backend.core.job import State as JobState
from backend.core.scan import Scan
from backend.core.turns import client_of
from backend.ports.clock import Clock
from backend.ports.delivery_queue import Waiting
from tests.fakes import turns
from tests.fakes.turns import Seats, Slot

LOG_LIMIT, LOG_BYTES = 512, 1 << 19


@dataclass
class Known:
    manifest: Manifest
    status: Status
    token: str = ""
    tries: int = 0
    fetches: int = 0
    handed_back: int = 0
    pauses: int = 0
    is_paused: bool = False
    deaths: int = 0
    lost: list[str] = field(default_factory=list)
    leader: str = ""
    log: list[Status] = field(default_factory=list)

    @property
    def job(self) -> Job:
        return Job(self.manifest, self.status)


@dataclass
class State:
    known: dict[str, Known] = field(default_factory=dict)
    seats: Seats = field(default_factory=Seats)
    clients: dict[str, Seats] = field(default_factory=dict)
    lines: dict[str, Seats] = field(default_factory=dict)
    bytes_of_day: dict[str, tuple[int, float]] = field(default_factory=dict)
    unfinished: dict[str, dict[str, float]] = field(default_factory=dict)
    memo_groups: dict[str, list[str]] = field(default_factory=dict)
    tickets: int = 0
    express: list[str] = field(default_factory=list)
    virtual_now: int = 0
    serial: int = 0
    leases: dict[str, float] = field(default_factory=dict)
    fetching: dict[str, float] = field(default_factory=dict)
    left: dict[str, JobState] = field(default_factory=dict)
    end_seqs: dict[str, int] = field(default_factory=dict)
    expiries: dict[str, float] = field(default_factory=dict)
    listed: dict[str, tuple[str, float]] = field(default_factory=dict)
    encoders: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    gateways: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    duties: dict[str, tuple[str, float]] = field(default_factory=dict)
    memos: dict[str, tuple[str, float]] = field(default_factory=dict)
    windows: dict[str, tuple[int, float]] = field(default_factory=dict)
    leaders: dict[str, str] = field(default_factory=dict)
    completed: dict[str, list[str]] = field(default_factory=dict)
    recent: list[int] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    paces: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    epoch: str | None = None
    needs: int = 1
    deliveries: dict[str, Waiting] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    leased: dict[str, float] = field(default_factory=dict)
    host_pauses: dict[str, float] = field(default_factory=dict)
    host_failures: dict[str, int] = field(default_factory=dict)
    scan: Scan | None = None
    wanted_scan: tuple[float, str] | None = None
    rounds: dict[str, tuple[float, str]] = field(default_factory=dict)
    evicted: int = 0

    @property
    def queue(self) -> dict[str, Slot]:
        return self.seats.slots

    def leave_queue(self, job_id: str, *, is_served: bool = False) -> None:
        if job_id in self.known and not is_served:
            turns.leave(self.seats, self.clients, self.lines, self.known[job_id].manifest)
        for each in (self.seats, *self.clients.values(), *self.lines.values()):
            each.slots.pop(job_id, None)


class MemoryServer:
    """``publish(job_id, text)`` is called after every change, as Redis would announce it, to ``listeners(job_id)`` subscribers.

    ``changes``: every change of each job, also those that its log has no room for; for tests.
    ``on_ticket`` is called with each ticket that is pushed, once the job is queued: what an encoder would do then.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        self.clock = clock
        self.publish: Callable[[str, str], None] = lambda job_id, text: None
        self.listeners: Callable[[str], int] = lambda job_id: 0
        self.on_ticket: Callable[[], object] = lambda: None
        self.changes: dict[str, list[Status]] = {}
        self.watched: list[str] = []
        self.is_down = False
        self._state = State()

    def leave(self, job_id: str) -> None:
        """What Redis does with an ended job after a while."""
        self._state.left[job_id] = self._state.known.pop(job_id).status.state

    def lose_everything(self) -> None:
        self._state = State()

    def reach(self) -> State:
        """Raises ``BackendUnavailable`` where a test took it down."""
        if self.is_down:
            raise errors.BackendUnavailable(part="redis", retry_after_s=2, private="taken down by a test")
        return self._state

    def add(self, amounts: Mapping[str, float]) -> None:
        for name, amount in amounts.items():
            self._state.totals[name] = self._state.totals.get(name, 0) + amount

    def rank(self, job_id: str) -> int:
        return self._state.seats.order().index(job_id) if job_id in self._state.queue else 0

    def place(self, status: Status, rank: int) -> Status:
        recent = self._state.recent
        encoders = max(1, len(self._state.encoders))
        eta_s = round((rank // encoders + 1) * sum(recent) / len(recent) / 1000, 1) if recent else None
        return replace(status, position=rank, eta_s=eta_s)

    def line_up(self, manifest: Manifest) -> None:
        state = self._state
        state.serial += 1
        turns.line_up(state.seats, state.clients, state.lines, manifest, state.virtual_now, state.serial)
        if turns.is_small(manifest) and self.is_express_open():
            state.express = [*state.express, manifest.id][-100:]

    def is_express_open(self) -> bool:
        return 64 >= len(self._state.leases) >= max(1, len(self._state.encoders))

    def underway(self, client: str) -> int:
        return sum(client_of(each.manifest.client) == client and not each.status.has_ended for each in self._state.known.values())

    def check_share(self, job: Job, share: int | None) -> None:
        """Raises ``QuotaExceeded``."""
        if share is not None and self.underway(client_of(job.manifest.client)) >= share:
            raise errors.QuotaExceeded("jobs", limit=share, retry_after_s=5)

    def push_ticket(self) -> bool:
        """Unless each waiting job has one."""
        if self._state.tickets >= len(self._state.queue):
            return False
        self._state.tickets += 1
        self.on_ticket()
        return True

    def tickets(self) -> int:
        return self._state.tickets

    def pop_ticket(self) -> None:
        self._state.tickets = max(0, self._state.tickets - 1)

    def lose_tickets(self) -> None:
        self._state.tickets = 0

    def put_back(self, known: Known, *, at_head: bool = True) -> None:
        """To the head of the queue, or in its turn."""
        if at_head:
            self._state.queue[known.manifest.id] = (self._state.virtual_now, 0)
        else:
            self.line_up(known.manifest)
        position = self.rank(known.manifest.id)
        self.change(known, state="queued", stage=None, progress=0, position=position, eta_s=None, started_at=None)
        self.push_ticket()

    def followers(self, job_id: str) -> list[Known]:
        return [each for each in self._state.known.values() if each.leader == job_id and each.status.state == "running"]

    def release_followers(self, leader: Known) -> None:
        """The job leads no more; those that still follow it are queued again."""
        state, job_id = self._state, leader.manifest.id
        if state.leaders.get(leader.manifest.work_key) == job_id:
            del state.leaders[leader.manifest.work_key]
        for follower in self.followers(job_id):
            state.leases.pop(follower.manifest.id, None)
            follower.leader, follower.tries = "", follower.tries - 1
            self.put_back(follower)

    def note_result(self, job: Job) -> None:
        completed = self._state.completed.setdefault(job.manifest.work_key, [])
        if job.status.state == "succeeded" and job.manifest.work_key and job.id not in completed:
            completed.append(job.id)

    def create(self, job: Job) -> Known:
        known = self._state.known[job.id] = Known(job.manifest, job.status)
        self._state.expiries[job.id] = job.manifest.expires_at
        self._state.listed[job.id] = (job.manifest.lister, job.manifest.created_at)
        self._write(known, job.status)
        return known

    def change(self, known: Known, **patch: Any) -> None:
        self.record(known, replace(known.status, seq=known.status.seq + 1, **json.loads(json.dumps(patch))))

    def record(self, known: Known, status: Status) -> None:
        assert status.state in FOLLOWING[known.status.state]
        self._write(known, status)

    def _write(self, known: Known, status: Status) -> None:
        known.status = Status.from_json(status.to_json())
        self.changes.setdefault(known.manifest.id, []).append(known.status)
        kept = min(LOG_LIMIT, max(1, LOG_BYTES // len(known.status.to_json())))
        known.log = [*known.log, known.status][-kept:]
        self.publish(known.manifest.id, status.to_json())
