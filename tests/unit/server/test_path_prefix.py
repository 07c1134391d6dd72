"""The middleware that brings requests below a path to the application's own root."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask

from backend.errors import BadRequest
from backend.server.http import error_response
from backend.server.path_prefix import PathPrefix, forwarded_prefix, without_prefix
from backend.settings.path_prefix import OWN_NAMES
from backend.web.routes import resources


def seen(prefix: str, hops: int, **environ: str) -> tuple[str, str]:
    """``SCRIPT_NAME`` and ``PATH_INFO`` as the application gets them."""
    found: list[tuple[str, str]] = []

    def app(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        found.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        return []

    PathPrefix(app, prefix, hops)({"SCRIPT_NAME": "", **environ}, lambda *_: lambda _: None)
    return found[0]


@pytest.mark.parametrize("path", ["/images/api/jobs", "/api/jobs"])
@pytest.mark.parametrize("forwarded", ["", "/other"])
def test_the_operators_prefix_holds_however_the_proxy_asks(path: str, forwarded: str) -> None:
    assert seen("/images", 1, PATH_INFO=path, HTTP_X_FORWARDED_PREFIX=forwarded) == ("/images", "/api/jobs")


def test_a_trusted_proxys_prefix_holds_where_the_operator_says_none() -> None:
    assert seen("", 1, PATH_INFO="/api/jobs", HTTP_X_FORWARDED_PREFIX="/images") == ("/images", "/api/jobs")
    assert seen("", 0, PATH_INFO="/api/jobs", HTTP_X_FORWARDED_PREFIX="/images") == ("", "/api/jobs")


def test_a_name_that_a_client_made_up_is_dropped() -> None:
    assert seen("", 1, PATH_INFO="/api/jobs", SCRIPT_NAME="/forged") == ("", "/api/jobs")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/images/api/jobs", "/api/jobs"),
        ("/api/jobs", "/api/jobs"),
        ("/images/", "/"),
        ("/images", "/"),
        ("/imagesapi", "/imagesapi"),
        ("/images/images/x", "/images/x"),
        ("/", "/"),
    ],
)
def test_a_path_comes_with_its_prefix_or_without(path: str, expected: str) -> None:
    assert without_prefix(path, "/images") == expected
    assert without_prefix(path, "") == path


@pytest.mark.parametrize(
    ("header", "hops", "expected"),
    [
        ("/images", 1, "/images"),
        ("/images/", 1, "/images"),
        ("/images", 0, ""),
        ("/forged, /images", 1, "/images"),
        ("/outer, /inner", 2, "/outer/inner"),
        ("/forged,/outer,/inner", 2, "/outer/inner"),
        ("", 1, ""),
        ("//evil.example", 1, ""),
        ("https://evil.example", 1, ""),
        ("/a/../b", 1, ""),
        ('/a"><script>', 1, ""),
        ("/" + "a" * 300, 1, ""),
    ],
)
def test_the_proxies_that_are_trusted_say_the_prefix(header: str, hops: int, expected: str) -> None:
    assert forwarded_prefix(header, hops) == expected


def test_no_prefix_begins_like_a_route_of_ours() -> None:
    app = Flask("test", static_folder=None)
    for resource in resources():
        app.register_blueprint(resource)
    assert {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()} - {""} <= OWN_NAMES


def test_what_the_server_refuses_by_itself_is_explained_below_the_prefix() -> None:
    error_response.install("/images")
    try:
        assert b'"type": "/images/problems/bad_request"' in error_response.closing_response(BadRequest())
    finally:
        error_response.install("")
