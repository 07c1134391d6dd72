"""The way for small jobs: it waits while the other processes start, and no longer than until a small job comes."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backend import encoder, errors
from backend.encoder import EncoderProcess


class Queue:
    """Each answer is whether a small job was queued, or an error."""

    def __init__(self, *answers: bool | errors.GatewayError) -> None:
        self.answers = list(answers)
        self.asked = 0

    def is_express_called(self, within_s: float) -> bool:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, errors.GatewayError):
            raise answer
        time.sleep(0 if answer else min(0.02, within_s))
        return answer


def is_called_early(queue: Queue) -> bool:
    return EncoderProcess._is_called_early(cast(Any, SimpleNamespace(context=SimpleNamespace(queue=queue))))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "EXPRESS_LOOK_S", 0.01)


def test_a_small_job_ends_the_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "START_UP_S", 30.0)
    begun_s = time.monotonic()
    assert is_called_early(Queue(False, errors.BackendUnavailable(part="redis"), True))
    assert time.monotonic() - begun_s < 5


def test_without_one_it_waits_as_long_as_the_others_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "START_UP_S", 0.2)
    begun_s, queue = time.monotonic(), Queue()
    assert not is_called_early(queue)
    assert time.monotonic() - begun_s >= 0.2 and queue.asked > 1
