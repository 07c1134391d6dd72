"""Small real images and valid records."""

from __future__ import annotations

import io
import time
from functools import cache
from itertools import count
from typing import Any

from PIL import Image

from backend.core.job import Job, Manifest, Source, Status
from backend.core.options import Options
from backend.core.reader import Reader
from backend.texts.problems import problem

_numbers = count(1)
READER = Reader("en", problem)
JOB_FIELDS = [
    "id",
    "state",
    "stage",
    "progress",
    "progress_is",
    "seq",
    "queue_position",
    "eta_seconds",
    "source",
    "options",
    "result",
    "error",
    "batch",
    "created_at",
    "started_at",
    "finished_at",
    "expires_at",
    "url",
    "links",
]
"""Of the contract's Job, in its order."""


def next_id() -> str:
    """22 characters, as real ids have, and in order."""
    return f"job-{next(_numbers):018d}"


@cache
def image(kind: str = "png", width: int = 16, height: int = 12) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(buffer, kind.upper())
    return buffer.getvalue()


def source(**given: Any) -> Source:
    facts = {"filename": "cat.png", "bytes": 1000, "sha256": "ab" * 32, "format": "png", "width": 16, "height": 12, "frames": 1}
    return Source(**{**facts, **given})


def manifest(job_id: str | None = None, **given: Any) -> Manifest:
    """As of now, kept for an hour."""
    now = time.time()
    facts: dict[str, Any] = {"source": source(), "options": Options(), "created_at": now, "expires_at": now + 3600, "client": "someone"}
    return Manifest(id=job_id or next_id(), **{**facts, **given})


def job(job_id: str | None = None, **given: Any) -> Job:
    return Job(manifest(job_id, **given), Status())
