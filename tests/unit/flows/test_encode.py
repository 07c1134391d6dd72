"""Encode: one job to its end, heard of on the way, stopped when nobody wants it, committed once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from backend import errors
from backend.core.conversion import ChildDied, Progress
from backend.core.effort import EASED, FULL
from backend.core.job import Job, Status, cancelled
from backend.core.options import Options
from backend.core.pauses import DEATH_PAUSES_S, MAX_ATTEMPTS, MAX_LOSSES, WORLD_PAUSES_S
from backend.flows import conclude, encode
from backend.flows.encode import encode_next
from backend.flows.maintenance import Janitor, recover
from backend.flows.report import HEARTBEAT_S, LEASE_S, REPORT_INTERVAL_S, UNHEARD_INTERVAL_S, LeaseKeeper
from backend.flows.store_result import LEAST_PATIENCE_S, MOST_PATIENCE_S
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.samples import image

LONGEST_PAUSE_S = max(*WORLD_PAUSES_S, *DEATH_PAUSES_S)


def wait(here: MemoryContext, seconds: float = UNHEARD_INTERVAL_S + 0.01) -> Callable[[], None]:
    return lambda: here.clock.advance(seconds)


@dataclass
class ScriptedStops:
    heard: bool = True
    told: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)

    def is_connected(self) -> bool:
        return self.heard

    def new_token(self) -> str:
        return "name-token"

    def is_cancelled(self, token: str) -> bool:
        return token in self.told and not self.told.discard(token)

    def is_watched(self, token: str) -> bool:
        return token in self.watched and not self.watched.discard(token)


def test_without_a_job_there_is_nothing_to_do(here: MemoryContext) -> None:
    assert here.encode() is False


def test_a_job_is_converted_and_its_result_committed(here: MemoryContext) -> None:
    job = here.upload(options=Options(quality=33))
    codec = ScriptedCodec()
    assert here.encode(codec) is True
    status = here.find(job).status
    assert (status.state, status.progress, status.stage, status.attempt) == ("succeeded", 100, None, 1)
    assert status.result is not None
    assert (status.result.bytes, status.result.width, status.result.height, status.result.facts) == (
        len(RESULT),
        16,
        12,
        {"seconds": {"encode": 0.5, "store": 0.0}},
    )
    blob = here.store.open_result(job.id, status.result.file)
    assert blob.read_at(0, 1000) == RESULT
    blob.close()
    assert codec.sources == [image()]
    assert (codec.conversions[0].options.quality, codec.conversions[0].timeout_s, codec.conversions[0].shape.format) == (33, 60.0, "png")


def test_the_store_knows_of_the_end_before_anybody_is_told(here: MemoryContext) -> None:
    job = here.upload()
    told: list[tuple[str, bool]] = []
    here.server.publish = lambda job_id, text: told.append((Status.from_json(text).state, here.store.outcome(job_id) is not None))
    here.encode()
    assert told[-1] == ("succeeded", True)
    assert (told[0], [was_stored for _, was_stored in told[:-1]]) == (("running", False), [False] * (len(told) - 1))
    assert here.store.events[-1] == f"conclude {job.id} succeeded"


def test_progress_is_told_in_its_stages_and_ends_at_a_hundred(here: MemoryContext) -> None:
    job = here.upload()
    here.server.listeners = lambda _id: 1
    here.encode(ScriptedCodec(wait(here), Progress("decode", 20), wait(here), Progress("transform", 40), wait(here), Progress("encode", 90)))
    assert here.history(job) == [
        "queued 0",
        "running decode 0",
        "running decode 19",
        "running transform 39",
        "running encode 88",
        "running store 99",
        "succeeded 100",
    ]


def test_of_an_ephemeral_job_the_end_follows_at_once(here: MemoryContext) -> None:
    job = here.upload(is_ephemeral=True)
    here.encode(ScriptedCodec(wait(here), Progress("encode", 90)))
    assert here.history(job) == ["queued 0", "running decode 0", "succeeded 100"]


def test_a_job_that_was_cancelled_or_erased_before_it_was_stored_leaves_nothing(here: MemoryContext) -> None:
    cancelled, erased = here.upload(), here.upload()
    here.encode(ScriptedCodec(lambda: conclude.cancel(here.context, here.find(cancelled))))
    here.encode(ScriptedCodec(lambda: conclude.erase(here.context, here.find(erased))))
    assert here.find(cancelled).status.state == "cancelled"
    assert here.jobs.find(erased.id) is None and erased.id not in here.store.entries
    assert not here.store.open_files


def test_progress_never_falls_and_is_100_only_at_the_end(here: MemoryContext) -> None:
    job = here.upload()
    steps = [step for percent in (10, 50, 30, 50, 100, 100, 2) for step in (wait(here), Progress("encode", percent))]
    here.encode(ScriptedCodec(*steps))
    log = here.changes(job)
    percents = [each.progress for each in log]
    assert percents == sorted(percents)
    assert [each.state for each in log if each.progress == 100] == ["succeeded"]


@pytest.mark.parametrize(("listeners", "fewest", "most"), [(1, 24, 30), (0, 2, 3)])
def test_a_thousand_reports_a_second_become_ten_changes_or_one_if_nobody_listens(here: MemoryContext, listeners: int, fewest: int, most: int) -> None:
    job = here.upload()
    here.server.listeners = lambda _id: listeners
    here.encode(ScriptedCodec(*[step for number in range(3000) for step in (wait(here, 0.001), Progress("encode", number / 30))]))
    log = here.changes(job)
    running = [each for each in log if each.state == "running" and each.stage == "encode"]
    assert fewest <= len(running) <= most
    assert log[-1].state == "succeeded"
    assert [each.seq for each in log] == list(range(1, len(log) + 1))


def test_whoever_begins_to_listen_in_mid_encode_hears_of_it_as_often_as_everybody(here: MemoryContext) -> None:
    job, watchers, stops = here.upload(), [0], ScriptedStops()
    here.context = replace(here.context, cancellations=stops)
    here.server.listeners = lambda _id: watchers[0]
    steps: list[object] = []
    for number in range(2000):
        steps += [wait(here, 0.001), Progress("encode", number / 20)]
        if number == 1000:
            steps.append(lambda: (watchers.__setitem__(0, 1), stops.watched.add("token")))
    here.encode(ScriptedCodec(*steps))  # type: ignore[arg-type]
    percents = [each.progress for each in here.changes(job) if each.stage == "encode"]
    assert len([each for each in percents if each < 49]) <= 1
    assert 8 <= len([each for each in percents if each > 50]) <= 11


def test_an_ephemeral_jobs_lease_is_renewed_once_a_second_and_what_runs_along_with_it_is_told(here: MemoryContext) -> None:
    reports: list[dict[str, object]] = []
    real = here.leases.report
    here.leases.report = lambda *given: (reports.append(given[2]), real(*given))[1]  # type: ignore[method-assign]
    here.upload(is_ephemeral=True)
    here.context = replace(here.context, cancellations=ScriptedStops())
    here.encode(ScriptedCodec(*[step for number in range(1000) for step in (wait(here, 0.005), Progress("encode", number / 10))]))
    assert 4 <= len(reports) <= 5.0 / UNHEARD_INTERVAL_S and all(reports)


@pytest.mark.parametrize(("is_connected", "fewest", "most"), [(True, 9, 10), (False, 90, 100)])
def test_a_lease_is_renewed_more_often_where_stops_are_not_heard(here: MemoryContext, is_connected: bool, fewest: int, most: int) -> None:
    reports: list[dict[str, object]] = []
    real = here.leases.report
    here.leases.report = lambda *given: (reports.append(given[2]), real(*given))[1]  # type: ignore[method-assign]
    here.upload()
    here.context = replace(here.context, cancellations=ScriptedStops(is_connected))
    here.encode(ScriptedCodec(*[wait(here, 0.01)] * int(1000 * HEARTBEAT_S)))
    assert fewest <= len([each for each in reports if not each]) <= most


def test_a_stop_that_is_heard_of_ends_the_encode_at_the_next_tick_and_one_that_is_not_true_does_not(here: MemoryContext) -> None:
    first, second = here.upload(), here.upload()
    cancellations = ScriptedStops()
    here.context = replace(here.context, cancellations=cancellations)

    def cancel() -> None:
        conclude.cancel(here.context, here.find(first))
        cancellations.told.add("token")

    reached: list[str] = []
    here.encode(ScriptedCodec(wait(here, 0.06), cancel, lambda: reached.append("after the cancel")))
    assert (here.find(first).status.state, reached) == ("cancelled", [])
    here.encode(ScriptedCodec(wait(here, 0.06), lambda: cancellations.told.add("token"), wait(here, 0.06)))
    assert here.find(second).status.state == "succeeded"


def test_progress_that_came_too_early_is_told_a_moment_later_and_not_dropped(here: MemoryContext) -> None:
    job = here.upload()
    here.server.listeners = lambda _id: 1
    here.encode(ScriptedCodec(wait(here), Progress("encode", 10), wait(here, 0.01), Progress("encode", 60), wait(here, REPORT_INTERVAL_S)))
    assert "running encode 58" in here.history(job)


def test_progress_that_did_not_change_is_not_told_again(here: MemoryContext) -> None:
    job = here.upload()
    here.encode(ScriptedCodec(*[step for _ in range(20) for step in (wait(here), Progress("encode", 10))]))
    assert here.history(job).count("running encode 9") == 1


def test_the_estimate_follows_the_time_that_was_used(here: MemoryContext) -> None:
    job = here.upload()
    here.server.listeners = lambda _id: 1
    here.encode(ScriptedCodec(wait(here, 1.0), Progress("decode", 2), wait(here, 1.0), Progress("encode", 51.1)))
    assert [each.eta_s for each in here.changes(job, 2)] == [None, 2.0, None, None]


@pytest.mark.parametrize(
    "error",
    [
        errors.DamagedImage(private="/tmp/x"),
        errors.EncodeTimeout(limit_s=60),
        errors.TooManyPixels("memory"),
        errors.InvalidOption("side", option="width", width=1, height=2, limit=3),
    ],
    ids=lambda error: error.code,
)
def test_what_the_codec_refuses_becomes_the_jobs_error(here: MemoryContext, error: errors.GatewayError) -> None:
    job = here.upload()
    assert here.encode(ScriptedCodec(wait(here), Progress("decode", 50), error)) is True
    status = here.find(job).status
    assert (status.state, status.error, status.result, status.progress) == ("failed", error.as_record(), None, 49)
    assert here.store.outcome(job.id) == status
    assert here.store.entries[job.id].results == {}


def test_a_cancel_in_mid_encode_stops_the_codec_at_its_next_tick(here: MemoryContext) -> None:
    job = here.upload()
    after_the_cancel: list[str] = []
    codec = ScriptedCodec(
        wait(here),
        Progress("encode", 40),
        lambda: conclude.cancel(here.context, here.find(job)),
        wait(here),
        lambda: after_the_cancel.append("still working"),
    )
    assert here.encode(codec) is True
    assert after_the_cancel == []
    assert here.find(job).status.state == "cancelled"
    assert here.history(job)[-2:] == ["running encode 39", "cancelled 39"]
    assert here.store.entries[job.id].results == {}


def test_a_cancel_that_comes_while_the_result_is_stored_wins_or_comes_too_late_but_never_both(here: MemoryContext) -> None:
    job = here.upload()
    here.encode(ScriptedCodec(wait(here), Progress("encode", 100), wait(here)))
    with pytest.raises(errors.AlreadyFinished) as raised:
        conclude.cancel(here.context, here.find(job))
    assert raised.value.params == {"state": "succeeded"}
    assert [each for each in here.store.events if each.startswith("conclude")] == [f"conclude {job.id} succeeded"]


def test_a_cancel_just_before_the_result_is_stored_is_kept(here: MemoryContext) -> None:
    job = here.upload()
    codec = ScriptedCodec()
    convert = codec.convert

    def cancelled_at_the_last_moment(*arguments: object, **more: object) -> object:
        converted = convert(*arguments, **more)  # type: ignore[arg-type]
        conclude.cancel(here.context, here.find(job))
        return converted

    codec.convert = cancelled_at_the_last_moment  # type: ignore[method-assign, assignment]
    here.encode(codec)
    assert here.find(job).status.state == "cancelled"
    outcome = here.store.outcome(job.id)
    assert outcome is not None and outcome.state == "cancelled"


def test_erasing_in_mid_encode_stops_the_codec_and_leaves_nothing(here: MemoryContext) -> None:
    job = here.upload()
    codec = ScriptedCodec(wait(here), lambda: conclude.erase(here.context, here.find(job)), wait(here), Progress("encode", 99), wait(here))
    assert here.encode(codec) is True
    assert here.jobs.find(job.id) is None
    assert here.store.entries == {}
    assert (here.queue.depth(), here.leases.count()) == (0, 0)


def test_a_job_that_was_erased_while_it_waited_is_passed_over(here: MemoryContext) -> None:
    job = here.upload()
    here.store.erase(job.id)
    codec = ScriptedCodec()
    assert here.encode(codec) is True
    assert codec.conversions == []


def pause_ends(here: MemoryContext, seconds: float = LONGEST_PAUSE_S) -> None:
    here.clock.advance(seconds)
    Janitor(here.context, "me").maintain()


@pytest.fixture
def waits(here: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the encoder has waited between two tries, in its own time."""
    waited: list[float] = []

    def wait(seconds: float) -> None:
        here.clock.advance(seconds)
        waited.append(seconds)

    monkeypatch.setattr(encode.time, "sleep", wait)
    return waited


