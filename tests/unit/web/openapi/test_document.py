"""The description is valid, describes every route and no other, and real answers are as it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from backend import errors, texts
from backend.web import routes
from backend.web.openapi import document
from backend.web.routes import operations, resources
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

OURS = {"OPTIONS", "HEAD"}


def described(language: str = "en", *, has_keys: bool = True) -> dict[str, Any]:
    return document.describe(operations(), "1.2.3", language, has_keys)


@pytest.mark.parametrize("language", texts.languages())
@pytest.mark.parametrize("has_keys", [True, False])
def test_the_description_is_valid_openapi(language: str, has_keys: bool) -> None:
    assert list(OpenAPIV31SpecValidator(described(language, has_keys=has_keys)).iter_errors()) == []


def routes_of_the_code() -> Iterator[tuple[str, str]]:
    app = Flask("routes")
    for resource in resources():
        app.register_blueprint(resource)
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        if path.startswith("/api/"):
            given = set(rule.methods or ()) if path.startswith("/api/uploads") else set(rule.methods or ()) - OURS
            yield from ((method, path) for method in given)


def test_every_route_is_described_and_nothing_else() -> None:
    assert {(each.method, each.path) for each in operations()} == set(routes_of_the_code())


def test_every_error_has_its_words() -> None:
    for code in errors.BY_CODE:
        assert texts.has(f"errors.{code}.happened") and texts.has(f"errors.{code}.advice")


def test_the_operations_have_names_of_their_own() -> None:
    assert len({each.id for each in operations()}) == len(operations())


def schema_of(api: dict[str, Any], method: str, path: str, response: TestResponse) -> dict[str, Any] | None:
    """What the description says of this answer; fails where it says nothing."""
    operation = api["paths"][path][method.lower()]
    answer = operation["responses"].get(str(response.status_code))
    if answer is not None and "$ref" in answer:
        answer = api["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    assert answer is not None, f"{method} {path} answers {response.status_code}, which is not described: {response.text[:300]}"
    for name in ("Location", "Retry-After", "ETag", "Link", "Preference-Applied", "Server-Timing", "RateLimit"):
        assert name not in response.headers or name in answer["headers"], f"{method} {path} {response.status_code} sends {name}"
    if not response.data:
        return None
    media_type = response.mimetype
    content = answer.get("content", {})
    known = content.get(media_type) or (content.get("image/*") if media_type.startswith("image/") else None)
    assert known is not None, f"{method} {path} answers {response.status_code} with {media_type}, which is not described"
    return dict(known["schema"]) if "json" in media_type else None


def test_real_answers_are_as_described(web: Web) -> None:
    web.here.duties.begin_epoch("worker")
    api = described(has_keys=False)
    done = web.finished()["id"]
    waiting = web.upload()["id"]
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("GET", "/api/jobs", "/api/jobs", {}),
        ("GET", "/api/jobs", "/api/jobs?limit=1", {}),
        ("GET", "/api/jobs", "/api/jobs?limit=x", {}),
        ("POST", "/api/jobs", "/api/jobs", {"data": image()}),
        ("POST", "/api/jobs", "/api/jobs?qualty=1", {"data": image()}),
        ("POST", "/api/jobs", "/api/jobs", {"data": b"no image"}),
        ("POST", "/api/jobs", "/api/jobs", {"data": b""}),
        ("GET", "/api/jobs/{job_id}", f"/api/jobs/{done}", {}),
        ("GET", "/api/jobs/{job_id}", f"/api/jobs/{waiting}", {}),
        ("GET", "/api/jobs/{job_id}", "/api/jobs/nothing", {}),
        ("GET", "/api/jobs/{job_id}/result", f"/api/jobs/{done}/result", {}),
        ("GET", "/api/jobs/{job_id}/result", f"/api/jobs/{done}/result", {"headers": {"Range": "bytes=0-3"}}),
        ("GET", "/api/jobs/{job_id}/result", f"/api/jobs/{done}/result", {"headers": {"Range": "bytes=99999-"}}),
        ("GET", "/api/jobs/{job_id}/result", f"/api/jobs/{waiting}/result", {}),
        ("GET", "/api/jobs/{job_id}/source", f"/api/jobs/{done}/source", {}),
        ("GET", "/api/jobs/{job_id}/events", f"/api/jobs/{done}/events", {}),
        ("GET", "/api/jobs/{job_id}/ws", f"/api/jobs/{done}/ws", {}),
        ("POST", "/api/jobs/{job_id}/retry", f"/api/jobs/{done}/retry?quality=50", {}),
        ("POST", "/api/jobs/{job_id}/cancel", f"/api/jobs/{waiting}/cancel", {}),
        ("POST", "/api/jobs/{job_id}/cancel", f"/api/jobs/{waiting}/cancel", {}),
        ("GET", "/api/jobs/{job_id}/result", f"/api/jobs/{waiting}/result", {}),
        ("DELETE", "/api/jobs/{job_id}", f"/api/jobs/{done}", {}),
        ("DELETE", "/api/jobs/{job_id}", f"/api/jobs/{done}", {}),
        ("GET", "/api/capabilities", "/api/capabilities", {}),
        ("GET", "/api/health", "/api/health", {}),
        ("GET", "/api/health/live", "/api/health/live", {}),
        ("GET", "/api/openapi.json", "/api/openapi.json", {}),
        ("GET", "/api/docs", "/api/docs", {}),
    ]
    for method, path, address, given in asked:
        response = web.ask(method, address, **given)
        schema = schema_of(api, method, path, response)
        if schema is not None:
            jsonschema.validate(response.json, {**schema, "components": api["components"]}, jsonschema.Draft202012Validator)
    while web.here.encode():
        pass
    web.encode_at_once()
    assert schema_of(api, "PUT", "/api/convert", web.ask("PUT", "/api/convert", data=image())) is None
    waited = web.post("/api/jobs", data=image(), headers={"Prefer": "wait=5"})
    jsonschema.validate(waited.json, {**(schema_of(api, "POST", "/api/jobs", waited) or {}), "components": api["components"]})


def test_the_description_follows_the_reader_and_the_operator(make_web: Callable[..., Web]) -> None:
    web = make_web(keys=("key-of-one",))
    english, chinese = (web.get("/api/openapi.json", headers={"Accept-Language": each}) for each in ("en", "zh-TW"))
    assert english.json["info"]["title"] != chinese.json["info"]["title"]  # type: ignore[index]
    assert english.json["paths"]["/api/jobs"]["get"]["security"]  # type: ignore[index]
    assert web.get("/api/openapi.json", headers={"Accept-Language": "en", "If-None-Match": english.headers["ETag"]}).status_code == 304
    assert make_web().get("/api/openapi.json").json["paths"]["/api/jobs"]["get"].get("security") is None  # type: ignore[index]


def test_the_page_loads_nothing_from_elsewhere(web: Web) -> None:
    page = web.get("/api/docs", headers={"Accept-Language": "zh"})
    assert '<html lang="zh-CN"' in page.text and "default-src 'self'" in page.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded and all(each.startswith("/") and not each.startswith("//") for each in loaded)
    for each in loaded:
        if each.startswith("/static/"):
            assert web.get(each).status_code == 200, each


RESOURCE = """
from flask import Response
from backend.web.openapi.resource import Answer, Operation, Resource

