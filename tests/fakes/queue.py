"""The fair queue in memory."""

from __future__ import annotations

from backend import errors
from backend.core import tally
from backend.core.job import Job
from backend.core.protocol import is_understood
from backend.core.turns import client_of
from backend.ports.queue import Claim, OnlyNewer
from tests.fakes import turns
from tests.fakes.server import Known, MemoryServer


class MemoryJobQueue:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def enqueue(self, job: Job, *, limit: int | None, share: int | None = None) -> Job:
        server, state = self._server, self._server.reach()
        if job.id in state.known:
            return job.at(state.known[job.id].status)
        if limit is not None and len(state.queue) >= limit:
            raise errors.QueueFull(limit=limit, retry_after_s=1)
        server.check_share(job, share)
        server.add(tally.of_created(job))
        server.line_up(job.manifest)
        queued = server.create(job.at(server.place(job.status, server.rank(job.id)))).job
        server.push_ticket()
        return queued

    def submit(self, job: Job, *, limit: int | None, share: int | None = None) -> Job | None:
        state = self._server.reach()
        if job.id not in state.known and job.manifest.work_key and state.completed.get(job.manifest.work_key):
            return None
        return self.enqueue(job, limit=limit, share=share)

    def take(self, token: str, lease_s: float) -> Claim | None:
        state, beyond = self._server.reach(), []
        while state.queue:
            job_id = next((each for each in state.seats.order() if each not in beyond), None)
            if job_id is None:
                raise OnlyNewer()
            if not is_understood(state.known[job_id].manifest.needs):
                beyond.append(job_id)
                continue
            state.virtual_now = state.queue[job_id][0]
            state.leave_queue(job_id, is_served=True)
            known = state.known.get(job_id)
            if known is not None and known.status.state == "queued" and not self._follows(known, lease_s):
                return self._begin(known, token, lease_s)
        return None

    def is_express_called(self, within_s: float) -> bool:
        express = self._server.reach().express
        return bool(express and express.pop(0))

    def take_express(self, token: str, lease_s: float) -> Claim | None:
        server, state = self._server, self._server.reach()
        if not server.is_express_open():
            return None
        running = [state.known[each].manifest for each in state.leases]
        small = sum(turns.is_small(each) for each in running)
        busy = {client_of(each.client) for each in running}
        waiting = [state.known[each] for each in state.seats.order() if each in state.known and turns.is_small(state.known[each].manifest)]
        waiting = [each for each in waiting if is_understood(each.manifest.needs)]
        idle = [each for each in waiting if client_of(each.manifest.client) not in busy]
        if not (chosen := idle or (waiting if small < len(running) - small else [])):
            return None
        state.leave_queue(chosen[0].manifest.id)
        return None if self._follows(chosen[0], lease_s) else self._begin(chosen[0], token, lease_s)

    def requeue(self, job_id: str, *, only_paused: bool = False) -> int:
        state = self._server.reach()
        known = state.known.get(job_id)
        if only_paused and (known is None or not known.is_paused):
            return -1
        state.leases.pop(job_id, None)
        if known is None or known.status.state != "running":
            return -1
        if not known.is_paused:
            self._server.add({tally.ENCODERS_LOST: 1})
            known.lost += [known.token] if known.token else []
        known.token, known.is_paused = "", False
        self._server.release_followers(known)
        self._server.put_back(known, at_head=len(known.lost) < 3 and known.pauses < 20)
        return len(known.lost)

    def top_up_tickets(self) -> int:
        self._server.reach()
        pushed = 0
        while self._server.push_ticket():
            pushed += 1
        return pushed

    def depth(self) -> int:
        return len(self._server.reach().queue)

    def publish_positions(self) -> int:
        server, published = self._server, 0
        for job_id in [each for each in server.reach().queue if each in server.reach().known]:
            known, rank = server.reach().known[job_id], server.rank(job_id)
            position = known.status.position
            if position is None or abs(position - rank) >= max(1, position / 10):
                status = server.place(known.status, rank)
                server.change(known, position=status.position, eta_s=status.eta_s)
                published += 1
        return published

    def _follows(self, known: Known, lease_s: float) -> bool:
        """Whether its work is being encoded already; otherwise the job leads from now on."""
        server, state, work_key = self._server, self._server.reach(), known.manifest.work_key
        leader = state.known.get(state.leaders.get(work_key, "")) if work_key else None
        if leader is None or leader.status.state != "running":
            state.leaders[work_key] = known.manifest.id
            known.leader = ""
            return False
        known.leader, known.token, known.tries = leader.manifest.id, "", known.tries + 1
        state.leases[known.manifest.id] = server.clock() + lease_s
        ahead = {name: getattr(leader.status, name) for name in ("stage", "eta_s")}
        ahead["progress"] = max(known.status.progress, leader.status.progress)
        server.change(known, state="running", started_at=server.clock(), attempt=known.tries, position=None, **ahead)
        return True

    def _begin(self, known: Known, token: str, lease_s: float) -> Claim:
        server, state = self._server, self._server.reach()
        known.token, known.tries = token, known.tries + 1
        state.leases[known.manifest.id] = server.clock() + lease_s
        server.change(known, state="running", stage="decode", started_at=server.clock(), attempt=known.tries, position=None, eta_s=None)
        duplicates = state.completed.get(known.manifest.work_key, []) if known.manifest.work_key else []
        waiting, encoders = len(state.queue), max(1, len(state.encoders))
        return Claim(known.job, token, tuple(duplicates[::-1]), server.listeners(known.manifest.id), waiting, encoders)
