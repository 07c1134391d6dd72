"""Live state in dictionaries, with the same fair queue. ``is_down`` makes it unreachable, ``lose_everything`` is a Redis that began empty."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backend import errors
from backend.core import tally
from backend.core.job import STATES, Job, Manifest, Status
from backend.core.overview import Overview
from backend.ports.clock import Clock
from backend.ports.jobs import Claim, ListEntry, ReportAck, Submission

LOG_LIMIT = 512


@dataclass
class Known:
    manifest: Manifest
    status: Status
    token: str = ""
    tries: int = 0
    leader: str = ""
    log: list[Status] = field(default_factory=list)


@dataclass
class State:
    known: dict[str, Known] = field(default_factory=dict)
    queue: dict[str, tuple[int, int]] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    virtual_now: int = 0
    serial: int = 0
    leases: dict[str, float] = field(default_factory=dict)
    fetching: dict[str, float] = field(default_factory=dict)
    expiries: dict[str, float] = field(default_factory=dict)
    listed: dict[str, tuple[str, float]] = field(default_factory=dict)
    greeted: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    duties: dict[str, tuple[str, float]] = field(default_factory=dict)
    memos: dict[str, tuple[str, float]] = field(default_factory=dict)
    counters: dict[str, tuple[int, float]] = field(default_factory=dict)
    leaders: dict[str, str] = field(default_factory=dict)
    same: dict[str, list[str]] = field(default_factory=dict)
    recent: list[int] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)
    paces: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    epoch: str | None = None


class MemoryJobs:
    """``publish(job_id, text)`` is called after every change, as Redis would announce it, to so many ``listeners(job_id)``."""

    def __init__(self, clock: Clock = time.time) -> None:
        self.clock = clock
        self.publish: Callable[[str, str], None] = lambda job_id, text: None
        self.listeners: Callable[[str], int] = lambda job_id: 0
        self.is_down = False
        self._state = State()

    def lose_everything(self) -> None:
        self._state = State()

    def enqueue(self, job: Job, *, limit: int | None) -> Job:
        state = self._reach()
        if job.id not in state.known:
            if limit is not None and len(state.queue) >= limit:
                raise errors.QueueFull(limit=limit, retry_after_s=1)
            self._add(tally.of_created(job))
            self._line_up(job.id, job.manifest.client)
            self._create(job.at(self._placed(job.status, self._rank(job.id) or 0)))
        return job.at(state.known[job.id].status)

    def submit(self, job: Job, *, limit: int | None) -> Submission | None:
        if job.id not in self._reach().known and self.same(job.manifest.work):
            return None
        return Submission(self.enqueue(job, limit=limit), is_heard=False)

    def promise(self, job: Job, token: str, lease_s: float, *, limit: int | None) -> Job:
        state = self._reach()
        if job.id not in state.known:
            if limit is not None and len(state.queue) + len(state.fetching) >= limit:
                raise errors.QueueFull(limit=limit, retry_after_s=1)
            self._add(tally.of_created(job))
            self._create(job).token = token
            state.fetching[job.id] = self.clock() + lease_s
        return job.at(state.known[job.id].status)

    def fetching(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        state = self._reach()
        known = state.known.get(job_id)
        if known is None:
            return None
        if known.status.state != "queued" or known.token != token:
            return False
        state.fetching[job_id] = self.clock() + lease_s
        if percent > known.status.progress:
            self._change(known, progress=percent)
        return True

    def unfetched(self) -> list[str]:
        return [job_id for job_id, until in self._reach().fetching.items() if until <= self.clock()]

    def fetch_again(self, job_id: str, token: str, lease_s: float) -> bool:
        if job_id not in self.unfetched():
            return False
        self._state.known[job_id].token = token
        self._state.fetching[job_id] = self.clock() + lease_s
        return True

    def supply(self, job: Job) -> Job:
        state = self._reach()
        if job.id not in state.known:
            self._add({**tally.of_created(job), tally.UPLOAD_BYTES: 0})
            self._create(job)
        known = state.known[job.id]
        known.manifest, known.token = job.manifest, ""
        state.fetching.pop(job.id, None)
        if known.status.state == "queued" and job.id not in state.queue:
            self._add({tally.UPLOAD_BYTES: job.manifest.source.bytes})
            self._line_up(job.id, job.manifest.client)
            placed = self._placed(known.status, self._rank(job.id) or 0)
            self._change(known, position=placed.position, eta_s=placed.eta_s)
        return job.at(known.status)

    def move(self) -> int:
        state, told = self._reach(), 0
        for job_id in list(state.queue):
            known, rank = state.known[job_id], self._rank(job_id) or 0
            place = known.status.position
            if place is None or abs(place - rank) >= max(1, place / 10):
                status = self._placed(known.status, rank)
                self._change(known, position=status.position, eta_s=status.eta_s)
                told += 1
        return told

    def _placed(self, status: Status, rank: int) -> Status:
        recent = self._state.recent
        encoders = max(1, len(self._state.greeted))
        eta_s = round((rank // encoders + 1) * sum(recent) / len(recent) / 1000, 1) if recent else None
        return replace(status, position=rank, eta_s=eta_s)

    def restore(self, job: Job) -> None:
        if job.id not in self._reach().known:
            self._create(job)
            self._note_result(job)

    def take(self, token: str, lease_s: float) -> Claim | None:
        state = self._reach()
        while state.queue:
            job_id = min(state.queue, key=lambda each: (state.queue[each], each))
            state.virtual_now = state.queue.pop(job_id)[0]
            known = state.known.get(job_id)
            if known is not None and known.status.state == "queued" and not self._runs_along(known, lease_s):
                return self._begin(known, token, lease_s)
        return None

    def take_at_bell(self, token: str, lease_s: float, name: str, seconds: float) -> tuple[bool, Claim | None]:
        """Nobody rings here; see ``MemoryBell``."""
        return False, self.take(token, lease_s)

    def twins(self, job_id: str) -> list[Job]:
        return [Job(known.manifest, known.status) for known in self._twins_of(self._reach(), job_id)]

    def same(self, work: str) -> list[str]:
        return self._reach().same.get(work, [])[::-1] if work else []

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        state = self._reach()
        known = state.known.get(job_id)
        if known is None or (known.status.state == "queued" and known.tries == 0):
            return None
        if known.status.state != "running" or known.token != token:
            return ReportAck(0, 0)
        listeners = 0
        for each in (known, *self._twins_of(state, job_id)):
            state.leases[each.manifest.id] = self.clock() + lease_s
            if patch and not each.manifest.is_passing:
                self._change(each, **patch)
                listeners += self.listeners(each.manifest.id)
        return ReportAck(known.status.seq, listeners)

    def adopt(self, claim: Claim, lease_s: float) -> bool:
        state, job_id = self._reach(), claim.job.id
        known = state.known.get(job_id)
        if known is not None and known.status.state != "queued":
            return False
        state.queue.pop(job_id, None)
        if known is None:
            self._add(tally.of_created(claim.job))
            known = self._create(claim.job)
        else:
            self._record(known, replace(claim.job.status, seq=max(known.status.seq, claim.job.status.seq) + 1))
        known.token, known.tries = claim.token, 1
        state.leases[job_id] = self.clock() + lease_s
        return True

    def end(self, job: Job) -> Job:
        state = self._reach()
        for each in (state.queue, state.leases, state.fetching):
            each.pop(job.id, None)
        known = state.known.get(job.id)
        if known is None or not known.status.has_ended:
            self._add(tally.of_end(job))
            state.paces.append((self.clock(), tally.of_pace(job)))
        if known is None:
            self._add(tally.of_created(job))
            known = self._create(job)
        elif not known.status.has_ended:
            before, known.token = known.status, ""
            if job.status.state == "succeeded" and job.status.started_at and job.status.finished_at:
                state.recent = [int(1000 * (job.status.finished_at - job.status.started_at)), *state.recent][:20]
            self._record(known, replace(job.status, seq=before.seq + 1, attempt=before.attempt, started_at=before.started_at))
        self._note_result(job.at(known.status))
        self._let_go(known)
        return job.at(known.status)

    def end_alone(self, job: Job) -> Job | None:
        is_lost = job.manifest.is_passing and job.id not in self._reach().known
        return None if is_lost or self.twins(job.id) else self.end(job)

    def lost(self) -> list[str]:
        return [job_id for job_id, until in self._reach().leases.items() if until <= self.clock()]

    def requeue(self, job_id: str) -> int:
        state = self._reach()
        state.leases.pop(job_id, None)
        known = state.known.get(job_id)
        if known is None or known.status.state != "running":
            return -1
        known.token = ""
        self._add({tally.ENCODERS_LOST: 1})
        self._let_go(known)
        state.queue[job_id] = (state.virtual_now, 0)
        self._change(known, state="queued", stage=None, progress=0, position=0, eta_s=None, started_at=None)
        return known.tries

    def find(self, job_id: str) -> Job | None:
        known = self._reach().known.get(job_id)
        if known is None:
            return None
        return Job(known.manifest, known.status)

    def since(self, job_id: str, seq: int) -> list[Status] | None:
        known = self._reach().known.get(job_id)
        if known is None or known.log[0].seq > seq + 1:
            return None
        return [each for each in known.log if each.seq > seq]

    def forget(self, job_id: str) -> None:
        state = self._reach()
        if job_id in state.known and not state.known[job_id].status.has_ended:
            self._add({f"{tally.ENDED}:{tally.ERASED}:": 1})
        known = state.known.get(job_id)
        for each in (state.queue, state.leases, state.fetching, state.expiries, state.listed, state.known):
            each.pop(job_id, None)
        if known is not None:
            self._let_go(known)
            state.same[known.manifest.work] = [each for each in state.same.get(known.manifest.work, []) if each != job_id]
        self.publish(job_id, "")

    def queued(self) -> int:
        return len(self._reach().queue)

    def running(self) -> int:
        return len(self._reach().leases)

    def epoch(self) -> str | None:
        return self._reach().epoch

    def begin_epoch(self, name: str) -> None:
        self._reach().epoch = name

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        duties = self._reach().duties
        held = duties.get(name)
        if held is not None and held[1] > self.clock() and held[0] != holder:
            return False
        duties[name] = (holder, self.clock() + seconds)
        return True

    def expect(self, manifests: Sequence[Manifest]) -> None:
        for each in manifests:
            self._reach().expiries[each.id] = each.expires_at
            self._reach().listed[each.id] = (each.lister, each.created_at)

    def listed(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        state = self._reach()
        own = ((created_at, job_id) for job_id, (lister, created_at) in state.listed.items() if maker and lister == maker)
        shown = sorted((each for each in own if before is None or each < before), reverse=True)[:limit]
        return [ListEntry(job_id, created_at, self.find(job_id)) for created_at, job_id in shown]

    def expired(self, now: float, limit: int) -> list[str]:
        expiries = self._reach().expiries
        return sorted((each for each in expiries if expiries[each] <= now), key=expiries.__getitem__)[:limit]

    def greet(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> None:
        self._reach().greeted[encoder] = (self.clock() + seconds, dict(facts))

    def encoders(self) -> list[dict[str, Any]]:
        return [facts for until, facts in self._reach().greeted.values() if until >= self.clock()]

    def tally(self, amounts: Mapping[str, float]) -> None:
        self._reach()
        self._add(amounts)

    def overview(self) -> Overview:
        state, now = self._reach(), self.clock()
        counted = Counter(each.status.state for each in state.known.values())
        waiting = [state.known[each].manifest.created_at for each in state.queue]
        recent: Counter[str] = Counter()
        for when, amounts in state.paces:
            if when > now - 60:
                recent.update(amounts)
        return Overview(
            jobs={each: counted[each] for each in STATES},
            oldest_queued_s=max(0.0, now - min(waiting)) if waiting else 0.0,
            encoders=tuple(self.encoders()),
            totals=dict(state.totals),
            recent=dict(recent),
            conversion_s=sum(state.recent) / len(state.recent) / 1000 if state.recent else 0.0,
        )

    def recall(self, key: str) -> str | None:
        value, until = self._reach().memos.get(key, ("", 0.0))
        return value if until > self.clock() else None

    def remember(self, key: str, value: str, seconds: int) -> bool:
        if self.recall(key) is not None:
            return False
        self._reach().memos[key] = (value, self.clock() + seconds)
        return True

    def release(self, key: str) -> None:
        self._reach().memos.pop(key, None)

    def count(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        counters, now = self._reach().counters, self.clock()
        count, until = counters.get(key, (0, 0.0))
        if until <= now:
            count, until = 0, now + window_s
        counters[key] = (count + amount, until)
        return count + amount, round(until - now)

    def ping(self) -> None:
        self._reach()

    def _reach(self) -> State:
        if self.is_down:
            raise errors.BackendUnavailable(part="redis", retry_after_s=2, private="taken down by a test")
        return self._state

    def _add(self, amounts: Mapping[str, float]) -> None:
        for name, amount in amounts.items():
            self._state.totals[name] = self._state.totals.get(name, 0) + amount

    def _rank(self, job_id: str) -> int | None:
        queue = self._state.queue
        return sorted(queue, key=lambda each: (queue[each], each)).index(job_id) if job_id in queue else None

    def _line_up(self, job_id: str, client: str) -> None:
        state = self._state
        if not state.queue:
            state.tags.clear()
        state.tags[client] = max(state.virtual_now, state.tags.get(client, 0)) + 1
        state.serial += 1
        state.queue[job_id] = (state.tags[client], state.serial)

    def _runs_along(self, known: Known, lease_s: float) -> bool:
        """As a twin of the job whose work is the same; else it leads from now on."""
        state, work = self._state, known.manifest.work
        leader = state.known.get(state.leaders.get(work, "")) if work else None
        if leader is None or leader.status.state != "running":
            state.leaders[work] = known.manifest.id
            known.leader = ""
            return False
        known.leader, known.token, known.tries = leader.manifest.id, "", known.tries + 1
        state.leases[known.manifest.id] = self.clock() + lease_s
        ahead = {name: getattr(leader.status, name) for name in ("stage", "eta_s")}
        ahead["progress"] = max(known.status.progress, leader.status.progress)
        self._change(known, state="running", started_at=self.clock(), attempt=known.tries, position=None, **ahead)
        return True

    def _twins_of(self, state: State, job_id: str) -> list[Known]:
        return [each for each in state.known.values() if each.leader == job_id and each.status.state == "running"]

    def _let_go(self, leader: Known) -> None:
        state, job_id = self._state, leader.manifest.id
        if state.leaders.get(leader.manifest.work) == job_id:
            del state.leaders[leader.manifest.work]
        for twin in self._twins_of(state, job_id):
            state.leases.pop(twin.manifest.id, None)
            twin.leader, twin.tries = "", twin.tries - 1
            state.queue[twin.manifest.id] = (state.virtual_now, 0)
            self._change(twin, state="queued", stage=None, progress=0, position=0, eta_s=None, started_at=None)

    def _note_result(self, job: Job) -> None:
        known = self._state.same.setdefault(job.manifest.work, [])
        if job.status.state == "succeeded" and job.manifest.work and job.id not in known:
            known.append(job.id)

    def _begin(self, known: Known, token: str, lease_s: float) -> Claim:
        known.token, known.tries = token, known.tries + 1
        self._state.leases[known.manifest.id] = self.clock() + lease_s
        self._change(known, state="running", stage="decode", started_at=self.clock(), attempt=known.tries, position=None, eta_s=None)
        return Claim(Job(known.manifest, known.status), token, tuple(self.same(known.manifest.work)))

    def _create(self, job: Job) -> Known:
        known = self._state.known[job.id] = Known(job.manifest, job.status)
        self._state.expiries[job.id] = job.manifest.expires_at
        self._state.listed[job.id] = (job.manifest.lister, job.manifest.created_at)
        self._record(known, job.status)
        return known

    def _change(self, known: Known, **patch: Any) -> None:
        self._record(known, replace(known.status, seq=known.status.seq + 1, **json.loads(json.dumps(patch))))

    def _record(self, known: Known, status: Status) -> None:
        known.status = Status.from_json(status.to_json())
        known.log = [*known.log, known.status][-LOG_LIMIT:]
        self.publish(known.manifest.id, status.to_json())
