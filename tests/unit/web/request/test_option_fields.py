"""Options in a small body: a form or a JSON object, whatever is done to hurt its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.web.request.body_stream import SMALL_BODY_BYTES
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
JSON, URLENCODED, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=XX"
PART = b'--XX\r\nContent-Disposition: form-data; name="quality"\r\n\r\n33\r\n'


@pytest.fixture
def retry(web: Web) -> Callable[..., TestResponse]:
    own = f"/api/jobs/{web.upload()['id']}/retry"
    return lambda data, content_type, **given: web.post(own + given.pop("query", ""), data=data, content_type=content_type, **given)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b'{"quality": 33}', JSON),
        (b'\xef\xbb\xbf{"quality": 33.0}', "application/json; charset=utf-8"),
        ('{"quality": "33"}'.encode("utf-16"), JSON),
        (b"quality=33", URLENCODED),
        (b"_token=abc&quality=33", "application/x-www-form-urlencoded; charset=utf-8"),
        (PART + b"--XX--\r\n", MULTIPART),
    ],
)
def test_a_form_or_an_object_brings_options(retry: Callable[..., TestResponse], data: bytes, content_type: str) -> None:
    answer: Any = retry(data, content_type, query="?method=2").json
    assert answer["options"] == {"quality": 33, "method": 2}


@pytest.mark.parametrize("content_type", [JSON, URLENCODED, MULTIPART, "text/plain", None])
def test_an_empty_body_is_none(retry: Callable[..., TestResponse], content_type: str | None) -> None:
    assert retry(b"", content_type).status_code == 202
    assert retry(b"", content_type, headers={"Transfer-Encoding": "chunked"}).status_code == 202


@pytest.mark.parametrize("nested", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[80]"], ids=["arrays", "objects", "one"])
@pytest.mark.parametrize("name", ["quality", "lossless", "filename", "background", "fit"])
def test_what_is_nested_is_no_value_of_an_option(retry: Callable[..., TestResponse], problem: Check, name: str, nested: str) -> None:
    assert problem(retry(f'{{"{name}": {nested}}}', JSON), 422, "invalid_option")["option"] == name


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b'{"width": ' + b"9" * 60_000 + b"}", JSON, 400, "bad_request"),
        (b'{"width": ' + b"9" * 4_000 + b"}", JSON, 422, "invalid_option"),
        (b'{"width": 1e999}', JSON, 422, "invalid_option"),
        (b'{"width": Infinity}', JSON, 400, "bad_request"),
        (b"[" * SMALL_BODY_BYTES, JSON, 400, "bad_request"),
        (b'{"a":' * 13_000, JSON, 400, "bad_request"),
        (b'{"filename": "\\ud800.png"}', JSON, 400, "bad_request"),
        (b'{"width": 1, "width": 2}', JSON, 400, "bad_request"),
        (b"[1]", JSON, 400, "bad_request"),
        (b"\xff", JSON, 400, "bad_request"),
        (b"quality=1&quality=2", URLENCODED, 422, "invalid_option"),
        (b"a&" * 32_000, URLENCODED, 400, "bad_request"),
        (b"quality=" + b"9" * 60_000, URLENCODED, 422, "invalid_option"),
        (b"quality=%ff%00", URLENCODED, 422, "invalid_option"),
        (PART * 60 + b"--XX--\r\n", MULTIPART, 400, "bad_request"),
        (PART, MULTIPART, 400, "bad_request"),
        (PART.replace(b'"quality"', b'"quality"; filename="a.png"') + b"--XX--\r\n", MULTIPART, 400, "bad_request"),
        (PART + b"--XX--\r\n", "multipart/form-data", 400, "bad_request"),
        (b"quality=33", "text/plain", 415, "unsupported_format"),
        (b"quality=33", None, 415, "unsupported_format"),
        (b"\x89PNG", "image/png", 415, "unsupported_format"),
    ],
    ids=repr,
)
def test_a_body_that_brings_no_options_is_refused(
    retry: Callable[..., TestResponse], problem: Check, data: bytes, content_type: str | None, status: int, code: str
) -> None:
    problem(retry(data, content_type), status, code)


def test_a_file_is_not_taken_where_options_are(retry: Callable[..., TestResponse], problem: Check) -> None:
    body = problem(retry(PART.replace(b'"quality"', b'"a"; filename="a.png"') + b"--XX--\r\n", MULTIPART), 400, "bad_request")
    assert "no file" in body["detail"]
