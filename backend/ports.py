"""What the flows need from the world, as protocols that name their failures.

An adapter raises only errors of ``backend.errors``: ``StorageFull`` and ``BackendUnavailable`` where the outside fails, and what a
method names. Each port has one contract suite in ``tests/ports`` that every adapter passes, the memory twins among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from backend.core.batch import Batch
from backend.core.conversion import Conversion, Converted, Progress
from backend.core.image_headers import ReadAt
from backend.core.job import Job, Manifest, Status
from backend.core.overview import Overview
from backend.core.resumable import UploadInfo, UploadState

T = TypeVar("T")


class SocketChunk(Protocol):
    """The next bytes of a body, which are to be had from its socket."""

    def draw(self, take: Callable[[int, int], int], most_bytes: int) -> int:
        """How many ``take(source_fd, most_bytes)`` took; it is called once at most. 0: what there is comes by another way."""


class Upload(Protocol):
    """Bytes on their way into the store; invisible until ``Stores.commit``. Always ended by ``commit`` or ``discard``."""

    @property
    def size_bytes(self) -> int: ...

    def write(self, chunk: bytes) -> None:
        """Raises ``StorageFull``."""

    def pour(self, source_fd: int, most_bytes: int) -> int:
        """Write what a socket has, without its coming by, and at most so much; how much it was. 0: nothing, or it cannot. Raises ``StorageFull``."""

    def pour_up_to(self, mark: bytes, source_fd: int, most_bytes: int, held: bytes = b"") -> tuple[int, bytes]:
        """As ``pour``, for bytes in whose midst ``mark`` may stand after a line break. From that line break on, and from one in the end that the mark
        might follow, they are handed back and not written. How many came, and those. ``held`` came just before them, and may begin the mark."""

    def sha256(self) -> str: ...

    def inspect(self, look: Callable[[ReadAt, int], T]) -> T:
        """What ``look(read_at, size_bytes)`` returns; it runs where blocking is allowed, or on a little that is in memory."""

    def discard(self) -> None: ...


class Target(Protocol):
    """A result being written: ``fd`` is open for reading and writing."""

    fd: int

    def keep(self, *, lasts: bool = True) -> tuple[str, str]:
        """Sync the bytes, if they shall last; (file, sha256) for the ``Result``. Nobody sees it before ``Store.conclude``. Raises ``StorageFull``."""

    def discard(self) -> None: ...


class Blob(Protocol):
    """Stored bytes, open for reading. ``read_at`` never returns more than ``length`` bytes; empty at the end."""

    size_bytes: int

    def read_at(self, offset: int, length: int) -> bytes: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Store(Protocol):
    """The truth: sources, manifests, results and how each job ended. What a method here returned from is on disk."""

    def begin(self) -> Upload:
        """Raises ``StorageFull`` when less than the floor is free."""

    def again(self, manifest: Manifest) -> Upload:
        """An earlier job's source as an upload, without a copy. Raises ``NotFound``."""

    def commit(self, upload: Upload, manifest: Manifest) -> bool:
        """Source and manifest become visible together, synced (but for a passing job). Raises ``StorageFull``.

        False when there is a job of that id already; the upload is discarded then.
        """

    def promise(self, manifest: Manifest) -> None:
        """A job whose source is still to come becomes visible, synced. Raises ``StorageFull``."""

    def supply(self, upload: Upload, manifest: Manifest) -> None:
        """The source of a promised job, and its manifest as it is from now on, synced. Raises ``NotFound`` when it was erased, ``StorageFull``."""

    def keep_batch(self, batch: Batch) -> None:
        """Synced. Raises ``StorageFull``."""

    def batch(self, batch_id: str) -> Batch:
        """Raises ``NotFound``."""

    def manifest(self, job_id: str) -> Manifest:
        """Raises ``NotFound``."""

    def outcome(self, job_id: str) -> Status | None:
        """How the job ended, or None while it has not."""

    def open_source(self, job_id: str) -> Blob:
        """Raises ``NotFound``."""

    def open_result(self, job_id: str, file: str) -> Blob:
        """Raises ``Gone``."""

    def begin_result(self, job_id: str, token: str) -> Target:
        """Raises ``NotFound`` when the job was erased, ``StorageFull``."""

    def share(self, from_id: str, file: str, job_id: str, token: str) -> str:
        """Give another job's result to this one too, without a copy; its name here. Each is erased by itself. Raises ``Gone``, ``NotFound``."""

    def conclude(self, job_id: str, status: Status, *, lasts: bool = True) -> bool:
        """Commit the end, once: True for the first, False when another end stands. Raises ``NotFound`` when the job was erased.

        Synced, but where it need not last: a passing job's caller gets the bytes or hears that there are none.

        Whatever encoders kept that is not the result of the end that stands is deleted.
        """

    def erase(self, job_id: str, *, lasts: bool = True) -> int:
        """Source, result and record; the bytes freed. 0 when there was nothing. ``lasts=False``: a power cut may bring it back, until it expires."""

    def jobs(self) -> Iterator[Manifest]:
        """Every job, in no order."""

    def tidy(self, older_than_s: float) -> int:
        """Delete half-written things that nobody has touched for so long, and what an erase that was cut short left; the bytes freed."""

    def check(self) -> None:
        """Raises ``StorageFull`` or ``BackendUnavailable`` when nothing could be stored now."""