WORLD = [errors.StorageFull(), errors.BackendUnavailable(part="store", retry_after_s=5)]


@pytest.mark.parametrize(
    ("call", "error"),
    [("outcome", WORLD[1]), *((call, error) for call in ("open_source", "create_result", "commit_outcome") for error in WORLD)],
    ids=str,
)
def test_a_store_that_fails_for_a_while_at_any_call_fails_no_job(
    here: MemoryContext, monkeypatch: pytest.MonkeyPatch, waits: list[float], call: str, error: errors.GatewayError
) -> None:
    job = here.upload()
    with monkeypatch.context() as patch:
        patch.setattr(here.store, call, failing(error))
        for _ in range(30):
            assert here.encode() is True
            status = here.find(job).status
            assert (status.state, status.error, here.store.open_files) == ("running", None, set())
            pause_ends(here)
    assert here.encode() is True
    assert (here.find(job).status.state, here.find(job).status.attempt) == ("succeeded", 1)


def failing(error: errors.GatewayError) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("error", WORLD, ids=lambda error: error.code)
def test_a_machine_that_fails_under_the_codec_fails_no_job(here: MemoryContext, error: errors.GatewayError) -> None:
    job = here.upload()
    here.encode(ScriptedCodec(wait(here), Progress("decode", 50), error))
    assert here.find(job).status.state == "running" and here.encode() is False
    pause_ends(here)
    here.encode()
    assert here.find(job).status.state == "succeeded"


