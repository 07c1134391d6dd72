"""Leases in memory: those of encoders, and those of gateways that fetch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend import errors
from backend.core import tally
from backend.core.job import Job
from backend.ports.leases import ReportAck
from backend.ports.queue import Claim
from tests.fakes.server import MemoryServer


class MemoryLeases:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        server, state = self._server, self._server.reach()
        known = state.known.get(job_id)
        if known is None or (known.status.state == "queued" and known.tries == 0):
            return None
        if known.status.state != "running" or known.token != token:
            return ReportAck(0, 0)
        listeners = 0
        for each in (known, *server.followers(job_id)):
            state.leases[each.manifest.id] = server.clock() + lease_s
            told = patch if each is known else {name: value for name, value in patch.items() if name != "results"}
            if told and not each.manifest.is_ephemeral:
                server.change(each, **told)
                listeners += server.listeners(each.manifest.id)
        return ReportAck(known.status.seq, listeners)

    def announce_watcher(self, job_id: str) -> None:
        known = self._server.reach().known.get(job_id)
        if known is not None and known.status.state == "running":
            self._server.watched.append(self._server.reach().known[known.leader].token if known.leader else known.token)

    def readopt(self, claim: Claim, lease_s: float) -> bool:
        server, state, job_id = self._server, self._server.reach(), claim.job.id
        known = state.known.get(job_id)
        if known is not None and known.status.state != "queued":
            return False
        state.leave_queue(job_id)
        if known is None:
            server.add(tally.of_created(claim.job))
            known = server.create(claim.job)
        else:
            server.record(known, replace(claim.job.status, seq=max(known.status.seq, claim.job.status.seq) + 1))
        known.token, known.tries = claim.token, 1
        state.leases[job_id] = server.clock() + lease_s
        return True

    def pause(self, job_id: str, token: str, pauses_s: Sequence[float], *, died: int = 0) -> int | None:
        server, state = self._server, self._server.reach()
        known = state.known.get(job_id)
        if known is None or known.status.state != "running" or known.token != token:
            return None
        known.token, known.is_paused, known.pauses, known.tries = "", True, known.pauses + 1, known.tries - 1
        until_s = server.clock() + pauses_s[min(known.pauses, len(pauses_s)) - 1]
        state.leases.update({each.manifest.id: until_s for each in (known, *server.followers(job_id))})
        known.deaths += died
        return known.deaths

    def acquit(self, job_id: str, token: str) -> None:
        known = self._server.reach().known.get(job_id)
        if known is not None and token in known.lost:
            known.lost.remove(token)
            known.tries -= known.tries > 1

    def expired(self) -> list[str]:
        return [job_id for job_id, until in self._server.reach().leases.items() if until <= self._server.clock()]

    def count(self) -> int:
        return len(self._server.reach().leases)


class MemoryFetchLeases:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def reserve(self, job: Job, token: str, lease_s: float, *, limit: int | None, share: int | None = None, begun: int = 0) -> Job:
        server, state = self._server, self._server.reach()
        if job.id not in state.known:
            if limit is not None and len(state.queue) + len(state.fetching) >= limit:
                raise errors.QueueFull(limit=limit, retry_after_s=1)
            server.check_share(job, share)
            server.add(tally.of_created(job))
            known = server.create(job)
            known.token, known.fetches = token, begun
            state.fetching[job.id] = server.clock() + lease_s
        return job.at(state.known[job.id].status)

    def begin(self, job_id: str, token: str, lease_s: float) -> bool | None:
        is_held = self.renew(job_id, token, 0, lease_s)
        if is_held:
            self._server.reach().known[job_id].fetches += 1
        return is_held

    def renew(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        server, state = self._server, self._server.reach()
        known = state.known.get(job_id)
        if known is None:
            return None
        if known.status.state != "queued" or known.token != token:
            return False
        state.fetching[job_id] = server.clock() + lease_s
        if percent > known.status.progress:
            server.change(known, progress=percent)
        return True

    def expired(self) -> list[str]:
        return [job_id for job_id, until in self._server.reach().fetching.items() if until <= self._server.clock()]

    def take_over(self, job_id: str, token: str, lease_s: float) -> int | None:
        if job_id not in self.expired():
            return None
        state = self._server.reach()
        state.known[job_id].token = token
        state.fetching[job_id] = self._server.clock() + lease_s
        return state.known[job_id].fetches

    def hand_back(self, job_id: str, token: str, most: int) -> None:
        state = self._server.reach()
        if job_id in state.fetching and (known := state.known[job_id]).token == token:
            known.token, known.handed_back = "", known.handed_back + 1
            known.fetches -= known.handed_back <= most
            state.fetching[job_id] = self._server.clock()

    def pause(self, job_id: str, token: str, pauses_s: Sequence[float]) -> None:
        state = self._server.reach()
        if job_id in state.fetching and (known := state.known[job_id]).token == token:
            known.token, known.fetches, known.pauses = "", known.fetches - 1, known.pauses + 1
            state.fetching[job_id] = self._server.clock() + pauses_s[min(known.pauses, len(pauses_s)) - 1]

    def attach_source(self, job: Job) -> Job:
        server, state = self._server, self._server.reach()
        if job.id not in state.known:
            server.add({**tally.of_created(job), tally.UPLOAD_BYTES: 0})
            server.create(job)
        known = state.known[job.id]
        known.manifest, known.token = job.manifest, ""
        state.fetching.pop(job.id, None)
        if known.status.state == "queued" and job.id not in state.queue:
            server.add({tally.UPLOAD_BYTES: job.manifest.source.bytes})
            server.line_up(job.manifest)
            placed = server.place(known.status, server.rank(job.id))
            server.change(known, position=placed.position, eta_s=placed.eta_s)
            queued = job.at(known.status)
            server.push_ticket()
            return queued
        return job.at(known.status)
