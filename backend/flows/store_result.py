"""Store results: make what the codec wrote durable, with patience where the world says no."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from backend import errors
from backend.core.conversion import Conversion, Converted
from backend.core.job import Job, Result
from backend.core.variants import variants
from backend.flows import watermarks
from backend.flows.context import Context
from backend.flows.report import Reporter, has_passed
from backend.ports.queue import Claim
from backend.ports.result_files import ResultFile

log = logging.getLogger(__name__)
LEAST_PATIENCE_S, MOST_PATIENCE_S = 2.0, 60.0
"""How long an encoder tries to store what it has: as long as it took to make, within these bounds. After that it takes other jobs."""
FIRST_LOOK_S, LAST_LOOK_S = 0.1, 1.0
"""The first wait between two of these tries, and the longest: each is twice the one before."""
T = TypeVar("T")


def with_patience(context: Context, reporter: Reporter, call: Callable[[], T]) -> T:
    """Call until the world lets it succeed, or patience is at its end, or the job is unwanted. Raises what ``call`` does."""
    begun_s, look_s = context.clock(), FIRST_LOOK_S
    patience_s = min(MOST_PATIENCE_S, max(LEAST_PATIENCE_S, begun_s - reporter.begun_s))
    while True:
        try:
            return call()
        except errors.GatewayError as error:
            if not error.is_passing or reporter.is_unwanted() or has_passed(patience_s - look_s, begun_s, context.clock()):
                raise
            log.info("the store is tried again in %s s: %s", look_s, error)
        time.sleep(look_s)
        look_s = min(2 * look_s, LAST_LOOK_S)


def store_result(context: Context, job: Job, reporter: Reporter, target: ResultFile, converted: Converted, number: int = 0) -> Result:
    """Save the file of variant ``number``. Raises what keeps it from that; then ``target`` is still to be discarded."""
    if target.can_save_again:
        return with_patience(context, reporter, lambda: _save(context, job, target, converted, number))
    return _save(context, job, target, converted, number)


def _save(context: Context, job: Job, target: ResultFile, converted: Converted, number: int) -> Result:
    begun = context.clock()
    file, sha256 = target.save(durable=not job.manifest.is_ephemeral)
    facts = converted.facts
    if "seconds" in facts:
        facts = {**facts, "seconds": {**facts["seconds"], "store": round(context.clock() - begun, 4)}}
    sides = converted.width, converted.height
    image_format = job.manifest.source.format if "original" in facts else variants(job.manifest.options)[number].format
    return Result(file, converted.bytes, sha256, *sides, converted.frames, image_format, facts, number)


class VariantFiles:
    """The results of a job with variants (``ports.codec.Variants``): each is stored and told as soon as it is there."""

    def __init__(self, context: Context, claim: Claim, reporter: Reporter, conversion: Conversion) -> None:
        self._context, self._claim, self._reporter, self._conversion = context, claim, reporter, conversion
        self._open: dict[int, ResultFile] = {}
        self._results: dict[int, Result] = {}

    def open(self, number: int) -> int:
        """Raises ``NotFound`` when the job was erased, ``StorageFull``. What an attempt before left is discarded."""
        if number in self._open:
            self._open.pop(number).discard()
        self._open[number] = self._context.store.create_result(self._claim.job.id, f"{self._claim.token}-{number}")
        return self._open[number].fd

    def keep(self, number: int, converted: Converted) -> None:
        """Raises as ``store_result``."""
        converted = watermarks.noted(converted, self._conversion)
        self._results[number] = store_result(self._context, self._claim.job, self._reporter, self._open[number], converted, number)
        del self._open[number]
        self._reporter.report_results(self.results())

    def results(self) -> tuple[Result, ...]:
        """Those that are stored, in the order asked for."""
        return tuple(self._results[number] for number in sorted(self._results))

    def discard(self) -> None:
        """What is not stored. What is stays, for clients were told of it."""
        while self._open:
            self._open.popitem()[1].discard()
