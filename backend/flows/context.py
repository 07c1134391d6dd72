"""What every flow is given: the ports and the operator's rules, in one value."""

from __future__ import annotations

import math
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.core.limits import Limits
from backend.core.reader import Reader
from backend.ports.announcements import Cancellations
from backend.ports.client_uses import ClientUse, ClientUses
from backend.ports.clock import Clock
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
from backend.ports.resumable import Uploads
from backend.ports.store import Store
from backend.ports.upkeep import Upkeep
from backend.ports.watermarks import Watermarks


def random_id() -> str:
    """128 random bits, base64url: 22 characters."""
    return secrets.token_urlsafe(16)


@dataclass(slots=True)
class QueueDepthCache:
    """How many jobs waited when this process last looked, and when that was."""

    waiting: int = 0
    at_s: float = -math.inf


@dataclass(frozen=True, slots=True)
class SeenUse:
    """What a client used when this process last looked, and when that was."""

    use: ClientUse
    at_s: float


@dataclass(slots=True)
class ClientCache:
    """What this process knows of the clients: what each used a moment ago, and the bytes that it has sent since they were told to Redis."""

    seen: dict[str, SeenUse] = field(default_factory=dict)
    untold_bytes: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Unqueued:
    """Ids of stored jobs that Redis may not know, in their order. ``has_more``: there were too many to remember."""

    ids: dict[str, None] = field(default_factory=dict)
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class SeenUpload:
    """A resumable upload as the janitor read it. ``client`` is empty once it is a job. Nothing is to be done before ``due_at``."""

    version: str
    due_at: float
    expires_at: float
    client: str
    has_job: bool


@dataclass(slots=True)
class UploadSweep:
    """How far the janitor has come in the listing of uploads, and what it knows of them from this round and the last."""

    after: str = ""
    seen: dict[str, SeenUpload] = field(default_factory=dict)
    seen_this_round: dict[str, SeenUpload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """``uploads`` is None in an encoder, which takes no uploads. ``cancellations`` is None in a gateway, which encodes nothing.
    ``watermarks`` is None where the operator has given none.

    ``receiver`` is for whom webhooks are written. ``sends_webhooks``: jobs may have a receiver that waits for their end.
    """

    store: Store
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
    receiver: Reader
    uploads: Uploads | None = None
    cancellations: Cancellations | None = None
    watermarks: Watermarks | None = None
    limits: Limits = field(default_factory=Limits)
    max_queued_jobs: int = 1000
    retention_s: int = 86_400
    encode_timeout_s: int = 60
    shares_results: bool = True
    sends_webhooks: bool = False
    queue_depth: QueueDepthCache = field(default_factory=QueueDepthCache)
    clients: ClientCache = field(default_factory=ClientCache)
    upload_sweep: UploadSweep = field(default_factory=UploadSweep)
    unqueued: Unqueued = field(default_factory=Unqueued)
    clock: Clock = time.time
    new_id: Callable[[], str] = random_id
