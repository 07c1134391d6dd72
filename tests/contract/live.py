"""The live state as the contract suites use it: all its ports, and steps that many tests take."""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.job import Job, Result
from backend.ports.client_uses import ClientUses
from backend.ports.counters import Counters
from backend.ports.delivery_queue import DeliveryQueue
from backend.ports.duties import Duties
from backend.ports.fetch_leases import FetchLeases
from backend.ports.history import History
from backend.ports.index import JobIndex
from backend.ports.job_states import JobStates
from backend.ports.leases import Leases
from backend.ports.memos import Memos
from backend.ports.presence import Presence
from backend.ports.queue import Claim, JobQueue
from backend.ports.upkeep import Upkeep
from tests.fakes.samples import job

LEASE_S = 60.0
NO_TIME_S = 0.02


@dataclass
class Live:
    queue: JobQueue
    jobs: JobStates
    leases: Leases
    fetch_leases: FetchLeases
    index: JobIndex
    client_uses: ClientUses
    counters: Counters
    memos: Memos
    duties: Duties
    presence: Presence
    deliveries: DeliveryQueue
    history: History
    upkeep: Upkeep


def queued(live: Live, client: str = "someone", **given: object) -> Job:
    made = job(client=client, **given)
    live.queue.enqueue(made, limit=None)
    return made


def claim(live: Live, token: str = "token", lease_s: float = LEASE_S) -> Claim:
    found = live.queue.take(token, lease_s)
    assert found is not None
    return found


def found(live: Live, job_id: str) -> Job:
    job = live.jobs.find(job_id)
    assert job is not None
    return job


def seqs(live: Live, job_id: str, after: int = 0) -> list[int]:
    changes = live.jobs.changes_since(job_id, after)
    assert changes is not None
    return [each.seq for each in changes]


def order(live: Live, names: dict[str, str]) -> str:
    """The order in which the waiting jobs are given out, by the names of their clients."""
    said = []
    while (each := live.queue.take("token", LEASE_S)) is not None:
        said.append(names[each.job.id])
    return " ".join(said)


def result() -> Result:
    return Result("result-token.webp", 480, "cd" * 32, 16, 12, 1, facts={"seconds": {"decode": 0.25, "encode": 1.5}})
