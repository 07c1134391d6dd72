"""Conclude: cancel, erase and end, with the store first and Redis afterwards."""

from __future__ import annotations

import pytest

from backend import errors
from backend.core.job import Result, Status, cancelled, succeeded
from backend.flows import deliver
from backend.flows.conclude import cancel, conclude, erase
from backend.flows.find_job import SEQ_MARGIN, find
from backend.flows.finish import finish
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.context import MemoryContext

RESULT_KEPT = Result("result-token.webp", 10, "ab" * 32, 16, 12, 1)


def test_a_waiting_job_is_cancelled_at_once(here: MemoryContext) -> None:
    job = here.upload()
    ended = cancel(here.context, here.find(job))
    assert (ended.status.state, ended.status.seq, ended.status.finished_at) == ("cancelled", 2, here.clock())
    assert here.store.outcome(job.id) is not None
    assert here.encode() is False


def test_what_has_ended_cannot_be_cancelled(here: MemoryContext) -> None:
    job = here.upload()
    here.encode()
    for _ in range(2):
        with pytest.raises(errors.AlreadyFinished) as raised:
            cancel(here.context, here.find(job))
        assert raised.value.params == {"state": "succeeded"}


def test_a_cancel_that_looked_too_early_is_told_how_the_job_really_ended(here: MemoryContext) -> None:
    job = here.upload()
    seen_before = here.find(job)
    here.encode()
    with pytest.raises(errors.AlreadyFinished) as raised:
        cancel(here.context, seen_before)
    assert raised.value.params == {"state": "succeeded"}


def test_cancelling_twice_says_so(here: MemoryContext) -> None:
    job = here.upload()
    cancel(here.context, here.find(job))
    with pytest.raises(errors.AlreadyFinished):
        cancel(here.context, here.find(job))


def test_a_cancel_without_redis_is_durable(here: MemoryContext) -> None:
    job = here.upload()
    here.server.is_down = True
    assert cancel(here.context, find(here.context, job.id)).status.state == "cancelled"
    here.server.is_down = False
    assert here.find(job).status.state == "queued"
    here.server.lose_everything()
    assert find(here.context, job.id).status.state == "cancelled"


def test_an_encoder_cannot_undo_a_cancel_of_which_redis_never_heard(here: MemoryContext) -> None:
    job = here.upload()
    here.server.is_down = True
    cancel(here.context, find(here.context, job.id))
    here.server.is_down = False
    here.encode()
    assert here.find(job).status.state == "cancelled"
    outcome = here.store.outcome(job.id)
    assert outcome is not None and outcome.state == "cancelled"


def test_an_erased_job_is_gone_everywhere(here: MemoryContext) -> None:
    job = here.upload()
    erase(here.context, job)
    assert here.store.entries == {} and here.jobs.find(job.id) is None
    with pytest.raises(errors.NotFound):
        find(here.context, job.id)
    erase(here.context, job)


def test_a_job_that_is_erased_without_redis_does_not_come_back(here: MemoryContext) -> None:
    job = here.upload()
    here.server.is_down = True
    erase(here.context, job)
    here.server.is_down = False
    here.encode()
    assert here.store.entries == {}
    here.clock.advance(100_000)
    from backend.flows.maintenance import Janitor

    Janitor(here.context, "me").maintain()
    assert here.jobs.find(job.id) is None


def test_the_end_of_an_erased_job_is_not_found(here: MemoryContext) -> None:
    job = here.upload()
    here.store.erase(job.id)
    with pytest.raises(errors.NotFound):
        conclude(here.context, job.at(cancelled(job.status, 1.0)))


def test_an_ended_job_is_found_in_the_store_when_redis_lost_it_and_seems_newer_than_before(here: MemoryContext) -> None:
    job = here.upload()
    here.encode()
    before = here.find(job).status
    here.server.lose_everything()
    found = find(here.context, job.id)
    assert (found.status.state, found.status.result) == ("succeeded", before.result)
    assert found.status.seq > before.seq
    assert found.status.seq <= before.seq + SEQ_MARGIN
    assert here.find(job).status == found.status


def test_a_waiting_job_is_found_in_the_store_when_redis_is_away(here: MemoryContext) -> None:
    job = here.upload()
    here.server.is_down = True
    assert find(here.context, job.id).status.state == "queued"


@pytest.mark.parametrize("job_id", ["", "x", "a" * 23, "../../../etc/passwd---", "job-00000000000000001\n", "é" * 22])
def test_what_can_be_no_id_is_told_by_its_form_alone(here: MemoryContext, job_id: str) -> None:
    with pytest.raises(errors.NotFound) as raised:
        find(here.context, job_id)
    assert raised.value.as_record()["params"] == {"id": job_id, "letters": 22, "given": len(job_id)}


