"""The contract of ``DeliveryRecords`` (every store) and of ``DeliveryQueue`` (Redis and memory)."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from backend import errors
from backend.core import webhooks
from backend.core.job import Status, cancelled
from backend.core.pauses import WEBHOOK_PAUSES_S
from backend.core.webhooks import Attempt, Delivery
from backend.ports.delivery_queue import Shares, Waiting
from backend.ports.store import Store
from tests.contract.live import Live
from tests.fakes.samples import READER, job

PLENTY = Shares(client=100, host=100)
LEASE_S = 60.0


def made(**given: object) -> Delivery:
    over = job(webhook_url="https://example.com/hook", **given)
    return webhooks.of_job(over.at(cancelled(Status(), time.time())), READER)


def over(delivery: Delivery, status: int, now: float | None = None) -> Delivery:
    now = time.time() if now is None else now
    return webhooks.after(delivery, Attempt(now, 0.1, status), now, WEBHOOK_PAUSES_S, 0.5)


# The records


def test_a_delivery_is_recorded_once_and_the_first_record_stands(store: Store) -> None:
    delivery = made()
    assert store.add_delivery(delivery) is True
    assert store.add_delivery(replace(delivery, url="https://other.example/")) is False
    assert store.delivery(delivery.id) == delivery
    assert list(store.pending_deliveries()) == [delivery]


def test_what_has_ended_is_not_pending_and_not_recorded_anew(store: Store) -> None:
    delivery = made()
    store.add_delivery(delivery)
    tried = over(delivery, 503)
    store.save_delivery(tried)
    assert list(store.pending_deliveries()) == [tried]
    ended = over(tried, 200)
    store.save_delivery(ended)
    assert list(store.pending_deliveries()) == []
    assert store.delivery(delivery.id) == ended
    assert store.add_delivery(delivery) is False
    assert store.delivery_ids() == {delivery.id}


def test_what_is_sent_once_more_is_pending_again_and_there_once(store: Store) -> None:
    delivery = made()
    store.add_delivery(delivery)
    store.save_delivery(over(delivery, 410))
    renewed = webhooks.again(over(delivery, 410), time.time())
    store.save_delivery(renewed)
    assert list(store.pending_deliveries()) == [renewed]
    assert store.delivery(delivery.id) == renewed
    assert store.delivery_ids() == {delivery.id}


def test_a_record_outlives_its_job_and_goes_when_it_is_kept_no_longer(store: Store) -> None:
    waits, old, fresh = made(), made(expires_at=time.time() - 10**6), made()
    for each in (waits, old, fresh):
        store.add_delivery(each)
    store.save_delivery(over(old, 200, time.time() - 2 * webhooks.KEPT_AFTER_END_S))
    store.save_delivery(over(fresh, 200))
    assert store.clean_up(3600) > 0
    assert store.delivery_ids() == {waits.id, fresh.id}
    with pytest.raises(errors.NotFound):
        store.delivery(old.id)


def test_an_unknown_delivery_is_not_found(store: Store) -> None:
    with pytest.raises(errors.NotFound):
        store.delivery(made().id)
    assert (store.delivery_ids(), list(store.pending_deliveries())) == (set(), [])


def test_a_refused_batch_is_forgotten(store: Store) -> None:
    from backend.core.batch import Batch

    store.save_batch(Batch("batch-1", ("job-1",), 1.0, time.time() + 60))
    store.erase_batch("batch-1")
    store.erase_batch("batch-1")
    with pytest.raises(errors.NotFound):
        store.batch("batch-1")


# The schedule


def waiting(delivery_id: str, client: str = "someone", host: str = "https://a", due_s: float = -1.0) -> Waiting:
    return Waiting(delivery_id, client, host, time.time() + due_s)


def claimed(live: Live, most: int = 100, lease_s: float = LEASE_S, shares: Shares = PLENTY) -> list[str]:
    """All that are due, in the order in which they are given out."""
    found: list[str] = []
    while len(found) < most and (more := live.deliveries.claim(most - len(found), lease_s, shares)):
        found += more
    return found


def test_what_is_due_is_given_out_once_and_what_is_not_waits(live: Live) -> None:
    live.deliveries.add([waiting("late", due_s=60), waiting("second", due_s=-1), waiting("first", due_s=-2)])
    assert claimed(live) == ["first", "second"]
    assert claimed(live) == []
    assert live.deliveries.count("someone") == 3
    assert live.counters.overview().webhooks_pending == 3


def test_a_known_one_stays_as_it_is_unless_it_is_hastened(live: Live) -> None:
    live.deliveries.add([waiting("one", due_s=60)])
    live.deliveries.add([waiting("one", due_s=-1)])
    assert claimed(live) == []
    live.deliveries.add([waiting("one", due_s=-1)], hastens=True)
    assert claimed(live) == ["one"]
    live.deliveries.add([])


def test_the_lease_of_a_lost_process_runs_out(live: Live) -> None:
    live.deliveries.add([waiting("one")])
    assert claimed(live, most=1, lease_s=0.02) == ["one"]
    time.sleep(0.03)
    assert claimed(live) == ["one"]


def test_what_failed_comes_again_and_what_ended_does_not(live: Live) -> None:
    live.deliveries.add([waiting("one"), waiting("other")])
    assert sorted(claimed(live)) == ["one", "other"]
    live.deliveries.put_back("one", time.time() - 0.5, {"webhook_tries:5xx": 1})
    live.deliveries.remove("other", {"webhooks:delivered": 1, "webhook_tries:2xx": 1})
    assert claimed(live) == ["one"]
    assert live.deliveries.count("someone") == 1
    totals = live.counters.overview().totals
    assert (totals["webhooks:delivered"], totals["webhook_tries:2xx"], totals["webhook_tries:5xx"]) == (1, 1, 1)
    live.deliveries.remove("one", {})
    live.deliveries.remove("one", {})
    live.deliveries.put_back("one", time.time(), {})
    assert (live.deliveries.count("someone"), claimed(live)) == (0, [])


def test_what_is_hastened_during_a_try_is_tried_once_more_after_it(live: Live) -> None:
    live.deliveries.add([waiting("one")])
    assert claimed(live) == ["one"]
    live.deliveries.add([waiting("one")], hastens=True)
    assert claimed(live) == []
    live.deliveries.remove("one", {})
    time.sleep(0.6)
    assert claimed(live) == ["one"]
    live.deliveries.remove("one", {})
    assert live.deliveries.count("someone") == 0


def test_a_client_takes_no_more_than_its_share_and_clients_take_turns(live: Live) -> None:
    live.deliveries.add([waiting(f"many-{number}", "many", f"https://{number}", -9) for number in range(20)])
    live.deliveries.add([waiting(f"few-{number}", "few", "https://few", -1) for number in range(2)])
    shares = Shares(client=5, host=5)
    found = claimed(live, shares=shares)
    assert sorted(each.split("-")[0] for each in found) == ["few"] * 2 + ["many"] * 5
    assert found[:2] in (["many-0", "few-0"], ["many-0", "few-1"]) or found[1].startswith("few")
    live.deliveries.remove(next(each for each in found if each.startswith("many")), {})
    assert len(claimed(live, shares=shares)) == 1, "a place that is free is taken at once"


def test_a_host_takes_no_more_than_its_share_and_costs_no_other_host_anything(live: Live) -> None:
    live.deliveries.add([waiting(f"dead-{number}", f"client-{number}", "https://dead", -9) for number in range(20)])
    live.deliveries.add([waiting(f"well-{number}", "client-0", "https://well", -1) for number in range(3)])
    found = claimed(live, shares=Shares(client=8, host=4))
    assert sorted(each.split("-")[0] for each in found) == ["dead"] * 4 + ["well"] * 3


def test_a_host_that_gave_no_answer_has_one_place_until_it_answers(live: Live) -> None:
    live.deliveries.add([waiting(f"one-{number}", f"client-{number}") for number in range(6)])
    live.deliveries.count_failures("https://a", True)
    assert len(claimed(live, shares=Shares(client=8, host=4))) == 1
    live.deliveries.count_failures("https://a", False)
    time.sleep(0.6)
    assert len(claimed(live, shares=Shares(client=8, host=4))) == 3


def test_a_host_that_is_paused_is_left_alone_for_so_long(live: Live) -> None:
    live.deliveries.add([waiting("dead", host="https://dead"), waiting("well", host="https://well")])
    live.deliveries.pause("https://dead", 0.3)
    assert claimed(live) == ["well"]
    time.sleep(0.35)
    assert claimed(live) == ["dead"]


def test_failures_are_counted_until_the_host_answers(live: Live) -> None:
    assert [live.deliveries.count_failures("https://a", True) for _ in range(3)] == [1, 2, 3]
    assert live.deliveries.count_failures("https://b", True) == 1
    assert live.deliveries.count_failures("https://a", False) == 0
    assert live.deliveries.count_failures("https://a", True) == 1


def test_ten_thousand_dead_hosts_of_one_client_do_not_hide_anothers(live: Live) -> None:
    live.deliveries.add([waiting(f"dead-{number}", "many", f"https://{number}.example", -99) for number in range(10_000)])
    live.deliveries.add([waiting("well", "few", "https://well", -0.001)])
    time.sleep(0.01)
    assert "well" in claimed(live, most=20, shares=Shares(client=8, host=4))
