"""A job: what was asked for (``Manifest``), where it stands (``Status``), and how it ended (in ``Status``, committed once).

::

    queued ──▶ running ──▶ succeeded
      │  ▲        │  ├───▶ failed
      │  └────────┘  └───▶ cancelled          running → queued: the encoder was lost
      └──▶ succeeded, failed, cancelled       succeeded: the encoder that was taken for lost was the first to end it

``FOLLOWING`` is this picture as a table. Times are seconds since the epoch, as floats.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from backend import errors
from backend.core import records
from backend.core.conversion import Shape
from backend.core.formats import DEFAULT_OUTPUT
from backend.core.options import Options
from backend.core.protocol import OLDEST

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
FOLLOWING: dict[State, frozenset[State]] = {
    "queued": frozenset({"queued", "running", "succeeded", "failed", "cancelled"}),
    "running": frozenset({"running", "queued", "succeeded", "failed", "cancelled"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""Which state may come after which. Redis refuses every other change, by this table (``adapters/redis/scripts``).

A state that follows itself changes in its details: a position in the queue, a percent.
"""
STATES = tuple(FOLLOWING)
ENDED: frozenset[State] = frozenset(state for state, following in FOLLOWING.items() if not following)
STORED_NAMES = {"is_ephemeral": "is_passing", "work_key": "work"}
"""Fields of ``Manifest`` whose name in stored records differs: records outlive versions, and versions run side by side."""
FIELD_NAMES = {stored: name for name, stored in STORED_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Source:
    """The uploaded file as it is in the store. ``filename`` is display text only, and never part of a path."""

    filename: str
    bytes: int
    sha256: str
    format: str
    width: int
    height: int
    frames: int

    @property
    def shape(self) -> Shape:
        return Shape(self.format, self.width, self.height, self.frames)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was asked for. It never changes, but for a job that is fetched: its source is added once.

    ``owner``: a digest of the API key, '' without keys. ``client``: clients take turns in the queue.
    ``is_ephemeral``: the job is erased as soon as its one request is answered.
    ``url``: where the source is fetched from. Until it is there, ``source`` has a file name and nothing else.
    ``work_key``: equal for jobs that may share one encode, '' for a job that shares nothing (see the function ``work_key``).
    ``maker``: a digest of who made the job; it is listed to that maker only, and to nobody where it is ''.
    ``webhook_url``: who is told when the job has ended, or when its batch has; '' for nobody.
    ``needs``: the protocol that a process must speak to convert the image (``core.protocol``).
    """

    id: str
    source: Source
    options: Options
    created_at: float
    expires_at: float
    owner: str = ""
    client: str = ""
    batch: str | None = None
    request_id: str = ""
    is_ephemeral: bool = False
    work_key: str = ""
    maker: str = ""
    url: str = ""
    webhook_url: str = records.added("")
    needs: int = records.added(OLDEST)

    @property
    def lister(self) -> str:
        return "" if self.is_ephemeral else self.maker

    @property
    def is_awaited(self) -> bool:
        """Whether the source is still to be fetched from ``url``."""
        return not self.source.sha256

    def to_json(self) -> str:
        return records.as_json({STORED_NAMES.get(name, name): value for name, value in records.as_dict(self).items()})

    @classmethod
    def from_json(cls, text: str | bytes) -> Manifest:
        record = {FIELD_NAMES.get(name, name): value for name, value in json.loads(text).items()}
        return records.read(cls, record, source=records.read(Source, record["source"]), options=records.read(Options, record["options"]))


@dataclass(frozen=True, slots=True)
class Result:
    """``file``: the name inside the job's folder. ``facts``: what the codec reports (``core.facts``). ``number``: which variant it is."""

    file: str
    bytes: int
    sha256: str
    width: int
    height: int
    frames: int
    format: str = DEFAULT_OUTPUT
    facts: dict[str, Any] = field(default_factory=dict)
    number: int = records.added(0)


@dataclass(frozen=True, slots=True)
class Status:
    """Where a job stands after change number ``seq``. ``error``: an error's record (``errors.GatewayError.as_record``).

    ``results``: of a job with variants, those that are ready, by their numbers. ``result`` is the first of them, once the job has succeeded.
    """

    seq: int = 1
    state: State = "queued"
    stage: str | None = None
    progress: int = 0
    attempt: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    eta_s: float | None = None
    position: int | None = None
    result: Result | None = None
    error: dict[str, Any] | None = None
    results: tuple[Result, ...] = records.added(())

    @property
    def files(self) -> frozenset[str]:
        """The names of all results."""
        return frozenset(each.file for each in (*self.results, self.result) if each is not None)

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    def to_json(self) -> str:
        return records.as_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Status:
        record = json.loads(text)
        results = tuple(records.read(Result, each) for each in record.get("results") or ())
        return records.read(cls, record, result=records.read(Result, record["result"]) if record.get("result") else None, results=results)


@dataclass(frozen=True, slots=True)
class Job:
    manifest: Manifest
    status: Status

    @property
    def id(self) -> str:
        return self.manifest.id

    def at(self, status: Status) -> Job:
        return replace(self, status=status)


def work_key(source: Source, options: Options, owner: str, watermark: str = "") -> str:
    """A digest of everything that decides the result, and of the owner: so nobody learns what another key converts.

    ``watermark`` is the digest of the one that the options name.
    """
    asked = {name: value for name, value in records.as_dict(options).items() if name != "filename"}
    return hashlib.sha256(json.dumps([owner, source.sha256, asked, *([watermark] if watermark else [])], sort_keys=True).encode()).hexdigest()[:32]


# Each end is the change after ``status``: newer for watchers even where the live state was lost. Else ``JobStates.end`` counts by itself.


def succeeded(status: Status, result: Result, now: float, results: tuple[Result, ...] = ()) -> Status:
    return replace(_ended(status, now), state="succeeded", progress=100, result=result, results=results)


def failed(status: Status, error: errors.GatewayError, now: float) -> Status:
    return replace(_ended(status, now), state="failed", error=error.as_record())


def cancelled(status: Status, now: float) -> Status:
    return replace(_ended(status, now), state="cancelled")


def _ended(status: Status, now: float) -> Status:
    """At a millisecond, as it is shown: of a finer time Redis' Lua would keep 14 digits, and the store all."""
    return replace(status, seq=status.seq + 1, stage=None, eta_s=None, position=None, finished_at=math.floor(now * 1000) / 1000)
