"""One rule for the bodies of all routes: what a route does not take is bounded, and a coded body is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import TestResponse

from backend.core import tus
from backend.web.request import body_rules, option_fields
from backend.web.request.body_stream import SMALL_BODY_BYTES
from backend.web.routes import operations, resources
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
ID = "x" * 22
ROUTES = sorted({(each.method, each.path.replace("{job_id}", ID).replace("{batch_id}", ID).replace("{upload_id}", ID)) for each in operations()})
TAKING_IMAGES = {(each.method, each.path) for each in operations() if not each.body.keys() <= body_rules.SMALL_TYPES}


class Unread:
    """A body that must not be touched."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


def test_the_small_types_are_those_that_are_read() -> None:
    assert set(option_fields.READERS) == body_rules.SMALL_TYPES


def test_images_are_taken_by_these_and_no_others() -> None:
    assert {
        ("POST", "/api/jobs"),
        ("POST", "/api/convert"),
        ("PUT", "/api/convert"), ("PUT", "/api/convert/{name}"),
        ("POST", tus.PATH),
        ("PATCH", tus.PATH + "/{upload_id}"),
        ("POST", tus.PATH + "/{upload_id}"),
    } == TAKING_IMAGES


@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("GET", "/"), ("GET", "/status"), ("GET", "/metrics"), ("POST", f"/plain/jobs/{ID}/cancel")])
def test_a_body_that_is_announced_as_too_long_is_refused_unread(web: Web, method: str, path: str) -> None:
    size = {"CONTENT_LENGTH": str(1 << 40), "wsgi.input": Unread()}
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Offset": "0"}
    for content_type in ("text/plain", *body_rules.SMALL_TYPES, "image/png", tus.MEDIA_TYPE):
        given = f"{content_type}; boundary=XX" if "multipart" in content_type else content_type
        answer = web.ask(method, path, headers=headers, content_type=given, environ_overrides=size)
        assert answer.status_code in (404, 405, 413, 415), (content_type, answer.text)


def test_a_small_body_that_nobody_takes_does_no_harm(web: Web) -> None:
    assert web.post(f"/api/jobs/{web.upload()['id']}/cancel", json={}).status_code == 200
    assert web.get("/api/health/live", data=b"x" * SMALL_BODY_BYTES).status_code == 200
    chunked = {"Transfer-Encoding": "chunked"}
    assert web.get("/api/health/live", headers=chunked, input_stream=io.BytesIO(b"x" * SMALL_BODY_BYTES)).status_code == 200


def test_a_body_in_chunks_that_nobody_takes_is_read_up_to_the_limit(web: Web, problem: Check) -> None:
    endless = io.BytesIO(b"x" * (1 << 20))
    problem(web.get("/api/health/live", headers={"Transfer-Encoding": "chunked"}, input_stream=endless), 413, "too_large")
    assert endless.tell() < 1 << 20


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip", "deflate"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/jobs"), ("PUT", "/api/convert"), ("POST", f"/api/jobs/{ID}/retry")])
def test_a_coded_body_is_refused(web: Web, method: str, path: str, coding: str) -> None:
    answer = web.ask(method, path, data=b"x", headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")


def test_a_coding_without_a_body_says_nothing(web: Web) -> None:
    assert web.get("/api/health/live", headers={"Content-Encoding": "gzip"}).status_code == 200
    assert web.upload(Content_Encoding="identity")


def test_a_method_that_an_override_stands_for_gets_its_body(web: Web) -> None:
    tus_version = {"Tus-Resumable": "1.0.0"}
    made = web.post(tus.PATH, headers={**tus_version, "Upload-Length": "70000"}).headers["Location"]
    headers = {**tus_version, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    data = b"\x89PNG\r\n\x1a\n" + bytes(69_990)
    assert web.ask("GET", made, data=data, content_type=tus.MEDIA_TYPE, headers=headers).status_code == 204


@pytest.mark.parametrize("reader", ["form", "files", "data", "stream"])
def test_werkzeug_reads_nothing_even_if_it_is_asked_to(reader: str) -> None:
    app = Flask("belt")
    body_rules.install(app)
    with (
        app.test_request_context("/", method="POST", data={"a": "b"}) as context,
        pytest.raises(RequestEntityTooLarge),
    ):
        getattr(context.request, reader)


def test_every_resource_is_found_by_its_blueprint(web: Web) -> None:
    """The rule asks ``request.blueprint``; a route outside of a resource takes no body at all."""
    assert all(web.app.blueprints[each.name] is each for each in resources())
    web.app.add_url_rule("/elsewhere", view_func=lambda: str(request.content_length), methods=["POST"])
    assert web.post("/elsewhere", data=b"x" * (SMALL_BODY_BYTES + 1)).status_code == 413