class UploadWriter(Protocol):
    """One resumable upload in the only hands that may change it; always ended by ``close``. What was written and not kept is then gone.

    Every change raises ``NotFound`` when the upload was erased meanwhile, and ``StorageFull``.
    """

    @property
    def info(self) -> UploadInfo: ...

    @property
    def state(self) -> UploadState: ...

    @property
    def position_bytes(self) -> int:
        """``state.offset_bytes`` and what was written since."""

    def write(self, chunk: bytes) -> None: ...

    def pour(self, source_fd: int, most_bytes: int) -> int:
        """As ``Upload.pour``."""

    def head(self, length: int) -> bytes:
        """The upload's first bytes, those just written among them."""

    def sum_up(self, algorithm: str) -> None:
        """From here on, what is written is summed with ``algorithm`` (hashlib's name)."""

    def sum(self) -> bytes:
        """The digest of what was written since ``sum_up``."""

    def keep(self, now: float) -> None:
        """What was written is on disk and counts."""

    def checkpoint(self, now: float) -> None:
        """As ``keep``, in its own time: what fails is raised by a later call. Does nothing while the one before is under way."""

    def drop(self) -> None:
        """What was written since the last ``keep`` never was."""

    def fix_length(self, length_bytes: int, now: float) -> None: ...

    def is_wanted(self) -> bool:
        """Whether somebody else has asked for this upload since it was opened, or has erased it."""

    def finished(self) -> Upload:
        """All of it, ready for ``Store.commit`` without copying a byte; it stays here too until ``conclude``."""

    def conclude(self, now: float) -> None:
        """It has become its job: the bytes are the job's now, the record stays."""

    def close(self) -> None: ...


class Uploads(Protocol):
    """Uploads that may be interrupted and resumed, by whichever process. What a method here returned from is on disk."""

    def create(self, info: UploadInfo, state: UploadState, parts: Sequence[str] = ()) -> bool:
        """With ``parts``, their bytes in order are the upload's. Raises ``NotFound`` for a part that is not there, ``StorageFull``.

        False when there is an upload of that id already; it is left as it is.
        """

    def look(self, upload_id: str) -> tuple[UploadInfo, UploadState]:
        """Whoever may be writing to it. Raises ``NotFound``."""

    def open(self, upload_id: str) -> UploadWriter | None:
        """To change it; None while somebody else, in any process, has it open. A process that dies lets go. Raises ``NotFound``."""

    def want(self, upload_id: str) -> None:
        """Ask whoever has it open to let go."""

    def erase(self, upload_id: str) -> int:
        """The bytes freed; 0 when there was nothing."""

    def all(self) -> Iterator[tuple[UploadInfo, UploadState]]:
        """In no order."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in one encoder's hands: valid while ``token`` is the job's newest. ``same``: as ``Jobs.same`` told when it was taken."""

    job: Job
    token: str
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A line of a list: ``job`` is None where the live state does not know it."""

    id: str
    created_at: float
    job: Job | None


@dataclass(frozen=True, slots=True)
class Submission:
    """``is_heard``: an encoder knows that a job waits, or will find out by itself. Else ``Encoders.wake``."""

    job: Job
    is_heard: bool


@dataclass(frozen=True, slots=True)
class ReportAck:
    """``seq`` is the job's, or 0: it is no longer yours. ``listeners`` heard of the change, if there was one."""

    seq: int
    listeners: int