routes = Resource("teapot", __name__, tag="gateway")

@routes.serve(Operation("GET", "/api/teapots/{name}", "showTeapot", {200: Answer()}))
def show(name: str) -> Response:
    'A teapot'
    return Response(name)
"""


def test_a_route_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_web: Callable[..., Web]) -> None:
    """Nothing else names it: neither the application, nor the description, nor a test."""
    (tmp_path / "teapot.py").write_text(RESOURCE, "utf-8")
    monkeypatch.setattr(routes, "__path__", [*routes.__path__, str(tmp_path)])
    try:
        assert make_web().get("/api/teapots/green").text == "green"
        assert described()["paths"]["/api/teapots/{name}"]["get"]["summary"] == "A teapot"
    finally:
        del sys.modules[f"{routes.__name__}.teapot"]


def test_what_has_no_text_yet_is_described_by_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "has", lambda _key: False)
    shown = described()
    created = shown["paths"]["/api/jobs/{job_id}/retry"]["post"]
    assert created["summary"].startswith("With the job's options") and created["responses"]["202"]["description"] == "Accepted"
    assert "description" not in shown["components"]["parameters"]["option.width"]


def members(value: Any) -> Any:
    """What an answer is made of: its members by name, down to what is no object, by its type. A list is what its first item is."""
    if isinstance(value, dict):
        return {name: members(each) for name, each in value.items()}
    if isinstance(value, list):
        return [members(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in names}


@pytest.mark.parametrize("name", [name for name, schema in described()["components"]["schemas"].items() if "example" in schema])
def test_an_example_is_as_its_schema_says(name: str) -> None:
    components = described()["components"]
    schema = components["schemas"][name]
    jsonschema.validate(schema["example"], {**schema, "components": components}, jsonschema.Draft202012Validator)


def test_the_examples_have_the_members_of_real_answers(web: Web) -> None:
    web.here.duties.begin_epoch("worker")
    for kind in ("jobs", "store"):
        web.here.upkeep.note(kind)
    seal = {"level": 3, "landlock": 7, "seccomp": True, "escapes": []}
    web.here.presence.heartbeat("one", {"pid": 1, "cores": 2, "version": "1.0.0", "seal": seal}, 60)
    examples = {name: schema.get("example") for name, schema in described()["components"]["schemas"].items()}
    job = web.finished()
    assert members(without(examples["Job"], "source", "options", "result")) == members(without(job, "source", "options", "result"))
    listed: Any = web.get("/api/jobs").json
    assert set(examples["JobList"]) == set(listed) and set(examples["JobList"]["jobs"][0]) == set(listed["jobs"][0])
    assert members(examples["Health"]) == members(web.get("/api/health").json)
    assert members(examples["Live"]) == members(web.get("/api/health/live").json)
    capabilities: Any = web.get("/api/capabilities").json
    assert members(without(examples["Capabilities"], "options")) == members(without(capabilities, "options"))
    assert examples["Capabilities"]["options"].items() <= capabilities["options"].items()
    assert examples["Capabilities"]["features"] == [each for each in capabilities["features"] if each != "url"]
