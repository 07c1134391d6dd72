"""The encoders' composition root with a codec that sleeps: ``celery --app bench.kit.sleeping_encoder worker``.

``BENCH_IMAGE_S``: how long an image takes; 0 and ``BENCH_S_PER_MEGAPIXEL``: by its pixels. ``BENCH_PREFETCH``: another multiplier.
"""

from __future__ import annotations

import os
from typing import Any

from backend import encoder
from bench.kit.simulated import NoStore, SleepingCodec


def sleeping_codec(**_: Any) -> SleepingCodec:
    return SleepingCodec(float(os.environ.get("BENCH_IMAGE_S", "0.1")), seconds_per_megapixel=float(os.environ.get("BENCH_S_PER_MEGAPIXEL", "0.08")))


encoder.SealedCodec = sleeping_codec  # type: ignore[assignment, misc]
encoder.open_store = lambda *_, **__: NoStore()  # type: ignore[assignment, return-value]
app = encoder.app
if "BENCH_PREFETCH" in os.environ:
    app.conf.worker_prefetch_multiplier = int(os.environ["BENCH_PREFETCH"])
