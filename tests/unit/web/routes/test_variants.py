"""Several results of one job over HTTP: picked by width and format, waited for, downloaded, and all of them in one ZIP."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.core.conversion import Progress
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
ASKED = "?widths=64,32&formats=avif,webp&filename=my%20cat.png"


def finished(web: Web, query: str = ASKED) -> dict[str, Any]:
    return web.finished(query=query)


def test_each_has_an_address_that_gives_its_bytes(web: Web) -> None:
    job = finished(web)
    assert len(job["results"]) == 4 and job["result"] == {**job["results"][0], "url": job["links"]["result"]}
    for number, each in enumerate(job["results"]):
        response = web.get(each["url"])
        assert response.data == RESULT + bytes([number])
        assert response.headers["ETag"] == f'"{each["sha256"]}"'
        assert response.content_type == f"image/{each['format']}"
    assert web.get(job["links"]["result"]).data == RESULT + bytes([0])


def test_width_or_format_alone_pick_the_first_that_fits(web: Web) -> None:
    address = finished(web)["links"]["result"]
    assert web.get(f"{address}?format=webp").data[-1] == 2
    assert web.get(f"{address}?width=32").data[-1] == 1
    assert web.get(f"{address}?width=32&format=webp").data[-1] == 3


def test_what_was_not_asked_for_is_not_found(web: Web, problem: Check) -> None:
    address = finished(web)["links"]["result"]
    problem(web.get(f"{address}?format=png"), 404, "not_found")
    problem(web.get(f"{address}?width=33"), 404, "not_found")
    problem(web.get(f"{address}?width=wide"), 422, "invalid_option")
    problem(web.get(f"{address}?format=jpg"), 422, "invalid_option")


def test_a_download_is_named_after_its_width(web: Web) -> None:
    job = finished(web)
    names = [web.get(f"{each['url']}&download").headers["Content-Disposition"] for each in job["results"]]
    assert [name.split("filename=")[1].split(";")[0] for name in names] == [
        '"my cat-64w.avif"',
        '"my cat-32w.avif"',
        '"my cat-64w.webp"',
        '"my cat-32w.webp"',
    ]
    assert '"dog.webp"' in web.get(f"{job['links']['result']}?format=webp&filename=dog.png").headers["Content-Disposition"]


def test_the_archive_holds_each_once(web: Web) -> None:
    job = finished(web)
    response = web.get(job["links"]["archive"])
    assert int(response.headers["Content-Length"]) == len(response.data)
    assert 'filename="my cat.zip"' in response.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.namelist() == ["my cat-64w.avif", "my cat-32w.avif", "my cat-64w.webp", "my cat-32w.webp"]
        assert archive.read("my cat-32w.webp") == RESULT + bytes([3])


def test_a_batch_archive_holds_the_results_of_all(web: Web) -> None:
    files = [("file", (io.BytesIO(image()), f"{name}.png")) for name in ("one", "two")]
    batch: Any = web.post("/api/jobs?widths=64,32", data={"file": [each[1] for each in files]}).json
    while web.here.encode(ScriptedCodec()):
        pass
    with zipfile.ZipFile(io.BytesIO(web.get(batch["links"]["archive"]).data)) as archive:
        assert archive.namelist() == ["one-64w.webp", "one-32w.webp", "two-64w.webp", "two-32w.webp"]


def test_the_archive_of_a_job_without_a_result_is_not_ready(web: Web, problem: Check) -> None:
    job = web.upload(query=ASKED)
    problem(web.get(job["links"]["archive"]), 409, "not_ready")


def test_an_archive_of_a_plain_job_holds_its_result(web: Web) -> None:
    job = web.finished(query="?filename=cat.png")
    with zipfile.ZipFile(io.BytesIO(web.get(f"/api/jobs/{job['id']}/archive.zip").data)) as archive:
        assert archive.namelist() == ["cat.webp"]


def test_one_that_is_ready_is_sent_while_the_rest_is_made(web: Web, problem: Check) -> None:
    job = web.upload(query=ASKED)
    answers: list[TestResponse] = []

    class Looking(ScriptedCodec):
        def _make(self, variants: Any, number: int, conversion: Any, converted: Any) -> Any:
            made = super()._make(variants, number, conversion, converted)
            if number == 1:
                address = job["links"]["result"]
                answers.extend(web.get(f"{address}?width={width}&format=avif", headers={"Prefer": "wait=5"}) for width in (64, 32))
                problem(web.get(f"{address}?format=webp"), 409, "not_ready")
            return made

    web.here.encode(Looking())
    assert [each.data[-1] for each in answers] == [0, 1]


def test_who_waits_for_one_is_answered_when_it_is_there(web: Web) -> None:
    job = web.upload(query=ASKED)
    answers: list[TestResponse] = []
    address = f"{job['links']['result']}?format=webp&width=32"
    asking = threading.Thread(target=lambda: answers.append(web.get(address, headers={"Prefer": "wait=20"})))
    asking.start()
    web.here.encode(ScriptedCodec(Progress("encode", 50.0)))
    asking.join(10)
    assert [each.data for each in answers] == [RESULT + bytes([3])]


def test_convert_has_one_answer(web: Web, problem: Check) -> None:
    for query in ("widths=5", "formats=webp", "widths=5,6&formats=webp,avif"):
        told = problem(web.post(f"/api/convert?{query}", data=image()), 422, "invalid_option")
        assert "/api/jobs" in told["detail"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("width=8", {"width": 8, "formats": "avif,webp"}),
        ("format=png", {"format": "png", "widths": "64,32"}),
        ("widths=8", {"widths": "8", "formats": "avif,webp"}),
        ("widths=&formats=", {}),
    ],
)
def test_a_retry_may_ask_for_one_instead_of_several(web: Web, given: str, kept: dict[str, Any]) -> None:
    job = finished(web)
    made: Any = web.post(f"/api/jobs/{job['id']}/retry?{given}").json
    assert {name: value for name, value in made["options"].items() if name in ("width", "widths", "format", "formats")} == kept


def test_json_may_give_lists(web: Web) -> None:
    parsed = web.post("/api/jobs", json={"url": "https://example.com/a.png", "widths": [64, "32"], "formats": ["avif", "webp"]})
    assert parsed.status_code in (202, 501, 503), parsed.text
    if parsed.status_code == 202:
        assert parsed.json["options"]["widths"] == "64,32"  # type: ignore[index]
