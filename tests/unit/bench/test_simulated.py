"""The benchmarks' simulated world goes through the real flows."""

from __future__ import annotations

from dataclasses import replace

from backend.flows.encode import encode_next
from bench.kit.simulated import NoStore, SleepingCodec, photograph
from tests.fakes.context import MemoryContext


def test_a_simulated_job_is_queued_encoded_and_ended() -> None:
    here = MemoryContext()
    made = photograph("10.0.0.1")
    here.queue.enqueue(made, limit=None)
    context = replace(here.context, store=NoStore())  # type: ignore[arg-type]
    assert encode_next(context, SleepingCodec(0.001), "token") == "done"
    ended = here.find(made).status
    assert ended.state == "succeeded" and ended.result is not None and ended.result.sha256
    here.close()
