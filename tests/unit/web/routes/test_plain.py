"""The page without JavaScript: form, self-refreshing page, links; errors in words; both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from werkzeug.test import TestResponse

from backend import errors
from backend.core import formats, options
from backend.core.limits import Limits
from backend.web.request import bodies
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

CHINESE = {"Accept-Language": "zh-CN"}


def send(web: Web, *names: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
    files = [(BytesIO(image()), name) for name in names]
    return web.post("/", data={"file": files, **fields}, content_type="multipart/form-data", headers=headers or {})


def test_a_form_leads_to_a_page_that_loads_itself_until_the_image_can_be_downloaded(web: Web) -> None:
    taken = send(web, "我的图片.png", quality="", width="40")
    assert taken.status_code == 303
    path = taken.headers["Location"]
    page = web.get(path)
    assert 'http-equiv="refresh"' in page.text and "In the queue" in page.text and "我的图片.png" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    web.here.encode()
    ended = web.get(path)
    assert 'http-equiv="refresh"' not in ended.text
    link = re.search(r'href="(/api/jobs/[^"]+/result\?download=1)"', ended.text)
    assert link is not None
    assert web.get(link[1]).content_type == "image/webp"
    assert web.get(path.replace("/plain/", "/api/")).get_json()["options"] == {"quality": 80, "method": 4, "width": 40}


def test_it_speaks_chinese_to_those_who_read_it(web: Web) -> None:
    path = send(web, "a.png").headers["Location"]
    page = web.get(path, headers=CHINESE)
    assert '<html lang="zh-CN"' in page.text and "排队中" in page.text
    assert "此页面每 2 秒自动刷新" in page.text


def test_the_first_page_is_in_the_readers_language_before_any_script_runs(web: Web) -> None:
    assert "选择图片" in web.get("/", headers=CHINESE).text
    assert "Choose images" in web.get("/").text


@pytest.mark.parametrize("name", ["quality", "width"])
def test_the_form_has_the_options_own_default_and_range(web: Web, name: str) -> None:
    field = re.search(rf'<input type="number" name="{name}"([^>]*)>', web.get("/").text)
    assert field is not None
    shown = dict(re.findall(r'(min|max|value)="(\d+)"', field[1]))
    option = options.schema()[name]
    numbers = option.get("anyOf", [option])[0]
    expected = {"min": numbers["minimum"], "max": numbers["maximum"], "value": option["default"]}
    assert shown == {key: str(value) for key, value in expected.items() if value is not None}


def test_what_cannot_be_taken_is_told_in_words_with_a_way_back(web: Web) -> None:
    for headers, words in (({}, "The file is empty"), (CHINESE, "文件为空")):
        answer = web.post("/", data={"file": (BytesIO(b""), "a.png")}, content_type="multipart/form-data", headers=headers)
        assert answer.status_code == 422 and answer.content_type.startswith("text/html")
        assert words in answer.text and 'href="/"' in answer.text
    assert web.get("/plain/jobs/AAAAAAAAAAAAAAAAAAAAAA").status_code == 404


def test_a_name_is_text_and_never_markup(web: Web) -> None:
    page = web.get(send(web, "<img src=x onerror=alert(1)>.png").headers["Location"])
    assert "<img src=x" not in page.text and "&lt;img src=x" in page.text


def test_cancel_works_without_scripts(web: Web) -> None:
    path = send(web, "a.png").headers["Location"]
    assert web.post(f"{path}/cancel").headers["Location"] == path
    assert "Cancelled" in web.get(path).text


def test_with_api_keys_it_says_what_to_do_instead(make_web: Callable[..., Web]) -> None:
    answer = send(make_web(keys=("k" * 20,)), "a.png")
    assert answer.status_code == 401 and "curl" in answer.text


def send_mixed(web: Web, *, headers: dict[str, str] | None = None) -> TestResponse:
    files = [(BytesIO(image()), "good.png"), (BytesIO(b"no image at all"), "letter.doc"), (BytesIO(b""), "empty.png"), (BytesIO(image()), "fine.png")]
    return web.post("/", data={"file": files}, content_type="multipart/form-data", headers=headers or {})


@pytest.mark.parametrize(("language", "heading"), [("en", "2 of 4 images cannot be converted"), ("zh-CN", "4 张图片中有 2 张无法转换")])
def test_one_image_that_cannot_be_taken_does_not_refuse_the_others_of_the_form(web: Web, language: str, heading: str) -> None:
    told = send_mixed(web, headers={"Accept-Language": language})
    assert told.status_code == 200 and heading in told.text
    assert "letter.doc" in told.text and "empty.png" in told.text
    link = re.search(r'href="(/plain/batches/[^"]+)"', told.text)
    assert link is not None
    web.here.encode()
    web.here.encode()
    ended = web.get(link[1]).text
    assert "good.webp" in ended and "fine.webp" in ended and "letter" not in ended


def test_a_form_of_which_nothing_can_be_taken_names_each_image(web: Web) -> None:
    files = [(BytesIO(b"no image"), "a.doc"), (BytesIO(b""), "b.png")]
    told = web.post("/", data={"file": files}, content_type="multipart/form-data")
    assert told.status_code == 415 and "a.doc" in told.text and "b.png" in told.text and 'href="/"' in told.text


def test_the_api_still_takes_all_images_of_a_request_or_none(web: Web) -> None:
    files = [(BytesIO(image()), "good.png"), (BytesIO(b"no image at all"), "letter.doc")]
    assert web.post("/api/jobs", data={"file": files}, content_type="multipart/form-data").status_code == 415


def test_what_is_shared_with_the_installed_page_becomes_a_job_without_its_scripts_too(web: Web) -> None:
    files = {"file": (BytesIO(image()), "holiday.jpg")}
    shared = web.post("/share", data=files, content_type="multipart/form-data", headers={"Sec-Fetch-Site": "none"})
    assert shared.status_code == 303 and "/plain/jobs/" in shared.headers["Location"]


@pytest.mark.parametrize(("language", "name"), [("en", "Makes images smaller"), ("zh-CN", "让图片更小")])
def test_the_page_can_be_installed_and_says_what_it_is(web: Web, language: str, name: str) -> None:
    answer = web.get("/manifest.webmanifest", headers={"Accept-Language": language})
    assert answer.content_type == "application/manifest+json"
    known = answer.get_json(force=True)
    assert known["lang"] == language and known["description"].startswith(name)
    assert not [each for each in (known["start_url"], known["scope"], known["share_target"]["action"]) if each.startswith("/")]
    for icon in known["icons"]:
        served = web.get("/" + icon["src"])
        assert (served.status_code, served.mimetype) == (200, icon["type"])
    page = web.get("/", headers={"Accept-Language": language}).text
    assert f'name="description" data-t-content="page.description" content="{name}' in page
    assert 'property="og:image" content="http://localhost/static/icons/preview.png"' in page


def test_no_more_of_a_refused_file_is_read_than_an_image_may_have(make_web: Callable[..., Web]) -> None:
    context = make_web(rules={"limits": Limits(upload_bytes=100_000)}).here.context
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="endless.txt"\r\n\r\n'
    endless = (head if number == 0 else b"no image" * 512 for number in range(1000))
    with pytest.raises(errors.TooLarge):
        bodies.read_form(context, endless, {"boundary": "b"}, 2, passes_over=True)
    assert next(endless, b""), "the rest was not read"


def test_the_form_offers_every_format_that_is_written_and_the_default_first(web: Web) -> None:
    select = re.search(r'<select name="format">(.*?)</select>', web.get("/").text)
    assert select is not None
    assert re.findall(r'<option value="(\w+)">([^<]+)', select[1]) == [(each.name, each.source.label) for each in formats.OUTPUT.values()]


@pytest.mark.parametrize("output_format", list(formats.OUTPUT))
def test_a_quality_that_the_format_has_none_of_does_no_harm(web: Web, output_format: str) -> None:
    """The form sends its quality with every format: without scripts it cannot hide it."""
    taken = send(web, "a.png", format=output_format, quality="71")
    assert taken.status_code == 303
    chosen = web.get(taken.headers["Location"].replace("/plain/", "/api/")).get_json()["options"]
    assert chosen.get("format", formats.DEFAULT_OUTPUT) == output_format
    assert chosen.get("quality") == (71 if output_format in options.LOSSY else None)


def test_a_format_that_is_not_written_is_told(web: Web) -> None:
    answer = send(web, "a.png", format="gif", quality="71")
    assert answer.status_code == 422 and "gif" in answer.text


def test_several_results_are_listed_each_once_and_together_as_a_zip(web: Web) -> None:
    path = send(web, "my cat.png", widths="20,40,4000,5000", formats="avif,webp", quality="70").headers["Location"]
    assert "archive.zip" not in web.get(path).text
    web.here.encode()
    page = web.get(path).text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/api/jobs/[^"]+download=1)"', page)]
    names = [re.split('filename="?|"', web.get(link).headers["Content-Disposition"])[1] for link in links]
    assert names == re.findall(r"Download (my cat-\d+w\.\w+)<", page) and len(set(names)) == len(names) >= 4
    archive = re.search(r'href="(/api/jobs/[^"]+/archive\.zip)"', page)
    assert archive is not None and web.get(archive[1]).content_type == "application/zip"


def test_a_quality_does_no_harm_where_none_of_several_formats_has_one(web: Web) -> None:
    path = send(web, "a.png", widths="20", formats="png", quality="80").headers["Location"]
    assert "quality" not in web.get(path.replace("/plain/", "/api/")).get_json()["options"]
    assert send(web, "a.png", widths="20", formats="png,webp", quality="70").status_code == 303


def test_the_form_for_a_web_page_names_every_format_that_is_written(web: Web) -> None:
    page = web.get("/").text
    pattern = re.search(r'name="formats"[^>]*pattern="([^"]*)"', page)
    assert pattern is not None and re.fullmatch(pattern[1], ",".join(formats.OUTPUT))
    assert not re.fullmatch(pattern[1], "webp,gif") and not re.fullmatch(pattern[1], "")
    assert options.parse([("widths", "640,1280,1920"), ("formats", "avif,webp,jpeg")]).widths == "640,1280,1920"
