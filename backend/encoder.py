"""Composition root of the encoders: a Celery prefork worker, not monkey-patched, in which every process has its own sealed codec.

Started as ``celery -A backend.encoder worker``. Each pool process makes its clients after the fork, so that none is shared.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import logging
import os
import resource
import secrets
import socket
import sys
import threading
import time
import warnings
from math import inf
from pathlib import Path
from typing import Any

from celery import Task
from celery.apps import worker
from celery.exceptions import CPendingDeprecationWarning, Reject, SecurityWarning
from celery.signals import setup_logging, worker_init, worker_process_init, worker_process_shutdown
from celery.worker.autoscale import Autoscaler

from backend import __version__, errors, logs, telemetry
from backend.adapters.celery_encoders import celery_app
from backend.adapters.files import protocol_mark
from backend.adapters.files.watermarks import FolderWatermarks
from backend.adapters.redis import client as redis_client
from backend.adapters.redis.cancellations import RedisCancellations
from backend.adapters.redis.live_state import live_state
from backend.adapters.redis.ticket import PROTOCOL, TASK
from backend.adapters.stores import open_store
from backend.codec.host.zygote_process import ZygoteFamily, can_fork_zygotes
from backend.codec.sealed import SealedCodec
from backend.core import tally
from backend.core.conversion import Converted
from backend.core.protocol import SPOKEN, range_of
from backend.core.reader import Reader
from backend.flows.announce import HEARTBEAT_EVERY_S, Announcer, identity
from backend.flows.back_off import BackOff
from backend.flows.check_protocol import check_data, check_protocol
from backend.flows.context import Context
from backend.flows.encode import NEWER_PAUSE_S, Turn, encode_express, encode_next
from backend.flows.report import HEARTBEAT_S, LeaseKeeper
from backend.flows.shared_clock import SharedClock
from backend.ports.codec import Codec
from backend.settings import Settings, cores
from backend.texts import operator
from backend.texts.problems import problem

log = logging.getLogger(__name__)
warnings.simplefilter("ignore", SecurityWarning)
"""Celery warns of root and of pickle; our messages are JSON and carry nothing."""
worker.safe_say = lambda *_: None  # type: ignore[attr-defined]
"""Celery prints at a stop, past every log."""
warnings.simplefilter("ignore", CPendingDeprecationWarning)
"""Celery warns of redelivery; a ticket that comes twice finds nothing to do."""
BEGUN_S = time.monotonic()
"""When the master began; a pool process inherits it with the fork."""
START_UP_S = 10.0
SCALING_S = 2.0
HARD_LIMIT_FACTOR = 2
EXPRESS_LOOK_S = 0.5
"""Shorter than a call to Redis may take. So long at most does a small job wait that was queued while an encoder was idle, and then none was."""
EXPRESS_PAUSE_S = 0.05
"""Between two calls that led to nothing more."""
PARENT_LOOK_S = 0.5
settings = Settings.from_environment()
app = celery_app(settings.broker_url, prefix=settings.key_prefix, hard_limit_s=float(settings.encode_timeout_s * HARD_LIMIT_FACTOR + 30))


class Scaler(Autoscaler):
    """As many pool processes as jobs are reserved, within ``GATEWAY_ENCODERS_MIN`` and ``GATEWAY_ENCODERS``. Only idle ones end."""

    grown_s = -inf

    def _grow(self, n: int) -> None:
        Scaler.grown_s = time.monotonic()
        super()._grow(n)  # type: ignore[misc]


app.conf.worker_autoscaler = Scaler


def reason_to_start() -> str:
    """Why this pool process was forked: ``start``, ``scale`` or ``restart``, as in the metrics."""
    now = time.monotonic()
    if now - BEGUN_S < START_UP_S:
        return "start"
    return "scale" if now - Scaler.grown_s < SCALING_S else "restart"


class TracedCodec:
    """A codec of which every conversion is a span."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def convert(self, *given: Any, **named: Any) -> Converted:
        with telemetry.span("encode"):
            return self._codec.convert(*given, **named)


