"""What waits for one watcher: in order, bounded, and never in anybody's way."""

from __future__ import annotations

import threading
from dataclasses import replace

from backend.core.job import Job
from backend.flows.outbox import MOST_CHANGES, Latest, Outbox
from tests.fakes import samples


def changes(count: int) -> list[Job]:
    job = samples.job()
    return [job.at(replace(job.status, seq=number)) for number in range(count)]


def test_what_was_put_is_taken_in_order_and_once() -> None:
    outbox, sent = Outbox(), changes(5)
    for each in sent:
        outbox.put(each)
    assert outbox.take(0) == sent
    assert outbox.take(0) == []


def test_a_watcher_that_is_too_far_behind_gets_only_the_newest() -> None:
    outbox, sent = Outbox(), changes(MOST_CHANGES + 1)
    for each in sent:
        outbox.put(each)
    assert outbox.take(0) == [sent[-1]]


def test_as_many_as_fit_are_all_kept() -> None:
    outbox, sent = Outbox(), changes(MOST_CHANGES)
    for each in sent:
        outbox.put(each)
    assert outbox.take(0) == sent


def test_whoever_waits_gets_what_another_thread_puts() -> None:
    outbox, (change,) = Outbox(), changes(1)
    claim: list[Job] = []
    reader = threading.Thread(target=lambda: claim.extend(outbox.take(30)))
    reader.start()
    outbox.put(change)
    reader.join(30)
    assert claim == [change]


def test_of_values_that_are_whole_only_the_latest_counts() -> None:
    latest: Latest[str] = Latest()
    assert latest.take(0) is None
    latest.put("first")
    latest.put("second")
    assert latest.take(0) == "second"
    assert latest.take(0) is None


def test_whoever_waits_for_the_latest_gets_it() -> None:
    latest: Latest[str] = Latest()
    claim: list[str | None] = []
    reader = threading.Thread(target=lambda: claim.append(latest.take(30)))
    reader.start()
    latest.put("now")
    reader.join(30)
    assert claim == ["now"]