def test_the_pause_grows_and_what_waits_for_it_keeps_no_encoder(here: MemoryContext) -> None:
    job, pauses = here.upload(), []
    for _ in range(len(WORLD_PAUSES_S) + 2):
        here.encode(ScriptedCodec(errors.StorageFull()))
        begun = here.clock()
        while here.find(job).status.state != "queued":
            pause_ends(here, 0.25)
        pauses.append(here.clock() - begun)
    assert pauses == [*WORLD_PAUSES_S, WORLD_PAUSES_S[-1], WORLD_PAUSES_S[-1]]
    other = here.upload()
    here.encode(ScriptedCodec(errors.StorageFull()))
    here.encode()
    assert here.find(other).status.state == "succeeded"


def test_a_job_that_is_put_off_can_be_cancelled_at_once(here: MemoryContext) -> None:
    job = here.upload()
    here.encode(ScriptedCodec(errors.StorageFull()))
    conclude.cancel(here.context, here.find(job))
    assert here.find(job).status.state == "cancelled"
    pause_ends(here)
    assert here.encode() is False


def test_what_follows_a_job_that_is_put_off_waits_with_it(here: MemoryContext) -> None:
    here.context = replace(here.context, shares_results=True)
    leader, follower = here.upload(), here.upload()
    here.encode(ScriptedCodec(here.encode, errors.StorageFull()))
    assert {here.find(each).status.state for each in (leader, follower)} == {"running"}
    while here.find(leader).status.state == "running":
        pause_ends(here, 0.25)
    while here.encode():
        pass
    assert {here.find(each).status.state for each in (leader, follower)} == {"succeeded"}


