"""Several results of one job: which they are, what is refused, and what the Job shows of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend import errors
from backend.core import options
from backend.core.job import Job, Manifest, Result, Source, Status, succeeded
from backend.core.options import Options
from backend.core.protocol import NEWEST
from backend.core.public_job import public
from backend.core.reader import Reader
from backend.core.variants import variants
from backend.texts.problems import problem

READER = Reader("en", problem, "/images", "https://example.com")


def parsed(**given: Any) -> Options:
    return options.parse(given.items())


def job_of(asked: Options, *results: Result, state: str = "running") -> Job:
    source = Source("cat.png", 10_000, "ab" * 32, "png", 1000, 500, 1)
    manifest = Manifest("4k6Zr0m1x8uQyB5w2TnHcA", source, asked, 1.0, 2.0)
    return Job(manifest, Status(seq=5, state=state, results=results))  # type: ignore[arg-type]


def result(number: int, width: int, output_format: str) -> Result:
    return Result(f"result-t-{number}.webp", 900, f"{number:064}", width, width // 2, 1, output_format, number=number)


def test_format_by_format_each_in_the_order_of_the_widths() -> None:
    made = [(each.format, each.width) for each in variants(parsed(widths="640,320", formats="jpeg,webp"))]
    assert made == [("jpeg", 640), ("jpeg", 320), ("webp", 640), ("webp", 320)]


def test_widths_alone_are_of_the_one_format_and_formats_alone_of_the_one_size() -> None:
    assert [(each.format, each.width) for each in variants(parsed(widths="5,6", format="png"))] == [("png", 5), ("png", 6)]
    assert [(each.format, each.width) for each in variants(parsed(formats="png,avif", width=7))] == [("png", 7), ("avif", 7)]


def test_each_variant_is_what_would_be_asked_for_alone() -> None:
    asked = parsed(widths="320", formats="jpeg,avif", quality=70, progressive="false", speed=8, sharpen=1, height=100, fit="cover")
    for each in variants(asked):
        alone = options.parse([(name, value) for name, value in each.chosen().items()])
        assert alone == each
        assert not each.is_several
    assert [each.speed for each in variants(asked)] == [6, 8]


def test_a_plain_job_has_its_own_options_alone() -> None:
    plain = Options(quality=3)
    assert variants(plain) == (plain,) and not plain.is_several


@pytest.mark.parametrize(
    "given", [{"widths": "1,2", "width": 5}, {"formats": "webp", "format": "png"}, {"formats": "webp,jpeg", "format": "auto"}], ids=str
)
def test_one_and_several_exclude_each_other(given: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidOption) as refused:
        parsed(**given)
    assert refused.value.variant == "combination"


def test_an_option_counts_where_one_of_the_formats_has_it() -> None:
    assert parsed(formats="png,jpeg", progressive=True).progressive
    with pytest.raises(errors.InvalidOption) as refused:
        parsed(formats="png,jpeg", speed=3)
    assert refused.value.variant == "not_for_format" and refused.value.params["format"] == "png, jpeg"


def test_a_side_must_be_possible_in_every_format() -> None:
    assert parsed(formats="png,jpeg", height=60000).height == 60000
    with pytest.raises(errors.InvalidOption):
        parsed(formats="png,webp", height=60000)


def test_an_encoder_of_the_release_before_gets_no_such_job() -> None:
    assert options.needs(parsed(widths="5")) == options.needs(parsed(formats="webp")) == NEWEST


def test_one_answer_is_one_result() -> None:
    for given in ({"widths": "5"}, {"formats": "webp"}):
        with pytest.raises(errors.InvalidOption) as refused:
            options.check_single(parsed(**given))
        assert refused.value.variant == "only_in_jobs"
    options.check_single(Options())


def test_the_job_shows_what_is_ready() -> None:
    asked = parsed(widths="320,640", formats="avif,webp")
    shown = public(job_of(asked, result(1, 640, "avif"), result(2, 320, "webp")), READER)
    assert [(each["format"], each["width"], each["url"]) for each in shown["results"]] == [
        ("avif", 640, "/images/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result?width=640&format=avif"),
        ("webp", 320, "/images/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result?width=320&format=webp"),
    ]
    assert shown["result"] is None
    assert shown["links"]["archive"] == "/images/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/archive.zip"
    base = "https://example.com/images/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result"
    assert shown["srcset"] == {"avif": f"{base}?width=640&format=avif 640w", "webp": f"{base}?width=320&format=webp 320w"}
    assert shown["progress_is"] == "estimated"


def test_srcset_has_each_width_once_the_narrowest_first() -> None:
    asked = parsed(widths="4000,640,3000")
    results = result(0, 1000, "webp"), result(1, 640, "webp"), result(2, 1000, "webp")
    shown = public(job_of(asked, *results), Reader("en", problem))
    base = "/api/jobs/4k6Zr0m1x8uQyB5w2TnHcA/result"
    assert shown["srcset"] == {"webp": f"{base}?width=640 640w, {base}?width=4000 1000w"}
    assert len(shown["results"]) == 3


def test_a_plain_job_shows_one_result_as_before() -> None:
    shown = public(job_of(Options()), READER)
    assert not {"results", "srcset"} & shown.keys() and "archive" not in shown["links"]


def test_a_record_keeps_them_and_a_plain_one_says_nothing_of_them() -> None:
    results = result(0, 640, "avif"), result(1, 320, "avif")
    status = succeeded(Status(seq=3, state="running"), results[0], 5.0, results)
    assert Status.from_json(status.to_json()) == status
    assert status.files == {"result-t-0.webp", "result-t-1.webp"}
    plain = succeeded(Status(), results[0], 5.0)
    assert "results" not in plain.to_json() and "number" not in plain.to_json()
    asked = Manifest("id", Source("a", 1, "ab" * 32, "png", 1, 1, 1), parsed(widths="5,6"), 1.0, 2.0)
    assert Manifest.from_json(asked.to_json()) == asked
    assert replace(asked, options=Options()).to_json().count("widths") == 0
