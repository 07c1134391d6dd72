"""Follow: the present state first, then each change once and in order, whatever becomes of the announcements."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from backend import errors
from backend.core.conversion import Progress
from backend.core.job import Job, Status
from backend.flows import conclude
from backend.flows.follow import Follower
from backend.flows.maintenance import recover
from tests.fakes.clock import ShiftedClock
from tests.fakes.codec import ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.samples import next_id
from tests.fakes.waiting import until

LEASE_S = 60.0


@dataclass
class Watcher:
    """Notes what it is told, as ``seq state progress``."""

    told: list[str] = field(default_factory=list)

    def __call__(self, job: Job) -> None:
        self.told.append(f"{job.status.seq} {job.status.state} {job.status.progress}")

    __hash__ = object.__hash__

    @property
    def seqs(self) -> list[int]:
        return [int(each.split()[0]) for each in self.told]


@pytest.fixture
def running(here: MemoryContext) -> Job:
    """A job that stands at change 3: queued, taken, 10 %."""
    job = here.upload()
    here.queue.take("token", LEASE_S)
    here.leases.report(job.id, "token", {"stage": "encode", "progress": 10}, LEASE_S)
    return here.find(job)


def step(here: MemoryContext, job: Job, percent: int) -> None:
    here.leases.report(job.id, "token", {"progress": percent}, LEASE_S)


def test_the_present_state_is_given_first_and_nothing_of_it_again(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    job = here.follower.follow(running.id, watcher)
    assert (job.status.seq, job.status.progress) == (3, 10)
    assert watcher.told == []


def test_each_change_is_told_once_and_in_order_and_the_end_is_the_last(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    step(here, running, 20)
    step(here, running, 30)
    conclude.cancel(here.context, here.find(running))
    assert watcher.told == ["4 running 20", "5 running 30", "6 cancelled 30"]


def test_after_the_end_nobody_is_watched_any_more(here: MemoryContext, running: Job) -> None:
    here.follower.follow(running.id, Watcher())
    conclude.cancel(here.context, here.find(running))
    assert here.follower.watched_count() == 0
    assert here.announcements.subscribed == set()


def test_many_watchers_of_a_job_each_get_every_change(here: MemoryContext, running: Job) -> None:
    watchers = [Watcher() for _ in range(3)]
    for each in watchers:
        here.follower.follow(running.id, each)
    step(here, running, 20)
    late = Watcher()
    here.follower.follow(running.id, late)
    step(here, running, 30)
    assert [each.told for each in watchers] == [["4 running 20", "5 running 30"]] * 3
    assert late.told == ["5 running 30"]


def test_who_no_longer_follows_is_told_nothing_and_the_others_go_on(here: MemoryContext, running: Job) -> None:
    one, other = Watcher(), Watcher()
    here.follower.follow(running.id, one)
    here.follower.follow(running.id, other)
    here.follower.unfollow(running.id, one)
    here.follower.unfollow(running.id, one)
    step(here, running, 20)
    assert (one.told, other.told) == ([], ["4 running 20"])
    here.follower.unfollow(running.id, other)
    assert (here.follower.watched_count(), here.announcements.subscribed) == (0, set())
    here.follower.unfollow("unknown", other)


def test_lost_announcements_are_filled_in_from_the_log_when_the_next_one_arrives(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    here.announcements.is_deaf = True
    step(here, running, 20)
    step(here, running, 30)
    here.announcements.is_deaf = False
    step(here, running, 40)
    assert watcher.told == ["4 running 20", "5 running 30", "6 running 40"]


def test_a_gap_is_filled_in_though_no_announcement_follows(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    here.announcements.is_deaf = True
    step(here, running, 20)
    conclude.cancel(here.context, here.find(running))
    assert watcher.told == []
    here.follower.on_gap()
    assert watcher.told == ["4 running 20", "5 cancelled 20"]
    assert here.follower.watched_count() == 0


def test_a_gap_in_which_nothing_happened_tells_nothing(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    here.follower.on_gap()
    assert watcher.told == []
    step(here, running, 20)
    assert watcher.told == ["4 running 20"]


def test_a_gap_while_redis_is_still_away_is_answered_from_the_store_and_breaks_nothing(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    here.server.is_down = True
    here.follower.on_gap()
    here.server.is_down = False
    assert watcher.told == []
    step(here, running, 20)
    assert watcher.told == ["4 running 20"]


def test_announcements_that_come_twice_or_late_are_told_once(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    step(here, running, 20)
    old = here.find(running).status.to_json()
    step(here, running, 30)
    here.follower.on_change(running.id, old)
    here.follower.on_change(running.id, old)
    assert watcher.seqs == [4, 5]


def test_where_the_log_no_longer_reaches_back_the_newest_state_stands_for_all(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    here.announcements.is_deaf = True
    for number in range(600):
        step(here, running, number // 10)
    here.announcements.is_deaf = False
    step(here, running, 60)
    assert watcher.told == ["604 running 60"]


def test_after_a_seq_only_what_is_newer_is_told_in_order(here: MemoryContext, running: Job) -> None:
    first, watcher = Watcher(), Watcher()
    here.follower.follow(running.id, first)
    step(here, running, 20)
    step(here, running, 25)
    job = here.follower.follow(running.id, watcher, after=3)
    assert job.status.seq == 5
    assert watcher.told == ["4 running 20", "5 running 25"]
    step(here, running, 30)
    assert watcher.seqs == [4, 5, 6]


def test_who_comes_to_a_job_that_nobody_watched_gets_every_change(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    step(here, running, 20)
    here.follower.follow(running.id, watcher, after=2)
    assert watcher.told == ["3 running 10", "4 running 20"]


def test_the_encoder_of_a_running_job_is_told_of_its_first_watcher(here: MemoryContext, running: Job) -> None:
    waiting = here.upload()
    for watched in (running, running, waiting):
        here.follower.follow(watched.id, Watcher())
    assert here.server.watched == ["token"]


def test_who_cannot_tell_the_encoder_watches_all_the_same(here: MemoryContext, running: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(job_id: str) -> None:
        raise errors.BackendUnavailable(part="redis", retry_after_s=2, private=job_id)

    monkeypatch.setattr(here.leases, "announce_watcher", fail)
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    step(here, running, 20)
    assert watcher.told == ["4 running 20"]


def test_after_the_newest_seq_nothing_old_is_told(here: MemoryContext, running: Job) -> None:
    for after in (3, 999):
        watcher = Watcher()
        here.follower.follow(running.id, watcher, after=after)
        assert watcher.told == []
        here.follower.unfollow(running.id, watcher)


def test_who_was_ahead_of_a_rebuilt_job_still_hears_its_changes(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher, after=999)
    step(here, running, 20)
    assert watcher.told == ["4 running 20"]


def test_following_after_the_end_gives_the_end(here: MemoryContext) -> None:
    here.server.listeners = lambda _id: 1
    job = here.upload()
    here.encode(ScriptedCodec(lambda: here.clock.advance(1), Progress("encode", 50)))
    watcher = Watcher()
    assert here.follower.follow(job.id, watcher).status.state == "succeeded"
    assert watcher.told == []
    assert here.follower.watched_count() == 0
    here.follower.follow(job.id, watcher, after=0)
    assert watcher.told == ["1 queued 0", "2 running 0", "3 running 49", "4 running 99", "5 succeeded 100"]
    assert (here.follower.watched_count(), here.announcements.subscribed) == (0, set())


def test_an_erased_job_is_let_go(here: MemoryContext, running: Job) -> None:
    watcher = Watcher()
    here.follower.follow(running.id, watcher)
    conclude.erase(here.context, running)
    assert (watcher.told, here.follower.watched_count(), here.announcements.subscribed) == ([], 0, set())


def test_a_job_that_was_erased_during_a_gap_is_let_go(here: MemoryContext, running: Job) -> None:
    here.follower.follow(running.id, Watcher())
    here.announcements.is_deaf = True
    conclude.erase(here.context, running)
    here.follower.on_gap()
    assert (here.follower.watched_count(), here.announcements.subscribed) == (0, set())


def test_what_cannot_be_followed_leaves_no_trace(here: MemoryContext, running: Job) -> None:
    for job_id, owner in ((next_id(), ""), (running.id, "another"), ("no id", "")):
        with pytest.raises(errors.NotFound):
            here.follower.follow(job_id, Watcher(), owner=owner)
    assert here.follower.watched_count() == 0


def test_without_announcements_following_fails_and_leaves_no_trace(here: MemoryContext, running: Job) -> None:
    here.server.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        here.follower.follow(running.id, Watcher())
    assert here.follower.watched_count() == 0


def test_the_end_is_told_though_redis_lost_everything_before_it(here: MemoryContext) -> None:
    job = here.upload()
    watcher = Watcher()
    here.follower.follow(job.id, watcher)
    here.encode(ScriptedCodec(lambda: here.clock.advance(1), Progress("encode", 50), here.server.lose_everything))
    assert watcher.told[-1].split()[1:] == ["succeeded", "100"]
    assert watcher.seqs == sorted(set(watcher.seqs))


def test_the_end_is_told_though_redis_lost_everything_at_the_very_last_moment(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    job = here.upload()
    watcher = Watcher()
    here.follower.follow(job.id, watcher)
    commit = here.store.commit_outcome

    def conclude_and_lose(job_id: str, status: Status, *, durable: bool = True) -> bool:
        here.server.lose_everything()
        return commit(job_id, status)

    monkeypatch.setattr(here.store, "commit_outcome", conclude_and_lose)
    here.encode()
    assert watcher.told[-1].split()[1:] == ["succeeded", "100"]


def test_a_rebuilt_job_goes_on_for_whoever_watched_it_before(here: MemoryContext) -> None:
    job = here.upload()
    watcher = Watcher()
    here.follower.follow(job.id, watcher)
    here.clock.advance(5)
    here.server.lose_everything()
    recover(here.context)
    here.encode()
    assert watcher.told[-1].split()[1:] == ["succeeded", "100"]
    assert watcher.seqs == sorted(set(watcher.seqs))


def test_an_end_that_overtakes_the_look_up_is_not_missed(here: MemoryContext, running: Job) -> None:
    """Redis answered the look-up before the end, but the announcement of the end is handled first."""
    real, looks = here.jobs.find, []

    def slow(job_id: str) -> Job | None:
        found = real(job_id)
        looks.append(job_id)
        if len(looks) == 2:
            here.jobs.find = real  # type: ignore[method-assign]
            conclude.cancel(here.context, running)
        return found

    here.jobs.find = slow  # type: ignore[method-assign]
    watcher = Watcher()
    job = here.follower.follow(running.id, watcher)
    assert job.status.state == "cancelled" or watcher.told == ["4 cancelled 10"]
    assert here.follower.watched_count() == 0


def test_one_who_leaves_while_another_arrives_does_not_take_the_announcements_along(here: MemoryContext, running: Job) -> None:
    leaving, arriving = Watcher(), Watcher()
    here.follower.follow(running.id, leaving)
    real, looks = here.jobs.find, []

    def slow(job_id: str) -> Job | None:
        found = real(job_id)
        looks.append(job_id)
        if len(looks) == 2:
            here.follower.unfollow(running.id, leaving)
        return found

    here.jobs.find = slow  # type: ignore[method-assign]
    here.follower.follow(running.id, arriving)
    step(here, running, 20)
    assert arriving.told == ["4 running 20"]


@pytest.fixture
def real_time() -> Iterator[MemoryContext]:
    context = MemoryContext(ShiftedClock())
    yield context
    context.close()


def ended(job: Job) -> bool:
    return job.status.has_ended


Wait = Callable[[Follower, str, float], Job]
WAYS_TO_WAIT: tuple[Wait, ...] = (
    lambda follower, job_id, seconds: follower.wait(job_id, seconds, is_enough=ended),
    lambda follower, job_id, seconds: follower.wait_for_end(job_id, seconds),
)


@pytest.mark.parametrize("wait", WAYS_TO_WAIT)
def test_waiting_ends_with_the_job(real_time: MemoryContext, wait: Wait) -> None:
    job = real_time.upload()
    got: list[Job] = []
    waiting = threading.Thread(target=lambda: got.append(wait(real_time.follower, job.id, 30)))
    waiting.start()
    until(real_time.follower.watched_count)
    real_time.encode()
    waiting.join(10)
    assert got[0].status.state == "succeeded"
    assert real_time.follower.watched_count() == 0


@pytest.mark.parametrize("wait", WAYS_TO_WAIT)
def test_waiting_ends_with_its_time_and_gives_the_job_as_it_is(real_time: MemoryContext, wait: Wait) -> None:
    job = real_time.upload()
    begun = time.monotonic()
    assert wait(real_time.follower, job.id, 0.05).status.state == "queued"
    assert 0.05 <= time.monotonic() - begun < 2
    assert real_time.follower.watched_count() == 0


def test_waiting_ends_when_it_has_seen_enough(real_time: MemoryContext) -> None:
    job = real_time.upload()
    assert real_time.follower.wait(job.id, 30, is_enough=lambda each: True).status.seq == 1
    assert real_time.follower.watched_count() == 0


def test_waiting_ends_when_nobody_waits_any_more(real_time: MemoryContext) -> None:
    job = real_time.upload()
    assert real_time.follower.wait_for_end(job.id, 30, is_left=lambda: True).status.state == "queued"
    assert real_time.follower.watched_count() == 0


@pytest.mark.parametrize("wait", WAYS_TO_WAIT)
def test_waiting_for_an_ended_job_takes_no_time(real_time: MemoryContext, wait: Wait) -> None:
    job = real_time.upload()
    real_time.encode()
    assert wait(real_time.follower, job.id, 30).status.state == "succeeded"


@pytest.mark.parametrize("wait", WAYS_TO_WAIT)
def test_waiting_ends_when_the_job_is_erased(real_time: MemoryContext, wait: Wait) -> None:
    job = real_time.upload()
    got: list[object] = []

    def waits() -> None:
        try:
            got.append(wait(real_time.follower, job.id, 30))
        except errors.NotFound as error:
            got.append(error)

    waiting = threading.Thread(target=waits)
    waiting.start()
    until(real_time.follower.watched_count)
    conclude.erase(real_time.context, job)
    waiting.join(10)
    assert isinstance(got[0], errors.NotFound)
    assert real_time.follower.watched_count() == 0


def test_whoever_waits_for_an_end_listens_to_that_alone_and_finds_it_though_its_announcement_was_lost(real_time: MemoryContext) -> None:
    job = real_time.upload()
    got: list[Job] = []
    waiting = [threading.Thread(target=lambda: got.append(real_time.follower.wait_for_end(job.id, 30))) for _ in range(2)]
    for each in waiting:
        each.start()
    until(lambda: real_time.announcements.subscribed == {("ended", job.id)})
    until(lambda: len(real_time.follower._awaited[job.id]) == 2)
    real_time.announcements.is_deaf = True
    real_time.encode()
    assert all(each.is_alive() for each in waiting)
    real_time.follower.on_gap()
    for each in waiting:
        each.join(10)
    assert [each.status.state for each in got] == ["succeeded", "succeeded"]
    assert (real_time.follower.watched_count(), real_time.announcements.subscribed) == (0, set())


def test_an_end_that_is_told_is_not_looked_up(real_time: MemoryContext) -> None:
    job = real_time.upload()
    got: list[Job] = []
    looked_up: list[str] = []
    find = real_time.jobs.find
    real_time.jobs.find = lambda job_id: looked_up.append(job_id) or find(job_id)  # type: ignore[method-assign, func-returns-value]
    waiting = threading.Thread(target=lambda: got.append(real_time.follower.wait_for_end(job.id, 30)))
    waiting.start()
    until(lambda: looked_up)
    real_time.encode()
    waiting.join(10)
    assert got[0].status.result is not None and got[0].manifest == job.manifest
    assert looked_up == [job.id], "as the waiting began"


def test_waiting_for_an_end_without_announcements_fails_and_leaves_no_trace(real_time: MemoryContext) -> None:
    job = real_time.upload()
    real_time.server.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        real_time.follower.wait_for_end(job.id, 5)
    real_time.server.is_down = False
    assert (real_time.follower.watched_count(), real_time.announcements.subscribed) == (0, set())
