"""``watermark`` at every route that takes options: the operator's names are taken, and others refused before the job is made."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.core.watermark import Placement, Watermark
from tests.fakes.codec import ScriptedCodec
from tests.fakes.samples import image
from tests.fakes.watermarks import MemoryWatermarks
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
MARKS = MemoryWatermarks(logo=Watermark(Placement(), b"PNG", "1"), 水印=Watermark(Placement(), b"PNG", "2"))
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "100"}
ROUTES: dict[str, Callable[[Web, str], TestResponse]] = {
    "query": lambda web, name: web.post("/api/jobs", data=image(), query_string={"watermark": name}),
    "form": lambda web, name: web.post("/api/jobs", data={"file": (io.BytesIO(image()), "cat.png"), "watermark": name}),
    "batch": lambda web, name: web.post(
        "/api/jobs", data={"file": [(io.BytesIO(image()), "a.png"), (io.BytesIO(image()), "b.png")], "watermark": name}
    ),
    "url": lambda web, name: web.post("/api/jobs", json={"url": "https://example.org/cat.png", "watermark": name}),
    "convert": lambda web, name: web.post("/api/convert", data=image(), query_string={"watermark": name}),
    "convert form": lambda web, name: web.post("/api/convert", data={"file": (io.BytesIO(image()), "cat.png"), "watermark": name}),
    "tus": lambda web, name: web.post("/api/uploads", headers=TUS, query_string={"watermark": name}),
    "page": lambda web, name: web.post("/", data={"file": (io.BytesIO(image()), "cat.png"), "watermark": name}),
}


@pytest.fixture
def marked() -> Web:
    web = Web({"watermarks": MARKS})
    web.sources.answers = {}
    web.encode_at_once()
    return web


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", ["lgo", "../logo", "/srv/watermarks/logo.png", "LOGO.png"])
def test_an_unknown_name_is_refused_everywhere_and_nothing_is_kept(marked: Web, route: str, name: str) -> None:
    response = ROUTES[route](marked, name)
    assert response.status_code == 422
    assert "logo" in response.text and "srv" not in response.text.replace("/srv/watermarks/logo.png", "")
    assert marked.here.store.entries == {} and not marked.here.store.incoming


@pytest.mark.parametrize("route", [each for each in ROUTES if each != "url"])
def test_a_known_name_is_taken_everywhere(marked: Web, route: str) -> None:
    assert ROUTES[route](marked, "水印").status_code in (200, 201, 202, 303)


def test_the_nearest_name_is_suggested(marked: Web, problem: Check) -> None:
    told = problem(ROUTES["query"](marked, "lgo"), 422, "invalid_option")
    assert (told["option"], told["suggestion"]) == ("watermark", "logo")
    assert "水印" in told["detail"]


def test_a_gateway_without_watermarks_says_so(web: Web, problem: Check) -> None:
    assert "GATEWAY_WATERMARKS_DIR" in problem(ROUTES["query"](web, "logo"), 422, "invalid_option")["detail"]


def test_a_retry_keeps_the_mark_changes_it_or_takes_it_away(marked: Web) -> None:
    made: Any = ROUTES["query"](marked, "logo").json
    ways = [("", "logo"), ("?watermark=%E6%B0%B4%E5%8D%B0", "水印"), ("?watermark=", None)]
    for query, name in ways:
        retried: Any = marked.post(f"/api/jobs/{made['id']}/retry{query}").json
        assert retried["options"].get("watermark") == name
    assert marked.post(f"/api/jobs/{made['id']}/retry?watermark=no").status_code == 422


def test_capabilities_list_the_names_and_no_path(marked: Web) -> None:
    told: Any = marked.get("/api/capabilities").json
    assert told["watermarks"] == ["logo", "水印"]
    assert told["options"]["watermark"] == {"type": "string", "minLength": 1, "maxLength": 64, "default": None}


def test_while_the_folder_is_away_marked_jobs_are_told_to_come_back(problem: Check) -> None:
    marks = MemoryWatermarks(logo=Watermark(Placement(), b"PNG", "1"))
    web = Web({"watermarks": marks})
    marks.is_lost = True
    response = ROUTES["query"](web, "logo")
    assert "watermarks" in problem(response, 503, "backend_unavailable")["detail"]
    assert response.headers["Retry-After"] == "10"
    assert web.post("/api/jobs", data=image()).status_code == 202
    told: Any = web.get("/api/capabilities").json
    assert told["watermarks"] == []


def test_the_codec_gets_it(marked: Web) -> None:
    codec = ScriptedCodec()
    marked.encode_at_once(codec)
    ROUTES["convert"](marked, "logo")
    assert codec.conversions[0].watermark == MARKS.known["logo"]