def test_an_id_of_nothing_and_one_of_an_expired_job_look_the_same(here: MemoryContext) -> None:
    job = here.upload()
    here.clock.advance(here.context.retention_s + 1)
    for job_id in ("0" * 22, job.id):
        with pytest.raises(errors.NotFound) as raised:
            find(here.context, job_id)
        assert raised.value.as_record() == errors.NotFound().as_record()


def test_another_owners_job_is_not_found(here: MemoryContext) -> None:
    job = here.upload(owner="one")
    assert find(here.context, job.id, "one").id == job.id
    for owner in ("", "two"):
        with pytest.raises(errors.NotFound):
            find(here.context, job.id, owner)


def test_an_expired_job_is_not_found_even_before_it_is_erased(here: MemoryContext) -> None:
    job = here.upload()
    here.clock.advance(86_399)
    assert find(here.context, job.id).id == job.id
    here.clock.advance(1)
    with pytest.raises(errors.NotFound):
        find(here.context, job.id)


def test_the_result_is_delivered_once_the_job_has_succeeded_and_not_before(here: MemoryContext) -> None:
    job = here.upload()
    with pytest.raises(errors.NotReady) as not_ready:
        deliver.result(here.context, here.find(job))
    assert not_ready.value.params == {"state": "queued"}
    here.encode()
    known, blob = deliver.result(here.context, here.find(job))
    assert blob.read_at(0, known.bytes + 100) == RESULT
    blob.close()


def test_there_is_no_result_of_a_job_that_did_not_succeed(here: MemoryContext) -> None:
    job = here.upload()
    cancel(here.context, here.find(job))
    with pytest.raises(errors.Gone) as raised:
        deliver.result(here.context, here.find(job))
    assert (raised.value.variant, raised.value.params) == ("state", {"state": "cancelled"})


def test_a_result_whose_bytes_are_gone_says_so(here: MemoryContext) -> None:
    job = here.upload()
    here.encode()
    here.store.entries[job.id].results.clear()
    with pytest.raises(errors.Gone):
        deliver.result(here.context, here.find(job))


def test_the_source_is_delivered_in_every_state(here: MemoryContext) -> None:
    job = here.upload()
    blob = deliver.source(here.context, job)
    assert blob.size_bytes == job.manifest.source.bytes
    blob.close()


def test_of_an_ephemeral_job_that_went_well_only_redis_is_told(here: MemoryContext) -> None:
    job = here.upload(is_ephemeral=True)
    here.encode()
    ended = here.find(job)
    assert ended.status.state == "succeeded" and here.store.outcome(job.id) is None
    deliver.result(here.context, ended)[1].close()


def test_an_ephemeral_end_that_redis_lost_costs_another_encode_and_nothing_else(here: MemoryContext) -> None:
    job = here.upload(is_ephemeral=True)
    here.encode()
    here.server.lose_everything()
    here.queue.enqueue(job, limit=None)
    assert here.encode() and here.find(job).status.state == "succeeded"
    deliver.result(here.context, here.find(job))[1].close()


@pytest.mark.parametrize("is_down", [True, False])
def test_an_ephemeral_end_of_which_redis_cannot_be_told_is_written_down(here: MemoryContext, is_down: bool) -> None:
    """It is out of reach, or knows nothing of the job."""
    job = here.upload(is_ephemeral=True)

    def end(job_id: str) -> None:
        here.server.is_down = is_down
        if not is_down:
            here.server.lose_everything()

    codec = ScriptedCodec(lambda: end(job.id))
    here.encode(codec)
    outcome = here.store.outcome(job.id)
    assert outcome is not None and outcome.state == "succeeded"


def test_an_ephemeral_job_that_was_erased_meanwhile_is_not_made_known_again(here: MemoryContext) -> None:
    job = here.upload(is_ephemeral=True)
    running = here.queue.take("token", 4.0)
    assert running is not None
    erase(here.context, job)
    ended = job.at(succeeded(running.job.status, RESULT_KEPT, 1.0))
    with pytest.raises(errors.NotFound):
        finish(here.context, ended, "token")
    assert here.jobs.find(job.id) is None


def test_an_ephemeral_job_with_a_follower_is_written_down_before_either_end_is_announced() -> None:
    here = MemoryContext(rules={"shares_results": True})
    job, late = here.upload(is_ephemeral=True), []
    ends: list[tuple[str, bool]] = []

    def another() -> None:
        late.append(here.upload())
        assert here.encode() is False
        here.server.publish = note

    def note(job_id: str, text: str) -> None:
        if Status.from_json(text).has_ended:
            ends.append((job_id, here.store.outcome(job.id) is not None))

    assert here.encode(ScriptedCodec(another)) is True
    assert ends == [(late[0].id, True), (job.id, True)]
    assert here.find(job).status.state == here.find(late[0]).status.state == "succeeded"
    here.close()