def test_a_result_for_whose_end_there_is_no_room_waits_for_some_and_is_not_converted_twice(here: MemoryContext, waits: list[float]) -> None:
    job, codec = here.upload(), ScriptedCodec()
    real = here.store.commit_outcome

    def full_at_first(job_id: str, status: Status, *, durable: bool = True) -> bool:
        if len(waits) < 3:
            raise errors.StorageFull()
        return real(job_id, status)

    here.store.commit_outcome = full_at_first  # type: ignore[method-assign]
    assert here.encode(codec) is True
    assert here.find(job).status.state == "succeeded"
    assert len(codec.conversions) == 1


@pytest.mark.parametrize(("took_s", "least_s", "most_s"), [(0, 1, LEAST_PATIENCE_S), (20, 15, 20), (500, 50, MOST_PATIENCE_S)])
def test_an_encoder_tries_to_store_for_about_as_long_as_it_took_to_encode(
    here: MemoryContext, waits: list[float], took_s: float, least_s: float, most_s: float
) -> None:
    here.upload()
    here.store.commit_outcome = failing(errors.StorageFull())  # type: ignore[assignment, method-assign]
    here.encode(ScriptedCodec(wait(here, took_s)))
    assert least_s <= sum(waits) <= most_s


def test_an_image_is_not_called_damaged_where_the_store_gave_other_bytes_than_it_had_received(here: MemoryContext) -> None:
    job = here.upload()
    here.store.entries[job.id].source = here.store.entries[job.id].source[:20]
    here.encode(ScriptedCodec(errors.DamagedImage()))
    assert here.find(job).status.state == "running"
    here.store.entries[job.id].source = image()
    pause_ends(here)
    here.encode()
    assert here.find(job).status.state == "succeeded"


