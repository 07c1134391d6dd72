"""Turns within and between clients, of ``JobQueue``: Redis and memory."""

from __future__ import annotations

import random

import pytest

from backend.core.turns import turn
from tests.contract.live import Live, claim, found, order, queued
from tests.fakes.live_state import live_state
from tests.fakes.samples import job, source
from tests.fakes.server import MemoryServer


def named(live: Live, name: str, client: str = "home", line: str = "", *, waits: bool = False, **given: object) -> dict[str, str]:
    return {queued(live, turn(client, line, is_waited_for=waits), **given).id: name}


def test_the_lines_of_one_client_take_turns(live: Live) -> None:
    names: dict[str, str] = {}
    for _ in range(4):
        names |= named(live, "script")
    for _ in range(2):
        names |= named(live, "browser", line="browser")
    assert order(live, names) == "script browser script browser script script"


def test_a_client_with_many_lines_gets_no_more_turns_than_one_with_one(live: Live) -> None:
    names: dict[str, str] = {}
    for number in range(30):
        names |= named(live, "crowd", "crowd", f"token-{number}")
    for _ in range(3):
        names |= named(live, "single", "single")
    assert order(live, names).split()[:7].count("single") == 3


@pytest.mark.parametrize("hurried", [{"waits": True}, {"is_ephemeral": True}])
def test_what_somebody_waits_for_goes_before_single_jobs_and_these_before_batches(live: Live, hurried: dict[str, bool]) -> None:
    names: dict[str, str] = {}
    for name, given in (("batch", {"batch": "b"}), ("batch", {"batch": "b"}), ("single", {}), ("single", {}), ("wait", hurried), ("wait", hurried)):
        names |= named(live, name, **given)  # type: ignore[arg-type]
    assert order(live, names) == "wait wait single single batch batch"


def test_it_goes_before_its_own_clients_work_and_not_before_anothers(live: Live) -> None:
    names: dict[str, str] = {}
    for client in ("mine", "other", "mine", "other"):
        names |= named(live, client, client, batch="b")
    names |= named(live, "hurried", "mine", waits=True)
    assert order(live, names) == "hurried other mine other mine"


def test_a_quiet_line_that_waits_goes_before_the_many_lines_of_its_client(live: Live) -> None:
    names: dict[str, str] = {}
    for number in range(50):
        names |= named(live, "hog", line=f"token-{number}")
    names |= named(live, "hurried", waits=True)
    assert order(live, names).split()[0] == "hurried"


def test_positions_follow_a_job_that_goes_before(live: Live) -> None:
    made = [queued(live, "home", batch="b") for _ in range(3)]
    hurried = queued(live, turn("home", is_waited_for=True))
    assert found(live, hurried.id).status.position == 0
    live.queue.publish_positions()
    assert [found(live, each.id).status.position for each in made] == [1, 2, 3]


def test_large_pictures_take_as_much_of_the_encoders_as_small_ones_and_no_more(live: Live) -> None:
    names: dict[str, str] = {}
    for _ in range(4):
        names |= named(live, "large", "large", source=source(width=6000, height=4000))
    for _ in range(40):
        names |= named(live, "small", "small")
    assert order(live, names).split()[:42].count("large") == 2, "92 small ones cost what a large one does"


def test_a_job_that_leaves_takes_its_line_along(live: Live) -> None:
    first, second = queued(live, "home a"), queued(live, "home a")
    live.jobs.forget(first.id)
    third = queued(live, "home b", is_ephemeral=True)
    assert [claim(live).job.id for _ in range(2)] == [third.id, second.id]
    assert live.queue.take("token", 1) is None


@pytest.mark.parametrize("seed", range(30))
def test_redis_serves_in_the_order_of_the_model_whatever_comes_and_goes(redis_live: Live, seed: int) -> None:
    memory, chance = Live(**live_state(MemoryServer())), random.Random(seed)
    names, waiting = {}, []
    for number in range(120):
        if chance.random() < 0.6:
            given = {"client": turn(chance.choice("abc"), chance.choice(["", "x", "y"]), is_waited_for=chance.random() < 0.2)}
            made = job(batch=chance.choice([None, "b"]), source=source(width=chance.choice([16, 3000]), height=1000), **given)
            names[made.id] = str(number)
            waiting.append(made)
            for live in (redis_live, memory):
                live.queue.enqueue(made, limit=None)
        elif waiting and chance.random() < 0.4:
            gone = waiting.pop(chance.randrange(len(waiting)))
            for live in (redis_live, memory):
                live.jobs.forget(gone.id)
        elif waiting:
            taken = [claim(live).job.id for live in (redis_live, memory)]
            assert taken[0] == taken[1], (names[taken[0]], names[taken[1]])
            waiting = [each for each in waiting if each.id != taken[0]]
    redis_live.queue.publish_positions()
    positions = {each.id: found(redis_live, each.id).status.position for each in waiting}
    served = [claim(redis_live).job.id for _ in waiting]
    assert served == [claim(memory).job.id for _ in waiting]
    assert all(abs(positions[each] - served.index(each)) <= served.index(each) / 9 + 1 for each in served)  # type: ignore[operator]
    assert redis_live.queue.take("token", 1) is None


def test_a_lost_job_is_first_again_whatever_came_meanwhile(live: Live) -> None:
    lost = queued(live, "home", batch="b")
    claim(live)
    others = [queued(live, turn("home", is_waited_for=True)), queued(live, "far")]
    live.queue.requeue(lost.id)
    later = queued(live, turn("home", is_waited_for=True))
    assert claim(live).job.id == lost.id
    assert {claim(live).job.id for _ in range(3)} == {later.id, *(each.id for each in others)}
