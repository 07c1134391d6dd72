"""The ends of jobs, while the next one is encoded."""

from __future__ import annotations

import threading

import pytest

from backend.adapters.background_finish import BackgroundFinish


def test_one_is_done_beside_the_caller_and_the_next_waits_for_it() -> None:
    finish, gate, done, renewed = BackgroundFinish(), threading.Event(), list[str](), threading.Event()
    finish(lambda: (gate.wait(10), done.append("first"))[1])
    assert done == []
    brought = threading.Thread(target=finish, args=(lambda: done.append("second"), renewed.set))
    brought.start()
    assert renewed.wait(10)
    assert brought.is_alive(), "it may not pile up"
    gate.set()
    brought.join()
    finish.wait()
    assert done == ["first", "second"]
    finish.wait()


def test_what_fails_is_logged_and_the_next_is_done_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    finish, done = BackgroundFinish(), list[str]()
    finish(lambda: list[str]().pop())
    finish(lambda: done.append("next"))
    finish.wait()
    assert done == ["next"]
    assert "IndexError" in caplog.text and "tried again" in caplog.text