@pytest.mark.parametrize("error", [ChildDied("SIGKILL"), ZeroDivisionError()], ids=["child", "bug"])
def test_an_image_over_which_the_codec_dies_each_time_fails_after_so_many_deaths(here: MemoryContext, error: Exception) -> None:
    job = here.upload()
    for _ in range(MAX_ATTEMPTS):
        assert here.find(job).status.state == "queued"
        here.encode(ScriptedCodec(error))
        assert here.store.open_files == set()
        pause_ends(here)
    status = here.find(job).status
    assert status.error == {"code": "internal", "status": 500, "variant": "encoder_lost", "params": {"attempts": MAX_ATTEMPTS}}
    assert here.encode() is False


def test_what_has_ended_in_the_store_is_not_converted_again_whatever_redis_says(here: MemoryContext) -> None:
    job = here.upload()
    here.store.commit_outcome(job.id, cancelled(job.status, here.clock()))
    codec = ScriptedCodec()
    assert here.encode(codec) is True
    assert codec.conversions == []
    assert here.find(job).status.state == "cancelled"


def test_a_job_that_a_rebuild_has_queued_meanwhile_stays_with_its_encoder(here: MemoryContext) -> None:
    job = here.upload()

    def rebuild() -> None:
        here.server.lose_everything()
        assert recover(here.context) == 1

    codec = ScriptedCodec(wait(here), Progress("encode", 30), rebuild, wait(here), Progress("encode", 60), wait(here))
    assert here.encode(codec) is True
    assert here.find(job).status.state == "succeeded"
    assert here.queue.depth() == 0 and len(codec.conversions) == 1


def test_a_redis_that_is_away_stops_no_encode_and_the_end_is_announced_later(here: MemoryContext) -> None:
    job = here.upload()

    def go_down() -> None:
        here.server.is_down = True

    assert here.encode(ScriptedCodec(wait(here), Progress("encode", 10), go_down, wait(here), Progress("encode", 80), wait(here))) is True
    outcome = here.store.outcome(job.id)
    assert outcome is not None and outcome.state == "succeeded"
    here.server.is_down = False
    assert here.find(job).status.state == "running"
    here.clock.advance(LEASE_S + 1)
    Janitor(here.context, "me").maintain()
    assert here.find(job).status == replace(outcome, seq=here.find(job).status.seq)


def test_a_redis_that_began_empty_is_told_of_the_job_again_and_the_encode_goes_on(here: MemoryContext) -> None:
    job = here.upload()
    here.encode(ScriptedCodec(wait(here), Progress("encode", 50), here.server.lose_everything, wait(here), Progress("encode", 60), wait(here)))
    assert here.find(job).status.state == "succeeded"
    assert [each for each in here.store.events if each.startswith("conclude")] == [f"conclude {job.id} succeeded"]


