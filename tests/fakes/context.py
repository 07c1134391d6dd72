"""A whole world in memory, with everything that watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend.core.client_limits import ADMITTED
from backend.core.job import Job, Status
from backend.core.options import Options
from backend.flows import ingest
from backend.flows.context import Context
from backend.flows.encode import encode_next
from backend.flows.follow import Follower
from backend.ports.codec import Codec
from tests.fakes.announcements import MemoryAnnouncements
from tests.fakes.clock import SettableClock, ShiftedClock
from tests.fakes.codec import ScriptedCodec
from tests.fakes.live_state import live_state
from tests.fakes.samples import READER, image, next_id
from tests.fakes.server import MemoryServer
from tests.fakes.store import MemoryStore
from tests.fakes.uploads import MemoryUploads


@dataclass
class MemoryContext:
    """``rules`` go to ``Context``: limits, retention and the like. Equal uploads share nothing, unless a rule says so."""

    clock: SettableClock | ShiftedClock = field(default_factory=SettableClock)
    rules: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store, self.server = MemoryStore(self.clock), MemoryServer(self.clock)
        self.uploads = MemoryUploads(self.store)
        live = live_state(self.server)
        self.queue, self.jobs, self.leases = live["queue"], live["jobs"], live["leases"]
        self.fetch_leases, self.index, self.counters = live["fetch_leases"], live["index"], live["counters"]
        self.memos, self.duties, self.presence = live["memos"], live["duties"], live["presence"]
        self.deliveries, self.upkeep = live["deliveries"], live["upkeep"]
        ports = {"store": self.store, **live, "uploads": self.uploads}
        self.context = Context(**{**ports, "clock": self.clock, "new_id": next_id, "receiver": READER, "shares_results": False, **self.rules})
        self.follower = Follower(self.context)
        self.announcements = MemoryAnnouncements(self.server, self.follower.on_change, self.follower.on_message)
        self.follower.attach(self.announcements)

    def receive(self, data: bytes | None = None, filename: str = "cat.png") -> ingest.Received:
        intake = ingest.Intake(self.context, filename)
        try:
            intake.feed(image() if data is None else data)
            return intake.finish()
        except BaseException:
            intake.abandon()
            raise

    def upload(
        self, *, client: str = "someone", owner: str = "", maker: str = "", webhook_url: str = "", options: Options = Options(), **given: Any
    ) -> Job:
        """A job as a client makes it."""
        sender = ingest.Sender(owner, client, "request-1", maker, limits=ADMITTED, webhook_url=webhook_url)
        return ingest.accept(self.context, self.receive(), options, sender, **given)

    def encode(self, codec: Codec | None = None, token: str = "token") -> bool:
        """What an encoder does with a ticket; whether there was a job."""
        self.server.pop_ticket()
        return encode_next(self.context, codec or ScriptedCodec(), token) != "none"

    def find(self, job: Job) -> Job:
        found = self.jobs.find(job.id)
        assert found is not None
        return found

    def store_job(self, job: Job) -> Job:
        """The job as it is now, with how it ended."""
        outcome = self.store.outcome(job.id)
        assert outcome is not None
        return Job(self.store.manifest(job.id), outcome)

    def history(self, job: Job) -> list[str]:
        """Every change so far, in one line each: ``running encode 40``."""
        return [" ".join(str(each) for each in (s.state, s.stage, s.progress) if each is not None) for s in self.changes(job)]

    def changes(self, job: Job, after: int = 0) -> list[Status]:
        """Every change so far, whether somebody watches the job or not."""
        return [each for each in self.server.changes.get(job.id, []) if each.seq > after]

    def close(self) -> None:
        self.store.close()
