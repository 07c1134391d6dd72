"""What is counted of a job, as amounts by name. The step that records a change adds its amounts, so each is counted once.

Names::

    created · upload_bytes                      a job became known; the bytes of its source
    ended:<state>:<code>                        it ended; ``code`` of a failure, else empty; state ``erased``: deleted before its end
    pixels · source_bytes · result_bytes · saved_bytes      of jobs that succeeded; several results stand beside each other and save nothing
    shared                                      those among them that got a duplicate's result, without an encode of their own
    dropped:<note>                              those whose result lacks a note of the source, as the result says
    wait:… · stage:<stage>:…                    seconds, as histograms: ``le:<bound>`` and ``sum``
    webhooks:<state> · webhook_tries:<answer>   deliveries that ended, and their tries: 2xx, 3xx, 4xx, 5xx or why there was no answer
    encoders_lost · encoder_starts:<reason> · encoder_cpu_s:<host> · freed_bytes
"""

from __future__ import annotations

from collections import Counter

from backend.core.job import Job

Amounts = dict[str, float]
CREATED, UPLOAD_BYTES = "created", "upload_bytes"
PIXELS, SOURCE_BYTES, RESULT_BYTES, SAVED_BYTES = "pixels", "source_bytes", "result_bytes", "saved_bytes"
SHARED, DROPPED, ENCODERS_LOST, FREED_BYTES = "shared", "dropped", "encoders_lost", "freed_bytes"
ENDED, ERASED, WAIT, STAGE = "ended", "erased", "wait", "stage"
WEBHOOKS, WEBHOOK_TRIES = "webhooks", "webhook_tries"
ENCODER_STARTS, ENCODER_CPU_S = "encoder_starts", "encoder_cpu_s"
PACED = (ENDED, PIXELS, SOURCE_BYTES, RESULT_BYTES)
"""Also summed for the last minute."""
BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the histograms' buckets, in seconds."""


def of_created(job: Job) -> Amounts:
    return {CREATED: 1, UPLOAD_BYTES: job.manifest.source.bytes}


def of_end(job: Job) -> Amounts:
    """What an end adds to the totals. ``job.status`` has ended."""
    status = job.status
    code = str(status.error.get("code", "")) if status.error else ""
    amounts: Amounts = {f"{ENDED}:{status.state}:{code}": 1}
    if status.result is not None:
        amounts |= _of_conversion(job)
    if status.started_at is not None:
        amounts |= _histogram(WAIT, status.started_at - job.manifest.created_at)
    return amounts


def of_pace(job: Job) -> Amounts:
    """What an end adds to the sums of the last minute."""
    amounts = _of_conversion(job) if job.status.result is not None else {}
    return {ENDED: 1, **{name: amount for name, amount in amounts.items() if name in PACED}}


def of_webhook(state: str, status: int | None, error: str) -> Amounts:
    """What a try of a delivery adds: by its answer's ``status``, or the ``error`` why there was none; and by the ``state`` that it led to."""
    answer = error if status is None else f"{status // 100}xx"
    ended: Amounts = {} if state == "pending" else {f"{WEBHOOKS}:{state}": 1}
    return {f"{WEBHOOK_TRIES}:{answer}": 1, **ended}


def _of_conversion(job: Job) -> Amounts:
    source, result = job.manifest.source, job.status.result
    assert result is not None
    results = job.status.results or (result,)
    amounts: Amounts = {
        PIXELS: source.shape.pixels,
        SOURCE_BYTES: source.bytes,
        RESULT_BYTES: sum(each.bytes for each in results),
        SAVED_BYTES: 0 if job.status.results else max(0, source.bytes - result.bytes),
    }
    stages: Counter[str] = Counter()
    for each in results:
        stages.update(each.facts.get("seconds") or {})
    for stage, seconds in stages.items():
        amounts |= _histogram(f"{STAGE}:{stage}", float(seconds))
    if not stages:
        amounts[SHARED] = 1
    amounts |= {f"{DROPPED}:{note}": 1 for each in results for note in each.facts.get("dropped", ())}
    return amounts


def _histogram(name: str, seconds: float) -> Amounts:
    seconds = max(0.0, seconds)
    bound = next((each for each in BOUNDS_S if seconds <= each), "inf")
    return {f"{name}:le:{bound}": 1, f"{name}:sum": round(seconds, 6)}