class Jobs(Protocol):
    """Live state, event log, queue and leases. May be lost at any moment; the store rebuilds it.

    Every method raises ``BackendUnavailable`` when it cannot be reached.
    """

    def enqueue(self, job: Job, *, limit: int | None) -> Job:
        """Queue it unless it is known; the job with its place and estimate. Raises ``QueueFull`` when ``limit`` jobs wait."""

    def submit(self, job: Job, *, limit: int | None) -> Submission | None:
        """``enqueue``, and whoever rests is told; but where jobs with the same work have succeeded: None then, and nothing has changed."""

    def promise(self, job: Job, token: str, lease_s: float, *, limit: int | None) -> Job:
        """Make a job known whose source ``token`` fetches; left alone if it is known. Raises ``QueueFull`` when so many wait or are fetched."""

    def fetching(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        """Renew the lease and tell how far it is. False: no longer wanted, or another's. None: unknown here (state was lost)."""

    def unfetched(self) -> list[str]:
        """Promised jobs whose lease has run out."""

    def fetch_again(self, job_id: str, token: str, lease_s: float) -> bool:
        """Take over from whoever let the lease run out; False if another was quicker."""

    def supply(self, job: Job) -> Job:
        """Queue a promised job, whose manifest has its source now; the job with its place and estimate."""

    def move(self) -> int:
        """Tell the waiting jobs' watchers of their new places and estimates, in steps of a tenth; how many changed."""

    def restore(self, job: Job) -> None:
        """Make an ended job's state known again, if it is not."""

    def take(self, token: str, lease_s: float) -> Claim | None:
        """The next job in fair order, now running under ``token``; None when none waits.

        One whose ``work`` is in an encoder's hands already is not given out: it becomes a twin of the job there, runs along with it, and is
        queued again, at the head, if that one ends without it or is lost.
        """

    def take_at_bell(self, token: str, lease_s: float, name: str, seconds: float) -> tuple[bool, Claim | None]:
        """``take`` as soon as ``name``, which rests (``Bell.rest``), is rung, or after so long; and whether it was rung."""

    def twins(self, job_id: str) -> list[Job]:
        """The jobs that run along with this one."""

    def same(self, work: str) -> list[str]:
        """Jobs that succeeded with this ``work``, newest first; a few."""

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        """Renew the lease, record a change if ``patch`` has one. None: unknown here (state was lost).

        A passing job's lease is renewed and nothing recorded: whoever waits for it waits for its end.
        """

    def adopt(self, claim: Claim, lease_s: float) -> bool:
        """Make a running job known again after the state was lost; False if another encoder was quicker."""

    def end(self, job: Job) -> Job:
        """Record ``job.status``, which has ended; the job as recorded, with its ``seq``. An earlier end stands."""

    def end_alone(self, job: Job) -> Job | None:
        """``end``, but where twins run along with it, or it is passing and not known: None then, and nothing has changed."""

    def lost(self) -> list[str]:
        """Jobs whose lease has run out."""

    def requeue(self, job_id: str) -> int:
        """Put a lost job at the head of the queue again; how often it was tried."""

    def find(self, job_id: str) -> Job | None: ...

    def since(self, job_id: str, seq: int) -> list[Status] | None:
        """The changes after ``seq`` in order; None when the log no longer reaches back so far."""

    def forget(self, job_id: str) -> None: ...

    def queued(self) -> int: ...

    def running(self) -> int: ...

    def epoch(self) -> str | None:
        """Who rebuilt this state; None when it is empty, or may be an older one, so that it must be rebuilt."""

    def begin_epoch(self, name: str) -> None: ...

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a named duty, so that one process at a time does it."""

    def expect(self, manifests: Sequence[Manifest]) -> None:
        """Note when each job is to be erased, and to whom it is listed (what makes a job known does it by itself)."""

    def expired(self, now: float, limit: int) -> list[str]: ...

    def listed(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        """The jobs of a maker, newest first, from after ``before`` (created_at, id) on. Some may have been erased meanwhile."""

    def greet(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> None:
        """An encoder says that it is there, for so long."""

    def encoders(self) -> list[dict[str, Any]]:
        """The facts of the encoders that are there."""

    def tally(self, amounts: Mapping[str, float]) -> None:
        """Add to ``Overview.totals``. What is counted of a job is added by the change itself, once (``core.tally``)."""

    def overview(self) -> Overview:
        """Everything at one moment, at a cost that the number of jobs does not change."""

    def recall(self, key: str) -> str | None:
        """What ``remember`` kept under ``key``."""

    def remember(self, key: str, value: str, seconds: int) -> bool:
        """Keep ``value`` for so long, unless there is one already: then False."""

    def release(self, key: str) -> None:
        """Drop what ``remember`` kept."""

    def count(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        """Add to a counter that ends with its window: (the count, seconds until it ends)."""

    def ping(self) -> None: ...


Heard = Literal["changed", "ended", "stopped"]
"""Every change of a job; that it is over; that a job was taken out of an encoder's hands."""


class Announcements(Protocol):
    """Hints that a job has changed, or ended; each may be lost, none is depended upon."""

    def listen(self, name: str, what: Heard = "changed") -> None:
        """Returns once every later one is announced."""

    def ignore(self, name: str, what: Heard = "changed") -> None: ...


class Cancellations(Protocol):
    """Says that a running job was taken out of this encoder's hands, sooner than its next report would. Hints, as ``Announcements``."""

    def are_heard(self) -> bool:
        """Now, as far as is known."""

    def new_token(self) -> str:
        """For the next job: one that stops can be told of."""

    def is_cancelled(self, token: str) -> bool:
        """Whether one came; it is told once."""


class Encoders(Protocol):
    """Whoever takes jobs from the queue."""

    def wake(self, count: int = 1) -> None:
        """Say that so many jobs wait. Raises ``BackendUnavailable``."""


class Bell(Protocol):
    """Where an encoder that has nothing to do can be reached without a message. Every method raises ``BackendUnavailable``."""

    def rest(self, name: str, seconds: float) -> None:
        """From now on, and for so long, ``name`` may be rung, once. It waits for that with ``Jobs.take_at_bell``."""

    def rise(self, name: str) -> int:
        """It is rung no more; how often it was since it last waited. Whoever was rung need not."""


class Download(Protocol):
    """A file on its way from another server; always ended by ``close``."""

    filename: str
    size_bytes: int | None
    """As that server states it."""

    def chunks(self) -> Iterator[bytes]:
        """Raises ``BadRequest`` when it breaks off, is too slow, or takes too long."""

    def close(self) -> None: ...


class Sources(Protocol):
    """Other people's servers. Raises ``BadRequest`` for an address that may not be asked, and for one that does not answer with a file."""

    def check(self, url: str) -> str:
        """Whether it may be asked; the file name in it."""

    def open(self, url: str) -> Download: ...


class Codec(Protocol):
    """Pixels. Raises ``DamagedImage``, ``UnsupportedFormat``, ``TooManyPixels``, ``TooManyFrames``, ``InvalidOption``,
    ``EncodeTimeout``, ``StorageFull``, and ``Stopped`` once ``should_stop`` said so."""

    def convert(
        self,
        source_fd: int,
        result_fd: int,
        conversion: Conversion,
        *,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        tick_s: float = ...,
    ) -> Converted: ...


class Clock(Protocol):
    def __call__(self) -> float:
        """Seconds since the epoch."""