def test_an_encode_whose_job_was_queued_again_by_a_rebuild_gives_way_and_the_job_is_done_once(here: MemoryContext) -> None:
    job = here.upload()

    def restart() -> None:
        here.server.lose_everything()
        recover(here.context)

    here.encode(ScriptedCodec(wait(here), Progress("encode", 50), restart, wait(here), Progress("encode", 60), wait(here)), "first")
    here.encode(ScriptedCodec(), "second")
    assert here.find(job).status.state == "succeeded"
    assert [each for each in here.store.events if each.startswith("conclude")] == [f"conclude {job.id} succeeded"]
    assert here.encode() is False


def test_two_encoders_with_the_same_job_commit_one_result(here: MemoryContext) -> None:
    """The first is thought lost, the second takes over and both come to their end."""
    job = here.upload()

    def taken_over() -> None:
        here.clock.advance(LEASE_S + 1)
        Janitor(here.context, "me").maintain()
        assert here.encode(ScriptedCodec(result=b"RIFF second"), "second") is True

    here.leases.report = _deaf(here)  # type: ignore[method-assign]
    here.encode(ScriptedCodec(taken_over, result=b"RIFF first"), "first")
    status = here.find(job).status
    assert status.result is not None and status.result.file == "result-second.webp"
    assert [each for each in here.store.events if each.startswith("conclude")] == [f"conclude {job.id} succeeded"]
    blob = here.store.open_result(job.id, status.result.file)
    assert blob.read_at(0, 100) == b"RIFF second"
    blob.close()


def _deaf(here: MemoryContext) -> Callable[..., int | None]:
    """An encoder that cannot reach Redis while it works: it does not hear that it was given up."""
    real = here.leases.report

    def report(job_id: str, token: str, patch: dict[str, object], lease_s: float) -> int | None:
        if token == "first":
            raise errors.BackendUnavailable(part="redis", retry_after_s=1)
        return real(job_id, token, patch, lease_s)

    return report


def lose(here: MemoryContext, job: Job, token: str = "dies") -> None:
    """An encoder takes the job and dies; its lease runs out; the janitor looks."""
    claim = here.queue.take(token, LEASE_S)
    assert claim is not None and claim.job.id == job.id
    here.clock.advance(LEASE_S + 0.1)
    Janitor(here.context, "me").maintain()


def test_the_job_of_a_lost_encoder_is_queued_again_and_succeeds(here: MemoryContext) -> None:
    job = here.upload()
    lose(here, job)
    assert here.history(job)[-1] == "queued 0"
    here.encode()
    status = here.find(job).status
    assert (status.state, status.attempt) == ("succeeded", 2)


def test_a_job_over_which_three_encoders_were_lost_succeeds_all_the_same(here: MemoryContext) -> None:
    job = here.upload()
    for _ in range(MAX_LOSSES - 1):
        lose(here, job)
    here.encode()
    assert here.find(job).status.state == "succeeded"


def test_a_job_that_may_take_its_encoders_along_fails_in_the_end_and_says_why(here: MemoryContext) -> None:
    job = here.upload()
    for number in range(MAX_LOSSES):
        assert here.find(job).status.state == "queued"
        lose(here, job, f"dies-{number}")
    status = here.find(job).status
    assert status.error == {"code": "internal", "status": 500, "variant": "encoder_lost", "params": {"attempts": MAX_LOSSES}}
    assert here.store.outcome(job.id) is not None
    assert here.encode() is False


def test_links_that_were_lost_and_came_back_do_not_count(here: MemoryContext) -> None:
    job = here.upload()
    for number in range(3 * MAX_LOSSES):

        def lose_the_link() -> None:
            here.clock.advance(LEASE_S + 0.1)
            Janitor(here.context, "me").maintain()

        here.encode(ScriptedCodec(lose_the_link, wait(here, HEARTBEAT_S)), f"cut-off-{number}")
        assert here.find(job).status.state == "queued"
    here.encode()
    assert (here.find(job).status.state, here.find(job).status.attempt) == ("succeeded", 2)


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0 / 2])
def test_a_clock_that_is_set_anew_costs_no_lease_and_hides_no_progress(here: MemoryContext, jump_s: float) -> None:
    job, reports = here.upload(), []
    real = here.leases.report
    here.leases.report = lambda *given: (reports.append(given[2]), real(*given))[1]  # type: ignore[method-assign]
    steps = [step for number in range(20) for step in (wait(here, 0.5), Progress("encode", 5.0 * number))]
    here.encode(ScriptedCodec(*steps[:10], lambda: here.clock.advance(jump_s), *steps[10:]))
    assert here.find(job).status.state == "succeeded"
    told = [each for each in reports if each]
    assert told[-2]["progress"] >= 60 and all((each["eta_s"] or 0) >= 0 for each in told)  # type: ignore[operator]


