"""Every error has its sentences, and every place that raises one fills them."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import errors, texts
from backend.errors import BY_CODE, GatewayError
from backend.texts.problems import details_of, problem
from tests.unit.texts.used import AT_THE_EDGE, PARTS_OF_A_CODE, keywords, placeholders, raised, variant_of

RAISED = list(raised())
ENGLISH = texts.sentences("en")
DETAILS = [key for key in ENGLISH if key.startswith("errors.") and key.endswith(".detail")]


@pytest.mark.parametrize("key", DETAILS)
@pytest.mark.parametrize("language", texts.languages())
def test_every_text_is_whole(key: str, language: str) -> None:
    title, detail = (texts.sentences(language).get(f"{key.rpartition('.')[0]}.{part}", "-") for part in ("title", "detail"))
    assert title.strip() and detail.strip()
    assert detail[-1] in ".?。？"
    assert language != "zh-CN" or re.search(r"[\u4e00-\u9fff]", detail)


@pytest.mark.parametrize("code", BY_CODE)
def test_every_code_has_every_part(code: str) -> None:
    assert {key for key in ENGLISH if re.fullmatch(rf"errors\.{code}\.\w+", key)} == {f"errors.{code}.{part}" for part in PARTS_OF_A_CODE}


def test_every_text_has_a_code() -> None:
    assert {key.split(".")[1] for key in ENGLISH if key.startswith("errors.")} == set(BY_CODE)


def test_the_scan_finds_the_raise_sites() -> None:
    assert len(RAISED) > 40
    elsewhere = {"offset_mismatch", "encode_timeout", "damaged_image"}
    assert {kind.code for _, kind, _ in RAISED} >= set(BY_CODE) - elsewhere


@pytest.mark.parametrize(("place", "kind", "call"), RAISED, ids=[f"{place} {kind.__name__}" for place, kind, _ in RAISED])
def test_what_is_raised_has_its_text_and_fills_it(place: str, kind: type[GatewayError], call: ast.Call) -> None:
    variant = variant_of(call)
    key = f"errors.{kind.code}.{variant}.detail" if variant else f"errors.{kind.code}.detail"
    assert key in ENGLISH, f"{place} raises {key}, which has no text"
    given = keywords(call)
    if given is None or kind is GatewayError:
        return
    assert placeholders(ENGLISH[key]) <= given | AT_THE_EDGE, f"{place} leaves placeholders of {key} empty"


def test_a_problem_is_the_rfcs_object() -> None:
    error = errors.InvalidOption(option="quality", value="101", accepted="0–100, auto", suggestion="100", private="/etc/passwd")
    assert problem(error.as_record()) == {
        "type": "/problems/invalid_option",
        "title": "Invalid option",
        "status": 422,
        "detail": "The option “quality” cannot be “101”. Accepted: 0–100, auto.",
        "code": "invalid_option",
        "option": "quality",
        "suggestion": "100",
    }


def test_a_problem_speaks_english_where_it_lacks_the_language() -> None:
    record = errors.NotFound().as_record()
    assert problem(record, "fr") == problem(record, "en")
    assert problem(record, "zh-CN")["title"] == "未找到"


def test_what_only_the_edge_knows_is_filled_in_there() -> None:
    assert "in 7 s" in problem(errors.RateLimited(limit=5, window_s=60).as_record(), retry_after_s=7)["detail"]
    assert "id abc" in problem(errors.Internal().as_record(), request_id="abc")["detail"]


def test_an_unfilled_placeholder_is_a_dash_and_never_a_crash() -> None:
    assert "larger than –," in problem({"code": "too_large", "status": 413})["detail"]


def test_an_unknown_variant_falls_back_to_the_sentence_of_its_code() -> None:
    assert problem({"code": "gone", "status": 410, "variant": "of-a-newer-version"})["title"] == "Gone"


def test_braces_in_what_a_client_sent_stay_text() -> None:
    error = errors.InvalidOption("unknown", option="{request_id.__class__}", suggestion="{0}")
    assert "“{request_id.__class__}”" in problem(error.as_record())["detail"]


def test_each_detail_that_a_code_may_have_is_told_once() -> None:
    assert list(details_of("storage_full", "en")) == [problem(errors.StorageFull().as_record())["detail"]]
    assert "such as {example}." in "".join(details_of("bad_request", "en"))


@given(st.sampled_from(list(BY_CODE.values())), st.text(), st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), st.text() | st.integers()))
def test_any_parameters_make_a_problem(kind: type[GatewayError], variant: str, params: dict[str, object]) -> None:
    params = {name: value for name, value in params.items() if name not in ("variant", "private", "retry_after_s", "self")}
    for language in texts.languages():
        told = problem(kind(variant, **params).as_record(), language)
        assert told["code"] == kind.code and told["detail"]
