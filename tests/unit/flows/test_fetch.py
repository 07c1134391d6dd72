"""Fetch: a job whose source lies on another server, to its end, through kills, cancels and bad answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from backend import errors
from backend.core.job import Job
from backend.core.limits import Limits
from backend.core.options import Options
from backend.core.pauses import WORLD_PAUSES_S
from backend.core.public_job import public
from backend.flows import conclude, deliver, ingest
from backend.flows.fetch import LEASE_S, MAX_FETCHES, MAX_HANDED_BACK, Fetcher
from backend.flows.maintenance import Janitor
from tests.fakes.codec import ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.samples import READER, image
from tests.fakes.sources import MemoryDownload, MemorySources

PNG = image()
URL = "https://example.org/pictures/cat.png"
SENDER = ingest.Sender("", "someone", "request-1")


class Here(MemoryContext):
    """Calls that would run beside wait until ``run`` is called."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sources = MemorySources()
        self.waiting: list[Callable[[], None]] = []
        self.fetcher = Fetcher(self.context, self.sources, self.waiting.append)

    def order(self, *steps: bytes | errors.GatewayError | Callable[[], None], options: Options = Options(), size_bytes: int | None = None) -> Job:
        self.sources.answers[URL] = MemoryDownload(list(steps), size_bytes=size_bytes)
        return self.fetcher.order(URL, options, SENDER)

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    def left_open(self) -> bool:
        return any(each.is_open for each in self.sources.answers.values()) or bool(self.store.incoming)


class ProcessLost(BaseException):
    """Ends everything at once, as a killed process does."""


def lose_the_process() -> None:
    raise ProcessLost


@pytest.fixture
def here() -> Iterator[Here]:
    made = Here()
    yield made
    made.close()


def test_a_job_is_there_before_its_source_and_becomes_like_any_other(here: Here) -> None:
    job = here.order(PNG)
    shown = public(job, READER)
    assert (shown["state"], shown["source"]) == (
        "queued",
        {"filename": "cat.png", "bytes": None, "format": None, "width": None, "height": None, "frames": None},
    )
    assert here.encode() is False
    here.run()
    assert here.encode() is True
    shown = public(here.find(job), READER)
    assert (shown["state"], shown["source"]["bytes"], shown["source"]["format"]) == ("succeeded", len(PNG), "png")
    assert here.store.manifest(job.id).source.sha256 and not here.left_open()


def test_fetching_is_the_first_part_of_the_progress(here: Here) -> None:
    def wait() -> None:
        here.clock.advance(0.3)

    job = here.order(wait, PNG[:30], wait, PNG[30:60], wait, PNG[60:], size_bytes=len(PNG))
    here.run()
    here.encode(ScriptedCodec())
    percents = [each.progress for each in here.changes(job)]
    assert percents == sorted(percents) and percents[0] == 0 and percents[-1] == 100
    assert any(0 < each <= 10 for each in percents)


def test_watchers_see_the_source_as_soon_as_it_is_known(here: Here) -> None:
    job, seen = here.order(PNG), []
    here.follower.follow(job.id, lambda now: seen.append(public(now, READER)["source"]["format"]))
    here.run()
    here.encode()
    assert seen[0] == "png" and seen[-1] == "png"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([errors.BadRequest("url_unreachable")], "bad_request"),
        ([b"hello, this is no image"], "unsupported_format"),
        ([], "empty_file"),
        ([PNG[:20]], "damaged_image"),
        ([PNG, bytes(3000)], "too_large"),
    ],
)
def test_what_cannot_be_fetched_fails_with_the_code_of_an_upload(steps: list[bytes], code: str) -> None:
    here = Here(rules={"limits": Limits(upload_bytes=2000)})
    job = here.order(*steps)
    here.run()
    status = here.find(job).status
    assert status.state == "failed" and status.error is not None and status.error["code"] == code
    assert not here.left_open()
    here.close()


def test_a_stated_size_beyond_the_limit_is_refused_before_a_byte(here: Here) -> None:
    job = here.order(PNG, size_bytes=1 << 40)
    here.run()
    assert (here.find(job).status.error or {})["code"] == "too_large"


def test_an_address_that_may_not_be_asked_makes_no_job(here: Here) -> None:
    with pytest.raises(errors.BadRequest):
        here.fetcher.order("http://inside/cat.png", Options(), SENDER)
    assert not here.store.entries


def test_a_cancel_ends_the_download(here: Here) -> None:
    job = here.order(PNG[:40], lambda: here.clock.advance(1), lambda: conclude.cancel(here.context, here.find(job)) and None, PNG[40:])
    here.run()
    assert here.find(job).status.state == "cancelled"
    assert here.encode() is False and not here.left_open()


def test_an_erased_job_takes_its_download_along(here: Here) -> None:
    job = here.order(PNG[:40], lambda: here.clock.advance(1), lambda: conclude.erase(here.context, here.find(job)), PNG[40:])
    here.run()
    assert job.id not in here.store.entries and here.jobs.find(job.id) is None and not here.left_open()


def test_before_the_source_is_there_nobody_can_have_it_or_convert_it_again(here: Here) -> None:
    job = here.order(PNG)
    with pytest.raises(errors.NotReady):
        deliver.source(here.context, job)
    with pytest.raises(errors.NotReady):
        ingest.retry(here.context, job, Options(), SENDER)