def test_a_lease_is_renewed_while_the_store_is_slow(here: MemoryContext) -> None:
    keeper, job = LeaseKeeper(), here.upload()
    real = here.store.open_source

    def slow(job_id: str) -> object:
        for _ in range(60):
            here.clock.advance(HEARTBEAT_S)
            keeper.renew_due()
            Janitor(here.context, "me").maintain()
        return real(job_id)

    here.store.open_source = slow  # type: ignore[assignment, method-assign]
    assert encode_next(here.context, ScriptedCodec(), "token", keeper) == "done"
    assert (here.find(job).status.state, here.find(job).status.attempt) == ("succeeded", 1)


def test_a_working_encoder_keeps_its_job_however_long_it_takes(here: MemoryContext) -> None:
    job = here.upload()
    janitor = Janitor(here.context, "me")
    here.encode(ScriptedCodec(*[step for _ in range(100) for step in (wait(here, 1.0), janitor.maintain)]))
    assert (here.find(job).status.state, here.find(job).status.attempt) == ("succeeded", 1)


def test_a_second_encoder_begins_again_from_zero_and_seq_goes_on(here: MemoryContext) -> None:
    job = here.upload()
    here.server.listeners = lambda _id: 1
    claim = here.queue.take("dies", LEASE_S)
    assert claim is not None
    here.leases.report(job.id, "dies", {"stage": "encode", "progress": 70}, LEASE_S)
    here.clock.advance(LEASE_S + 1)
    Janitor(here.context, "me").maintain()
    here.encode()
    assert here.history(job) == [
        "queued 0",
        "running decode 0",
        "running encode 70",
        "queued 0",
        "running decode 0",
        "running store 99",
        "succeeded 100",
    ]
    assert [each.seq for each in here.changes(job)] == list(range(1, 8))


def test_encoders_take_jobs_fairly(here: MemoryContext) -> None:
    for _ in range(5):
        here.upload(client="crowd")
    single = here.upload(client="single")
    here.encode()
    here.encode()
    assert here.find(single).status.state == "succeeded"


def test_descriptors_are_real_and_closed_after_the_work(here: MemoryContext) -> None:
    here.upload()
    seen: list[int] = []
    codec = ScriptedCodec()
    convert = codec.convert

    def noting(source_fd: int, result_fd: int, *rest: object, **more: object) -> object:
        seen.extend((source_fd, result_fd))
        return convert(source_fd, result_fd, *rest, **more)  # type: ignore[arg-type]

    codec.convert = noting  # type: ignore[method-assign, assignment]
    assert encode_next(here.context, codec, "token")
    for fd in seen:
        with pytest.raises(OSError):
            os.fstat(fd)


def test_the_effort_is_chosen_when_the_encode_begins_and_reaches_the_codec_as_a_number(here: MemoryContext) -> None:
    for client in ("a", "b", "c"):
        here.upload(client=client, options=Options(method="auto"))
    codec = ScriptedCodec()
    while here.encode(codec):
        pass
    assert [(each.options.method, each.chosen_method) for each in codec.conversions] == [(EASED, EASED), (EASED, EASED), (FULL, FULL)]
    assert [each.is_busy for each in codec.conversions] == [True, True, False]


def test_a_number_reaches_the_codec_as_it_was_given_however_many_wait(here: MemoryContext) -> None:
    for method in (6, 0, 4):
        here.upload(client=str(method), options=Options(method=method))
    codec = ScriptedCodec()
    while here.encode(codec):
        pass
    assert [(each.options.method, each.chosen_method) for each in codec.conversions] == [(6, None), (0, None), (4, None)]


def test_a_job_that_is_tried_again_gets_the_effort_of_its_new_hour(here: MemoryContext) -> None:
    job, _other = here.upload(options=Options(method="auto")), here.upload(client="other")
    killed, next_time = ScriptedCodec(ChildDied("SIGKILL")), ScriptedCodec()
    here.encode(killed)
    here.encode()
    pause_ends(here)
    here.encode(next_time)
    assert here.find(job).status.state == "succeeded"
    assert [each.conversions[0].chosen_method for each in (killed, next_time)] == [EASED, FULL]
