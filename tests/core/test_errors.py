"""Every error raised on purpose: its code, its status, its sentences, and that every place that raises one fills them."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import errors
from backend.errors import BY_CODE, LANGUAGES, TEXTS, GatewayError

BACKEND = Path(errors.__file__).parent
CONTRACT = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    409: "not_ready already_finished offset_mismatch",
    410: "gone",
    413: "too_large",
    415: "unsupported_format",
    422: "invalid_option damaged_image too_many_pixels too_many_frames empty_file",
    429: "rate_limited",
    500: "internal",
    503: "queue_full backend_unavailable",
    504: "encode_timeout",
    507: "storage_full",
}
WAITING = {"bad_request.one_file"}
"""For when POST /api/jobs takes several images and /api/convert still one."""
AT_THE_EDGE = {"request_id"}
"""Placeholders that every edge fills by itself."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def classes() -> dict[str, type[GatewayError]]:
    return {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, GatewayError)}


def raised() -> Iterator[tuple[str, type[GatewayError], ast.Call]]:
    """Every ``errors.Kind(…)`` and ``Kind(…)`` in the backend, with its place."""
    kinds = classes()
    for path in sorted(BACKEND.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in kinds:
                    yield f"{path.relative_to(BACKEND)}:{node.lineno}", kinds[name], node


RAISED = list(raised())


def variant_of(call: ast.Call) -> str:
    return str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""


def test_every_code_has_the_contracts_status() -> None:
    assert {code: kind.status for code, kind in BY_CODE.items()} == {code: status for status, codes in CONTRACT.items() for code in codes.split()}


def test_a_method_that_is_not_allowed_is_a_bad_request_with_its_own_status() -> None:
    assert (errors.MethodNotAllowed.code, errors.MethodNotAllowed.status) == ("bad_request", 405)


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_whole_in_both_languages(key: str) -> None:
    texts = TEXTS[key]
    assert tuple(texts) == LANGUAGES
    for title, detail in texts.values():
        assert title.strip() and detail.strip()
        assert detail[-1] in ".?。？"
    assert re.search(r"[\u4e00-\u9fff]", texts["zh-CN"][0]) and re.search(r"[\u4e00-\u9fff]", texts["zh-CN"][1])
    assert not re.search(r"[\u4e00-\u9fff]", "".join(texts["en"]))


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_the_same_things(key: str) -> None:
    assert placeholders("".join(TEXTS[key]["en"])) == placeholders("".join(TEXTS[key]["zh-CN"]))


def test_every_code_has_a_text_and_every_text_a_code() -> None:
    assert {key for key in TEXTS if "." not in key} == set(BY_CODE)
    assert {key.split(".")[0] for key in TEXTS} == set(BY_CODE)


def test_the_scan_finds_the_raise_sites() -> None:
    assert len(RAISED) > 40
    assert {kind.code for _, kind, _ in RAISED} >= set(BY_CODE) - {"offset_mismatch", "encode_timeout", "damaged_image"}


@pytest.mark.parametrize(("place", "kind", "call"), RAISED, ids=[f"{place} {kind.__name__}" for place, kind, _ in RAISED])
def test_what_is_raised_has_its_text_and_fills_it(place: str, kind: type[GatewayError], call: ast.Call) -> None:
    variant = variant_of(call)
    key = f"{kind.code}.{variant}" if variant else kind.code
    assert key in TEXTS, f"{place} raises {key}, which has no text"
    if any(word.arg is None for word in call.keywords) or kind is GatewayError:
        return
    given = {word.arg for word in call.keywords} | AT_THE_EDGE
    assert placeholders("".join(TEXTS[key]["en"])) <= given, f"{place} leaves placeholders of {key} empty"


def test_every_variant_is_raised_somewhere() -> None:
    """A sentence that nothing says is dead. Codes without variants belong to the contract and may wait for later issues."""
    said = {f"{kind.code}.{variant_of(call)}" for _, kind, call in RAISED}
    dead = {key for key in TEXTS if "." in key} - said - WAITING
    source = "".join(path.read_text("utf-8") for path in BACKEND.rglob("*.py"))
    assert {key for key in dead if f'"{key.split(".")[1]}"' not in source} == set()


def test_a_problem_is_the_rfcs_object() -> None:
    error = errors.InvalidOption(option="quality", value="101", accepted="0–100, auto", suggestion="100", private="/etc/passwd")
    assert errors.problem(error.as_record()) == {
        "type": "/problems/invalid_option",
        "title": "Invalid option",
        "status": 422,
        "detail": "The option “quality” cannot be 101. Accepted: 0–100, auto.",
        "code": "invalid_option",
        "option": "quality",
        "suggestion": "100",
    }


def test_a_problem_speaks_english_where_it_lacks_the_language() -> None:
    record = errors.NotFound().as_record()
    assert errors.problem(record, "fr") == errors.problem(record, "en")
    assert errors.problem(record, "zh-CN")["title"] == "未找到"


def test_what_only_the_edge_knows_is_filled_in_there() -> None:
    assert "in 7 s" in errors.problem(errors.RateLimited(limit="5/60 s").as_record(), retry_after_s=7)["detail"]
    assert "id abc" in errors.problem(errors.Internal().as_record(), request_id="abc")["detail"]


def test_an_unfilled_placeholder_is_a_dash_and_never_a_crash() -> None:
    assert "larger than – bytes" in errors.problem({"code": "too_large", "status": 413})["detail"]


def test_an_unknown_variant_falls_back_to_the_sentence_of_its_code() -> None:
    assert errors.problem({"code": "gone", "status": 410, "variant": "of-a-newer-version"})["title"] == "Gone"


def test_braces_in_what_a_client_sent_stay_text() -> None:
    error = errors.InvalidOption("unknown", option="{request_id.__class__}", suggestion="{0}")
    assert "“{request_id.__class__}”" in errors.problem(error.as_record())["detail"]


@pytest.mark.parametrize("kind", BY_CODE.values())
def test_an_error_that_crosses_a_process_comes_back_as_itself_without_its_private_part(kind: type[GatewayError]) -> None:
    there = kind("variant", private="secret", limit=5)
    back = errors.from_record(there.as_record())
    assert type(back) is kind
    assert (back.variant, back.params, back.private) == ("variant", {"limit": 5}, "")
    assert "secret" not in str(there.as_record())


def test_a_record_of_a_newer_version_becomes_an_internal_error() -> None:
    assert type(errors.from_record({"code": "of-a-newer-version"})) is errors.Internal
    assert type(errors.from_record({})) is errors.Internal


@given(st.sampled_from(list(BY_CODE.values())), st.text(), st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), st.text() | st.integers()))
def test_any_parameters_make_a_problem(kind: type[GatewayError], variant: str, params: dict[str, object]) -> None:
    params = {name: value for name, value in params.items() if name not in ("variant", "private", "retry_after_s", "self")}
    for language in LANGUAGES:
        problem = errors.problem(kind(variant, **params).as_record(), language)
        assert problem["code"] == kind.code and problem["detail"]
