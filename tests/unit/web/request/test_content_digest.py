"""``Content-Digest`` of an upload, by every way in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.samples import image
from tests.unit.web.conftest import Web
from tests.unit.web.routes.test_jobs_created import file_part, multipart

Check = Callable[[TestResponse, int, str], dict[str, Any]]
PNG = image()


def digest(data: bytes, algorithm: str = "sha-256") -> str:
    return f"{algorithm}=:{base64.b64encode(hashlib.new(algorithm.replace('-', ''), data).digest()).decode()}:"


RIGHT = [
    digest(PNG),
    digest(PNG, "sha-512"),
    f"{digest(PNG)}, {digest(PNG, 'sha-512')}",
    f"{digest(PNG)};note=1 ,\tsha-512={digest(PNG, 'sha-512').partition('=')[2]}",
    f"md5=:AAAA:, {digest(PNG)}",
    "unixsum=:AAAA:",
]
WRONG = [digest(b"else"), digest(b"else", "sha-512"), f"{digest(PNG)}, {digest(b'else', 'sha-512')}"]
MALFORMED = ["", "sha-256", "sha-256=abc", "sha-256=:abc:", "sha-256=:YWJj:", "SHA-256=:YWJj:", "sha-256=:****:", digest(PNG)[:-1], f"{digest(PNG)},"]


@pytest.mark.parametrize("header", RIGHT)
def test_a_body_with_the_digest_that_is_stated_is_taken(web: Web, header: str) -> None:
    assert web.post("/api/jobs", data=PNG, headers={"Content-Digest": header}).status_code == 202


@pytest.mark.parametrize("path", ["/api/jobs", "/api/convert"])
@pytest.mark.parametrize("header", WRONG + MALFORMED)
def test_a_wrong_or_unreadable_digest_is_refused_and_leaves_nothing(web: Web, problem: Check, path: str, header: str) -> None:
    said = problem(web.post(path, data=PNG, headers={"Content-Digest": header}), 400, "bad_request")["detail"]
    assert "Content-Digest" in said
    assert not web.here.store.entries and not web.here.store.incoming


def test_the_digest_of_a_form_is_that_of_the_whole_body(web: Web, problem: Check) -> None:
    form = multipart(file_part())
    problem(web.post("/api/jobs", **form, headers={"Content-Digest": digest(PNG)}), 400, "bad_request")
    assert not web.here.store.entries and not web.here.store.incoming
    assert web.post("/api/jobs", **form, headers={"Content-Digest": digest(form["data"])}).status_code == 202
