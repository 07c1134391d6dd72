"""States, logs and the index of jobs, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend.core import tally
from backend.core.index_line import IndexLine
from backend.core.job import Job, Status
from backend.ports.index import ListEntry
from tests.fakes.server import MemoryServer


class MemoryJobStates:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def find(self, job_id: str) -> Job | None:
        known = self._server.reach().known.get(job_id)
        return None if known is None else known.job

    def unknown(self, ids: Sequence[str]) -> list[str]:
        state = self._server.reach()
        return [each for each in ids if each not in state.known and each not in state.end_seqs]

    def changes_since(self, job_id: str, seq: int) -> list[Status] | None:
        known = self._server.reach().known.get(job_id)
        if known is None or not known.log or known.log[0].seq > seq + 1:
            return None
        return [each for each in known.log if each.seq > seq]

    def end(self, job: Job) -> Job:
        server, state = self._server, self._server.reach()
        state.leave_queue(job.id)
        for each in (state.leases, state.fetching):
            each.pop(job.id, None)
        known = state.known.get(job.id)
        if known is None and job.id in state.end_seqs:
            return self.restore(job, 0)
        if known is None or not known.status.has_ended:
            server.add(tally.of_end(job))
            state.paces.append((server.clock(), tally.of_pace(job)))
        if known is None:
            server.add(tally.of_created(job))
            known = server.create(job)
        elif not known.status.has_ended:
            before, known.token = known.status, ""
            if job.status.state == "succeeded" and job.status.started_at and job.status.finished_at:
                state.recent = [int(1000 * (job.status.finished_at - job.status.started_at)), *state.recent][:20]
            server.record(known, replace(job.status, seq=before.seq + 1, attempt=before.attempt, started_at=before.started_at))
        state.end_seqs[job.id] = known.status.seq
        server.note_result(job.at(known.status))
        server.release_followers(known)
        return job.at(known.status)

    def end_alone(self, job: Job) -> Job | None:
        is_lost = job.manifest.is_ephemeral and job.id not in self._server.reach().known
        return None if is_lost or self.followers(job.id) else self.end(job)

    def restore(self, job: Job, margin: int) -> Job:
        state = self._server.reach()
        if job.id not in state.known:
            seq = state.end_seqs.get(job.id, job.status.seq + margin)
            known = self._server.create(job.at(replace(job.status, seq=seq)))
            state.end_seqs[job.id] = seq
            self._server.note_result(job.at(known.status))
        return job.at(state.known[job.id].status)

    def forget(self, job_id: str) -> None:
        server, state = self._server, self._server.reach()
        if job_id in state.known and not state.known[job_id].status.has_ended:
            server.add({f"{tally.ENDED}:{tally.ERASED}:": 1})
        known = state.known.get(job_id)
        state.leave_queue(job_id)
        for each in (state.leases, state.fetching, state.expiries, state.listed, state.known, state.end_seqs):
            each.pop(job_id, None)
        if known is not None:
            server.release_followers(known)
            key = known.manifest.work_key
            state.completed[key] = [each for each in state.completed.get(key, []) if each != job_id]
        server.publish(job_id, "")

    def followers(self, job_id: str) -> list[Job]:
        self._server.reach()
        return [known.job for known in self._server.followers(job_id)]

    def completed_duplicates(self, work_key: str) -> list[str]:
        return self._server.reach().completed.get(work_key, [])[::-1] if work_key else []


class MemoryJobIndex:
    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def add(self, lines: Sequence[IndexLine]) -> None:
        for each in lines:
            self._server.reach().expiries[each.id] = each.expires_at
            self._server.reach().listed[each.id] = (each.lister, each.created_at)

    def missing(self, ids: Sequence[str]) -> set[str]:
        state = self._server.reach()
        return {each for each in ids if each not in state.expiries or each not in state.listed}

    def expired(self, now: float, limit: int) -> list[str]:
        expiries = self._server.reach().expiries
        return sorted((each for each in expiries if expiries[each] <= now), key=expiries.__getitem__)[:limit]

    def entries(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        state = self._server.reach()
        own = ((created_at, job_id) for job_id, (lister, created_at) in state.listed.items() if maker and lister == maker)
        shown = sorted((each for each in own if before is None or each < before), reverse=True)[:limit]
        return [
            ListEntry(job_id, created_at, state.known[job_id].job if job_id in state.known else None, state.left.get(job_id))
            for created_at, job_id in shown
        ]
