"""Everything that lives in Redis, one port a capability."""

from __future__ import annotations

from typing import TypedDict

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
from backend.ports.queue import JobQueue
from backend.ports.upkeep import Upkeep


class LiveState(TypedDict):
    """The ports that one server provides together: a ``Context`` is made with all of them (``Context(**live_state, …)``)."""

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
