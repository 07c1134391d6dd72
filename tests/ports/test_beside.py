"""The ends of jobs, beside the next one's encode."""

from __future__ import annotations

import threading

import pytest

from backend.adapters.beside import Beside


def test_one_is_done_beside_the_caller_and_the_next_waits_for_it() -> None:
    beside, gate, done, renewed = Beside(), threading.Event(), list[str](), threading.Event()
    beside(lambda: (gate.wait(10), done.append("first"))[1])
    assert done == []
    brought = threading.Thread(target=beside, args=(lambda: done.append("second"), renewed.set))
    brought.start()
    assert renewed.wait(10)
    assert brought.is_alive(), "it may not pile up"
    gate.set()
    brought.join()
    beside.wait()
    assert done == ["first", "second"]
    beside.wait()


def test_what_fails_is_logged_and_the_next_is_done_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    beside, done = Beside(), list[str]()
    beside(lambda: list[str]().pop())
    beside(lambda: done.append("next"))
    beside.wait()
    assert done == ["next"]
    assert "IndexError" in caplog.text and "tried again" in caplog.text
