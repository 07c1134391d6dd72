"""Composition root of the encoders: a Celery prefork worker, not monkey-patched, whose every process has its own sealed codec.

Started as ``celery -A backend.encoder worker``. Each pool process makes its clients after the fork, so that none is shared.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
import warnings
from typing import Any

from celery.apps import worker
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from backend import errors, logs
from backend.adapters import redis_client
from backend.adapters.celery_encoders import TASK, CeleryEncoders, celery_app
from backend.adapters.file_store import FileStore
from backend.adapters.redis_jobs import RedisJobs
from backend.codec.sealed import SealedCodec
from backend.flows.encode import encode_next
from backend.flows.world import World
from backend.settings import Settings

log = logging.getLogger(__name__)
warnings.simplefilter("ignore", SecurityWarning)
"""Celery's, against root and pickle: messages are JSON and carry nothing."""
worker.safe_say = lambda *_: None  # type: ignore[attr-defined]
"""Celery's words at a stop, past every log."""
warnings.simplefilter("ignore", CPendingDeprecationWarning)
"""Celery's, about redelivery: a message that comes twice finds nothing to do."""
HARD_LIMIT_FACTOR = 2
GREET_EVERY_S = 1.0
PARENT_LOOK_S = 0.5
settings = Settings.from_environment()
app = celery_app(settings.broker_url, hard_limit_s=float(settings.encode_timeout_s * HARD_LIMIT_FACTOR + 30))


class Process:
    """What one pool process owns."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.codec = SealedCodec(sandbox=settings.sandbox)
        self.world = encoder_world()

    def start(self) -> None:
        """Raises ``SettingsError`` where the seal that is required cannot be had."""
        self.codec.start()
        parent = os.getppid()
        threading.Thread(target=self._watch_parent, args=(parent,), name="watch-parent", daemon=True).start()
        threading.Thread(target=self._greet_for_ever, name="greet", daemon=True).start()

    def _watch_parent(self, parent: int) -> None:
        """A pool whose master was killed must not go on: it would hold jobs that nobody can stop."""
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_S)
        os._exit(1)

    def _greet_for_ever(self) -> None:
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "seal": self.codec.seal_level()}
        while True:
            try:
                self.world.jobs.greet(self.name, facts, 3 * GREET_EVERY_S)
            except errors.BackendUnavailable as error:
                log.warning("encoder %s cannot greet: %s", self.name, error.private)
            time.sleep(GREET_EVERY_S)


process: Process | None = None


def encoder_world() -> World:
    store = FileStore(settings.store_dir, min_free_bytes=settings.min_free_bytes)
    return World(
        store=store,
        jobs=RedisJobs(redis_client.connect(settings.broker_url)),
        encoders=CeleryEncoders(app),
        limits=settings.limits,
        max_queued_jobs=settings.max_queued_jobs,
        retention_s=settings.retention_s,
        encode_timeout_s=settings.encode_timeout_s,
        shares_results=settings.share_results == "on",
    )


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    logs.configure(logs.Style(**settings.log_style))


@worker_process_init.connect
def _begin(**_: Any) -> None:
    global process
    process = Process()
    process.start()


@worker_process_shutdown.connect
def _end(**_: Any) -> None:
    if process is not None:
        process.codec.close()


@app.task(name=TASK)
def encode() -> None:
    """The message says only that jobs wait; the queue decides which one this is."""
    assert process is not None
    encode_next(process.world, process.codec, secrets.token_hex(8))
