"""A job's watermark: whose name it is, who shares an encode, and what becomes of a job whose mark is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from backend import errors
from backend.core.options import Options
from backend.core.pauses import WORLD_PAUSES_S
from backend.core.public_job import public
from backend.core.watermark import Placement, Watermark
from backend.flows import watermarks
from backend.flows.fetch import Fetcher
from backend.flows.ingest import Sender
from backend.flows.maintenance import Janitor
from tests.fakes.codec import ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.samples import READER, image
from tests.fakes.sources import MemoryDownload, MemorySources
from tests.fakes.watermarks import MemoryWatermarks

URL = "https://example.org/cat.png"
LOGO = Options(watermark="logo")


@pytest.fixture
def marks() -> MemoryWatermarks:
    return MemoryWatermarks(logo=Watermark(Placement(), b"PNG", "1"), 水印=Watermark(Placement(), b"PNG", "2"))


@pytest.fixture
def here(marks: MemoryWatermarks) -> Iterator[MemoryContext]:
    made = MemoryContext(rules={"shares_results": True, "watermarks": marks})
    yield made
    assert list(made.store.open_files) == []
    made.close()


def refused(context: Any, name: str) -> errors.InvalidOption:
    with pytest.raises(errors.InvalidOption) as raised:
        watermarks.check(context, Options(watermark=name))
    return raised.value


def test_a_name_that_the_operator_did_not_give_is_refused_with_those_that_there_are(here: MemoryContext) -> None:
    for name in ("logo", "水印"):
        watermarks.check(here.context, Options(watermark=name))
    watermarks.check(here.context, Options())
    assert refused(here.context, "lgo").params == {"option": "watermark", "value": "lgo", "accepted": "logo, 水印", "suggestion": "logo"}
    for name in ("/etc/passwd", "../../x", "x"):
        assert "suggestion" not in refused(here.context, name).params


def test_of_many_names_some_are_told(here: MemoryContext, marks: MemoryWatermarks) -> None:
    marks.known |= {f"mark {number}": Watermark(Placement(), b"", str(number)) for number in range(200)}
    assert refused(here.context, "?").params["accepted"].count(",") == watermarks.SHOWN_NAMES


def test_without_a_folder_there_are_none() -> None:
    here = MemoryContext()
    assert refused(here.context, "logo").variant == "no_watermarks"
    assert watermarks.offered(here.context) == ()
    here.close()


def test_the_codec_is_given_the_mark(here: MemoryContext, marks: MemoryWatermarks) -> None:
    codec = ScriptedCodec()
    here.upload(options=LOGO), here.upload()
    while here.encode(codec):
        pass
    assert [each.watermark for each in codec.conversions] == [marks.known["logo"], None]


def test_only_jobs_with_the_same_mark_share_an_encode(here: MemoryContext, marks: MemoryWatermarks) -> None:
    here.upload(options=LOGO)
    here.encode()
    assert here.upload(options=LOGO).status.state == "succeeded"
    assert here.upload(options=Options(watermark="水印")).status.state == "queued"
    assert here.upload().status.state == "queued"
    marks.known["logo"] = Watermark(Placement(), b"another", "3")
    assert here.upload(options=LOGO).status.state == "queued"


def test_a_result_with_a_mark_that_was_exchanged_meanwhile_is_shared_with_nobody_else(here: MemoryContext, marks: MemoryWatermarks) -> None:
    """The job was taken with one mark and encoded with another; then the operator put the first one back."""
    first = marks.known["logo"]
    job = here.upload(options=LOGO)
    marks.known["logo"] = Watermark(Placement(), b"a mistake", "9")
    here.encode()
    assert here.find(job).status.state == "succeeded"
    marks.known["logo"] = first
    codec, again = ScriptedCodec(), here.upload(options=LOGO)
    assert again.status.state == "queued"
    here.encode(codec)
    assert codec.conversions[0].watermark == first
    assert here.upload(options=LOGO).status.state == "succeeded"


def test_no_client_learns_a_marks_digest(here: MemoryContext) -> None:
    job = here.upload(options=LOGO)
    here.encode()
    result = here.find(job).status.result
    assert result is not None and result.facts["watermark"] == "1"
    assert "watermark" not in public(here.find(job), READER)["result"]


def test_each_of_several_results_says_which_mark_it_has(here: MemoryContext, marks: MemoryWatermarks) -> None:
    asked = Options(watermark="logo", widths="8,4", formats="webp,png")
    job = here.upload(options=asked)
    here.encode()
    status = here.find(job).status
    assert [each.facts["watermark"] for each in status.results] == ["1"] * 4
    assert here.upload(options=asked).status.state == "succeeded"
    marks.known["logo"] = Watermark(Placement(), b"another", "3")
    assert here.upload(options=asked).status.state == "queued"


def test_jobs_without_a_mark_have_the_keys_of_before(here: MemoryContext) -> None:
    """Those of other releases share with them."""
    apart = MemoryContext(rules={"shares_results": True})
    assert apart.upload().manifest.work_key == here.upload().manifest.work_key
    apart.close()


def test_the_record_has_the_name_alone_and_an_older_encoder_leaves_the_job_alone(here: MemoryContext) -> None:
    manifest = here.upload(options=LOGO).manifest
    assert manifest.needs == 3 and '"watermark":"logo"' in manifest.to_json() and "PNG" not in manifest.to_json()
    assert replace(manifest, options=Options()).to_json().count("watermark") == 0


def test_a_job_whose_mark_is_gone_waits_until_it_is_back(here: MemoryContext, marks: MemoryWatermarks) -> None:
    job = here.upload(options=LOGO)
    mark = marks.known.pop("logo")
    codec = ScriptedCodec()
    here.encode(codec)
    assert here.find(job).status.state == "running" and not codec.conversions
    marks.known["logo"] = mark
    here.clock.advance(max(WORLD_PAUSES_S))
    Janitor(here.context, "me").maintain()
    here.encode(codec)
    assert here.find(job).status.state == "succeeded"


def test_a_mark_that_cannot_be_decoded_ends_no_job(here: MemoryContext) -> None:
    job = here.upload(options=LOGO)
    here.encode(ScriptedCodec(errors.BackendUnavailable(part="watermarks", retry_after_s=5)))
    assert here.find(job).status.state == "running"


def test_nothing_is_taken_while_the_mark_cannot_be_read(here: MemoryContext, marks: MemoryWatermarks) -> None:
    del marks.known["logo"]
    with pytest.raises(errors.BackendUnavailable) as raised:
        here.upload(options=LOGO)
    assert raised.value.params["part"] == "watermarks"
    assert here.store.entries == {}


def test_a_machine_without_the_folder_leaves_the_job_to_others(here: MemoryContext) -> None:
    with pytest.raises(errors.BackendUnavailable) as raised:
        watermarks.read(replace(here.context, watermarks=None), LOGO)
    assert "GATEWAY_WATERMARKS_DIR" in raised.value.private


def test_what_is_fetched_shares_by_its_mark_too(here: MemoryContext) -> None:
    sources = MemorySources()
    fetcher = Fetcher(here.context, sources, lambda call: call())
    keys = set()
    for name in ("logo", "水印"):
        sources.answers[URL] = MemoryDownload([image()])
        keys.add(here.find(fetcher.order(URL, Options(watermark=name), Sender())).manifest.work_key)
    assert len(keys) == 2 and "" not in keys


def test_a_fetch_whose_mark_is_gone_is_put_off(here: MemoryContext, marks: MemoryWatermarks) -> None:
    sources = MemorySources({URL: MemoryDownload([image()])})
    waiting: list[Callable[[], None]] = []
    job = Fetcher(here.context, sources, waiting.append).order(URL, LOGO, Sender())
    del marks.known["logo"]
    waiting.pop()()
    assert here.find(job).status.state == "queued" and here.find(job).manifest.is_awaited