def test_when_the_one_who_fetches_dies_another_begins_again(here: Here) -> None:
    job = here.order(PNG)
    here.waiting.clear()
    janitor = Janitor(here.context, "me", here.fetcher)
    janitor.maintain()
    assert not here.waiting
    here.clock.advance(LEASE_S + 1)
    janitor.maintain()
    here.run()
    here.encode()
    assert here.find(job).status.state == "succeeded"


def test_a_fetch_over_which_so_many_processes_were_lost_fails(here: Here) -> None:
    janitor = Janitor(here.context, "me", here.fetcher)
    job = here.order(lose_the_process)
    for _ in range(MAX_FETCHES):
        with pytest.raises(ProcessLost):
            here.run()
        here.clock.advance(LEASE_S + 1)
        janitor.maintain()
    assert not here.waiting
    status = here.find(job).status
    assert (status.state, status.error) == (
        "failed",
        {"code": "internal", "status": 500, "variant": "fetch_lost", "params": {"attempts": MAX_FETCHES}},
    )


@pytest.mark.parametrize(
    "failure",
    [errors.StorageFull(), errors.BackendUnavailable(part="store"), OSError(24, "Too many open files")],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("call", ["create_upload", "attach_source"])
def test_what_fails_on_this_side_fails_no_fetch_however_often(here: Here, monkeypatch: pytest.MonkeyPatch, failure: Exception, call: str) -> None:
    janitor, job = Janitor(here.context, "me", here.fetcher), here.order(PNG)

    def fail(*_: object) -> object:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(here.store, call, fail)
        for _ in range(2 * MAX_FETCHES):
            here.run()
            assert here.find(job).status.state == "queued" and not here.left_open()
            here.clock.advance(max(WORLD_PAUSES_S))
            janitor.maintain()
    here.run()
    here.encode()
    assert here.find(job).status.state == "succeeded"


def test_an_address_that_the_client_chose_and_that_fails_is_not_asked_again(here: Here) -> None:
    job = here.order(errors.BadRequest("url_unreachable"))
    here.run()
    assert (here.find(job).status.state, len(here.sources.asked)) == ("failed", 1)


def test_a_job_that_only_waited_is_fetched_however_many_processes_were_lost(here: Here) -> None:
    job = here.order(PNG)
    for _ in range(5):
        here.waiting.clear()
        here.clock.advance(LEASE_S + 1)
        Janitor(here.context, "me", here.fetcher).maintain()
    here.run()
    assert not here.find(job).manifest.is_awaited


def test_a_process_that_ends_as_it_should_hands_its_fetches_back(here: Here) -> None:
    janitor = Janitor(here.context, "me", here.fetcher)

    def end() -> None:
        here.fetcher.hand_back()
        lose_the_process()

    job = here.order(end)
    for _ in range(MAX_HANDED_BACK):
        with pytest.raises(ProcessLost):
            here.run()
        janitor.maintain()
    here.sources.answers[URL] = MemoryDownload([PNG])
    here.run()
    assert not here.find(job).manifest.is_awaited


def test_a_fetch_counts_as_begun_once_when_redis_is_lost_with_it(here: Here) -> None:
    job = here.order(lose_the_process)
    janitor = Janitor(here.context, "me", here.fetcher)
    with pytest.raises(ProcessLost):
        here.run()
    here.server.lose_everything()
    janitor.maintain()
    janitor.maintain()
    for _ in range(MAX_FETCHES - 1):
        assert here.find(job).status.state == "queued"
        with pytest.raises(ProcessLost):
            here.run()
        here.clock.advance(LEASE_S + 1)
        janitor.maintain()
    assert here.find(job).status.state == "failed"


def test_who_was_given_up_too_soon_does_not_disturb_the_other(here: Here) -> None:
    job = here.order(PNG)
    late = here.waiting.pop()
    here.clock.advance(LEASE_S + 1)
    Janitor(here.context, "me", here.fetcher).maintain()
    late()
    assert here.find(job).manifest.is_awaited
    here.run()
    assert not here.find(job).manifest.is_awaited


@pytest.mark.parametrize("is_there", [False, True])
def test_a_lost_redis_costs_no_job(here: Here, is_there: bool) -> None:
    job = here.order(PNG)
    if is_there:
        here.run()
    here.waiting.clear()
    here.server.lose_everything()
    janitor = Janitor(here.context, "me", here.fetcher)
    here.clock.advance(1)
    janitor.maintain()
    janitor.maintain()
    here.run()
    here.encode()
    assert here.find(job).status.state == "succeeded"


def test_an_unreachable_redis_stops_no_download(here: Here) -> None:
    job = here.order(PNG[:40], lambda: setattr(here.server, "is_down", True), PNG[40:])
    here.run()
    assert not here.store.manifest(job.id).is_awaited
    here.server.is_down = False
    here.clock.advance(LEASE_S + 1)
    Janitor(here.context, "me", here.fetcher).maintain()
    assert here.encode() is True


def test_jobs_that_are_fetched_count_as_waiting() -> None:
    here = Here(rules={"max_queued_jobs": 2})
    here.order(PNG)
    here.order(PNG)
    with pytest.raises(errors.QueueFull):
        here.order(PNG)
    assert len(here.store.entries) == 2
    here.close()