class EncoderProcess:
    """What one pool process owns."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.codec = SealedCodec(sandbox=settings.sandbox, family=zygote_family)
        self.traced = TracedCodec(self.codec)
        self.express_codec = SealedCodec(sandbox=settings.sandbox, family=zygote_family)
        self.cancellations = RedisCancellations(redis_client.connect(settings.broker_url), prefix=settings.key_prefix)
        clock = SharedClock()
        self.context = encoder_context(self.cancellations, clock)
        self.announcer = Announcer(self.context.presence, "encoders", self.name, self._facts, clock)
        self.keeper = LeaseKeeper()
        self.back_off = BackOff()
        self._counted_cpu_s: dict[int, float] = {}
        self._has_left = False
        self._counting = threading.Lock()

    def start(self) -> None:
        """Start the codec and the threads. Raises ``SettingsError`` where the required sandbox is not available."""
        _start_codec(self.codec)
        self.cancellations.start()
        parent = os.getppid()
        threading.Thread(target=self._watch_parent, args=(parent,), name="watch-parent", daemon=True).start()
        threading.Thread(target=self._send_heartbeats, name="heartbeat", daemon=True).start()
        threading.Thread(target=self._renew_leases, name="leases", daemon=True).start()
        threading.Thread(target=self._encode_express, name="express", daemon=True).start()

    def encode_next(self) -> None:
        """Encode the job at the head of the queue, if one waits."""
        self.back_off.wait()
        try:
            self.back_off.note(encode_next(self.context, self.traced, self.cancellations.new_token(), self.keeper))
        except errors.BackendUnavailable as error:
            log.warning("encoder %s cannot reach the queue: %s", self.name, error.private)
        finally:
            self.codec.abandon_child()

    def _encode_express(self) -> None:
        """Encode small jobs while all encoders are busy: one at a time, in one process of this machine."""
        self._acquire_express()
        is_called = False
        while True:
            try:
                while self._encode_one_express() == "done":
                    pass
                if is_called:
                    time.sleep(EXPRESS_PAUSE_S)
                is_called = self.context.queue.is_express_called(EXPRESS_LOOK_S)
            except errors.BackendUnavailable as error:
                log.info("encoder %s cannot ask for small jobs: %s", self.name, error.private)
                time.sleep(HEARTBEAT_EVERY_S)

    def _encode_one_express(self) -> Turn:
        try:
            return encode_express(self.context, self.express_codec, self.cancellations.new_token(), self.keeper)
        finally:
            self.express_codec.abandon_child()

    def _acquire_express(self) -> None:
        """Wait until no other process of this machine does it. The lock ends with the process."""
        while True:
            try:
                settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = (settings.run_dir / "express.lock").open("a")
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._express_lock = lock
                return
            except OSError:
                time.sleep(HEARTBEAT_EVERY_S)

    def _watch_parent(self, parent: int) -> None:
        """End with the master, however it ended: a pool without one would hold jobs that nobody can stop."""
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_S)
        os._exit(1)

    def _facts(self) -> dict[str, Any]:
        own = identity(self.name, socket.gethostname(), os.getpid(), __version__)
        memory_bytes = sum(map(resident_bytes, self._own_pids()))
        codec = {"seal": self.codec.seal_level(), "versions": self.codec.library_versions()}
        return {**own, "cores": cores(), "jobs": self.keeper.held_count(), **codec, "resident_bytes": memory_bytes}

    def _own_pids(self) -> list[int]:
        """This process, and its zygotes where they are not its children: below these is all that encodes here."""
        zygotes = {self.codec.zygote_pid, self.express_codec.zygote_pid} - {None, *children_of(os.getpid())}
        return [os.getpid(), *(pid for pid in zygotes if pid is not None)]

    def _renew_leases(self) -> None:
        while True:
            time.sleep(HEARTBEAT_S / 2)
            self.keeper.renew_due()

    def _send_heartbeats(self) -> None:
        started: tally.Amounts = {f"{tally.ENCODER_STARTS}:{reason_to_start()}": 1}
        outage = logs.Outage(log)
        while True:
            try:
                self.announcer.beat()
                self.count_cpu(started)
                started = {}
                outage.end("encoder %s sends its heartbeat again", self.name)
            except errors.BackendUnavailable as error:
                outage.tell("encoder %s cannot send its heartbeat, and tries again: %s", self.name, error.private)
            time.sleep(HEARTBEAT_EVERY_S)

    def count_cpu(self, more: tally.Amounts) -> None:
        """Count the processor time since the last count, and ``more``. The last second of an encoder that is killed is never counted."""
        with self._counting:
            if self._has_left:
                return
            used_s = {pid: max(self._counted_cpu_s.get(pid, 0.0), cpu_s(pid)) for pid in self._own_pids()}
            grown_s = sum(used_s.values()) - sum(self._counted_cpu_s.get(pid, 0.0) for pid in used_s)
            self.context.counters.add({**more, f"{tally.ENCODER_CPU_S}:{socket.gethostname()}": round(grown_s, 6)})
            self._counted_cpu_s = used_s

    def leave(self) -> None:
        """Count for the last time, and be gone. Raises ``BackendUnavailable``."""
        self.count_cpu({})
        with self._counting:
            self._has_left = True
        self.announcer.leave()


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants. Pages that they share count for each; 0 where there is no ``/proc``."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0
    return own + sum(map(resident_bytes, children_of(pid)))


def cpu_s(pid: int) -> float:
    """Processor time of a process and its descendants, those that have ended included (proc(5): utime, stime, cutime, cstime).

    A parent is read before its children: one that ends in between is missing for once, and never counted twice. Without ``/proc``, of this
    process and of those that have ended.
    """
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    except OSError:
        return sum(os.times()[:4]) if pid == os.getpid() else 0.0
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") + sum(map(cpu_s, children_of(pid)))


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    except (OSError, ValueError):
        return []


def _start_codec(codec: SealedCodec) -> None:
    """Wait while this machine has no memory or descriptors for it. Celery replaces a process that takes long to start."""
    outage = logs.Outage(log)
    while True:
        try:
            codec.start()
            return
        except errors.BackendUnavailable as error:
            outage.tell("the codec cannot be started, and is tried again: %s", error.private)
            time.sleep(HEARTBEAT_EVERY_S)


process: EncoderProcess | None = None
zygote_family: ZygoteFamily | None = None
"""Started by the master, and inherited by its pool processes."""


def encoder_context(cancellations: RedisCancellations, clock: SharedClock) -> Context:
    store = open_store(settings.storage_url, settings.store_dir, min_free_bytes=settings.min_free_bytes)
    store.prepare()
    return Context(
        store=store,
        **live_state(redis_client.connect(settings.broker_url), prefix=settings.key_prefix),
        cancellations=cancellations,
        watermarks=FolderWatermarks(settings.watermarks_dir) if settings.watermarks_dir else None,
        limits=settings.limits,
        max_queued_jobs=settings.max_queued_jobs,
        retention_s=settings.retention_s,
        encode_timeout_s=settings.encode_timeout_s,
        shares_results=settings.share_results == "on",
        receiver=Reader("en", problem, settings.prefix, settings.public_origin),
        clock=clock,
    )


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    logs.configure(logs.Style(**settings.log_style))


@worker_init.connect
def _check_start(**_: Any) -> None:
    """In the master, before it makes a process. Ends it where this release does not understand the data or the processes that are there."""
    client = redis_client.connect(settings.broker_url)
    try:
        check_data(protocol_mark.needs(settings.store_dir), settings.store_dir, __version__)
        check_protocol(live_state(client, prefix=settings.key_prefix)["presence"], __version__)
    except errors.CannotStart as refused:
        print(operator.text(f"start.{refused.reason}", **refused.params), file=sys.stderr)
        sys.exit(refused.exit_code)
    finally:
        client.close()
    _prepare_to_fork()


def _prepare_to_fork() -> None:
    """Of what the garbage collector does not look at, the pool processes share the memory."""
    global zygote_family
    if can_fork_zygotes():
        zygote_family = ZygoteFamily(settings.sandbox)
    gc.collect()
    gc.freeze()


@worker_process_init.connect
def _start_process(**_: Any) -> None:
    global process
    telemetry.start(settings, "encoder")
    process = EncoderProcess()
    process.start()


@worker_process_shutdown.connect
def _stop_process(**_: Any) -> None:
    if process is not None:
        process.codec.close()
        process.express_codec.close()
        with contextlib.suppress(errors.BackendUnavailable):
            process.leave()


@app.task(name=TASK, bind=True)
def encode(self: Task[[], None]) -> None:
    """One ticket, one job: the queue decides which. A ticket of a release that this one does not understand is left to others."""
    assert process is not None
    if not range_of({"protocol": self.request.get(PROTOCOL)}).meets(SPOKEN):
        time.sleep(NEWER_PAUSE_S)
        raise Reject(requeue=True)
    process.encode_next()
