"""The contract of ``Memos``: Redis and memory."""

from __future__ import annotations

from tests.contract.live import Live
from tests.fakes.waiting import until


def test_the_first_memo_stands_until_it_is_released(live: Live) -> None:
    assert live.memos.get("key") is None
    assert live.memos.put_if_absent("key", "first", 60) is True
    assert live.memos.put_if_absent("key", "second", 60) is False
    assert live.memos.get("key") == "first"
    live.memos.delete("key")
    assert live.memos.get("key") is None
    assert live.memos.put_if_absent("key", "second", 60) is True


def test_memos_and_counters_end_with_their_time(live: Live) -> None:
    live.memos.put_if_absent("key", "value", 1)
    assert live.counters.count_in_window("rate", 2, 1) == (2, 1)
    assert live.counters.count_in_window("rate", 3, 1)[0] == 5
    assert live.counters.count_in_window("another", 1, 60) == (1, 60)
    until(lambda: live.memos.get("key") is None)
    assert until(lambda: live.counters.count_in_window("rate", 1, 60)[0] < 5)
