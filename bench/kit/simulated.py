"""A world without pixels and disks, so that coordination alone is measured: a codec that sleeps, a store in memory, jobs as photographs make them."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from typing import Any

from backend.core.conversion import Conversion, Converted, Progress, Stopped, Variants
from backend.core.job import Job, Manifest, Source, Status, work_key
from backend.core.options import Options

REPORT_EVERY_S = 0.053
"""As often as the real child reports (``core.conversion``)."""
FACTS = {
    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    "color": "#7d6f5a",
    "progress_is": "measured",
    "seconds": {"decode": 0.0131, "transform": 0.0042, "encode": 0.0827},
}


class SleepingCodec:
    """Reports and asks as the real one does, and sleeps in between. ``seconds_per_megapixel`` of the source's pixels where ``image_s`` is 0."""

    zygote_pid: int | None = None

    def __init__(self, image_s: float, *, seconds_per_megapixel: float = 0.0) -> None:
        self._image_s, self._per_megapixel_s = image_s, seconds_per_megapixel

    def convert(
        self,
        source_fd: int,
        result_fd: int,
        conversion: Conversion,
        *,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        tick_s: float = 0.1,
        variants: Variants | None = None,
    ) -> Converted:
        assert variants is None
        image_s = self._image_s or conversion.shape.pixels / 1e6 * self._per_megapixel_s
        begun, asked_s = time.monotonic(), 0.0
        every_s = max(REPORT_EVERY_S, conversion.report_every_s)
        while (left_s := begun + image_s - time.monotonic()) > 0:
            time.sleep(min(every_s, left_s))
            done_s = time.monotonic() - begun
            on_progress(Progress("encode", min(100.0, 100 * done_s / image_s)))
            if done_s - asked_s >= tick_s:
                asked_s = done_s
                if should_stop():
                    raise Stopped()
        return Converted(400_000, conversion.shape.width, conversion.shape.height, 1, dict(FACTS))

    def start(self) -> None: ...

    def close(self) -> None: ...

    def abandon_child(self) -> None: ...

    def seal_level(self) -> dict[str, Any]:
        return {"level": "full"}

    def library_versions(self) -> dict[str, str]:
        return {"pillow": "none", "libwebp": "none"}


class NoBlob:
    size_bytes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        return b""

    def fileno(self) -> int:
        return 0

    def close(self) -> None: ...


class NoResult:
    fd = 0
    can_save_again = False

    def save(self, *, durable: bool = True) -> tuple[str, str]:
        return f"result-{secrets.token_hex(8)}.webp", secrets.token_hex(32)

    def discard(self) -> None: ...


class NoStore:
    """What an encoder asks of the store, answered at once. Its real cost is measured elsewhere (``bench.convert``)."""

    def prepare(self) -> None: ...

    def outcome(self, job_id: str) -> Status | None:
        return None

    def open_source(self, job_id: str) -> NoBlob:
        return NoBlob()

    def create_result(self, job_id: str, token: str) -> NoResult:
        return NoResult()

    def commit_outcome(self, job_id: str, status: Status, *, durable: bool = True) -> bool:
        return True


def photograph(client: str, *, pixels: int = 12_000_000, retention_s: float = 86_400.0, **given: Any) -> Job:
    """A job as an upload of a photograph makes it."""
    now, width = time.time(), int((pixels * 4 / 3) ** 0.5)
    source = Source(f"IMG_{secrets.randbelow(10**8):08d}.jpg", 3_481_022, secrets.token_hex(32), "jpeg", width, width * 3 // 4, 1)
    options = Options()
    known = {"client": client, "maker": client, "request_id": secrets.token_hex(16), "work_key": work_key(source, options, "")}
    return Job(Manifest(secrets.token_urlsafe(16), source, options, now, now + retention_s, **{**known, **given}), Status())


def end_with_parent(parent: int) -> None:
    """Called now and then by what must not outlive the benchmark."""
    if os.getppid() != parent:
        os._exit(1)
