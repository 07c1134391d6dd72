"""``…/result`` and ``…/source``: bytes in whole and in parts, with conditions, under a name that every client can use."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from backend import errors
from backend.core.filenames import display_name
from backend.web.response.files import disposition
from tests.fakes.codec import ScriptedCodec
from tests.fakes.samples import image
from tests.fakes.waiting import until
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
DATA = b"RIFF" + bytes(range(256)) * 300
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def path(web: Web) -> str:
    return f"/api/jobs/{web.finished(DATA)['id']}/result"


def test_the_result_is_the_webp_with_its_digest_as_a_strong_etag(web: Web, path: str) -> None:
    response = web.get(path)
    assert (response.status_code, response.data, response.content_type) == (200, DATA, "image/webp")
    assert response.headers["ETag"] == f'"{SHA256}"'
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["Accept-Ranges"] == "bytes"
    assert {"private", "immutable", "max-age=3600"} == set(response.headers["Cache-Control"].split(", "))
    assert response.headers["Content-Disposition"].startswith("inline")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_head_tells_of_the_result_without_its_bytes(web: Web, path: str) -> None:
    whole, head = web.get(path), web.head(path)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Type", "Content-Disposition", "Accept-Ranges"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=100-", 100, len(DATA)),
        ("bytes=-50", len(DATA) - 50, len(DATA)),
        ("bytes=5-5", 5, 6),
        (f"bytes=0-{10**9}", 0, len(DATA)),
    ],
)
def test_a_range_is_answered_in_part(web: Web, path: str, asked: str, start: int, stop: int) -> None:
    response = web.get(path, headers={"Range": asked})
    assert (response.status_code, response.data) == (206, DATA[start:stop])
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
    assert response.headers["Content-Length"] == str(stop - start)
    assert response.headers["ETag"] == f'"{SHA256}"'


@pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", f"bytes={10**9}-{10**9 + 1}"])
def test_a_range_beyond_the_end_cannot_be_satisfied_and_the_size_is_told(web: Web, path: str, asked: str) -> None:
    response = web.get(path, headers={"Range": asked})
    assert response.status_code == 416, response.text
    assert response.headers["Content-Range"] == f"bytes */{len(DATA)}"
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=abc", "bytes=9-1", "", "bytes"])
def test_a_range_that_is_none_is_ignored_or_refused_but_never_breaks(web: Web, path: str, asked: str) -> None:
    response = web.get(path, headers={"Range": asked})
    assert response.status_code in (200, 416)


@pytest.mark.parametrize("sent", [f'"{SHA256}"', "*", f'"other", "{SHA256}"', f'W/"{SHA256}"'])
def test_who_has_the_bytes_already_gets_none(web: Web, path: str, sent: str) -> None:
    response = web.get(path, headers={"If-None-Match": sent})
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == f'"{SHA256}"'


def test_who_has_other_bytes_gets_these(web: Web, path: str) -> None:
    assert web.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_holds_only_for_the_bytes_it_was_begun_with(web: Web, path: str) -> None:
    same = web.get(path, headers={"Range": "bytes=0-9", "If-Range": f'"{SHA256}"'})
    other = web.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, other.status_code, other.data) == (206, 200, DATA)


def test_before_the_end_there_is_no_result_yet(web: Web, problem: Check) -> None:
    job = web.upload()
    assert "queued" in problem(web.get(f"/api/jobs/{job['id']}/result"), 409, "not_ready")["detail"]
    web.here.queue.take("token", 60)
    assert "running" in problem(web.get(f"/api/jobs/{job['id']}/result"), 409, "not_ready")["detail"]


def test_a_job_that_did_not_succeed_has_no_result(web: Web, problem: Check) -> None:
    job = web.upload()
    web.post(f"/api/jobs/{job['id']}/cancel")
    assert "cancelled" in problem(web.get(f"/api/jobs/{job['id']}/result"), 410, "gone")["detail"]


def test_a_result_whose_bytes_were_erased_is_gone(web: Web, problem: Check, path: str) -> None:
    web.here.store.entries[path.split("/")[3]].results.clear()
    problem(web.get(path), 410, "gone")


def test_a_result_is_found_in_the_store_when_redis_is_away(web: Web, path: str) -> None:
    web.here.server.is_down = True
    assert web.get(path).data == DATA


def test_the_source_comes_back_as_it_was_sent_and_only_as_an_attachment(web: Web) -> None:
    job = web.upload(image("jpeg"), "?filename=Urlaub%20am%20Meer.jpg")
    response = web.get(f"/api/jobs/{job['id']}/source")
    assert (response.status_code, response.data, response.content_type) == (200, image("jpeg"), "image/jpeg")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="Urlaub am Meer.jpg"')
    assert response.headers["ETag"] == f'"{hashlib.sha256(image("jpeg")).hexdigest()}"'
    assert web.get(f"/api/jobs/{job['id']}/source", headers={"Range": "bytes=0-3"}).status_code == 206


NAMES = {
    "cat.png": ('filename="cat.webp"', "cat.webp"),
    "我的图片.png": ('filename="image.webp"', "我的图片.webp"),
    "Größe.jpeg": ('filename="Gre.webp"', "Größe.webp"),
    'she said "hi".png': ('filename="she said hi.webp"', 'she said "hi".webp'),
    "a\r\nSet-Cookie: x=1.png": ('filename="aSet-Cookie x=1.webp"', "aSet-Cookie: x=1.webp"),
    "\u202egnp.exe": ('filename="gnp.webp"', "gnp.webp"),
    "😀🐈.gif": ('filename="image.webp"', "😀🐈.webp"),
    ".hidden.png": ('filename="hidden.webp"', ".hidden.webp"),
    "archive.tar.gz": ('filename="archive.tar.webp"', "archive.tar.webp"),
    "no extension": ('filename="no extension.webp"', "no extension.webp"),
    "50% & more;.png": ('filename="50  more.webp"', "50% & more;.webp"),
    "": ('filename="image.webp"', "image.webp"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_result_has_a_name_that_every_client_can_use(web: Web, name: str) -> None:
    from urllib.parse import quote

    job = web.upload(query=f"?filename={quote(name)}")
    web.here.encode()
    header = web.get(f"/api/jobs/{job['id']}/result?download").headers["Content-Disposition"]
    kind, plain, extended = header.split("; ")
    ascii_name, shown = NAMES[name]
    assert kind == "attachment"
    assert extended.startswith("filename*=UTF-8''") and unquote(extended.removeprefix("filename*=UTF-8''")) == shown
    if "=1" not in name:
        assert plain == ascii_name


def test_a_file_is_saved_under_the_name_that_was_asked_for_with_its_own_extension(web: Web, path: str) -> None:
    answers = [web.get(f"{path}?download&filename=be%2Fach.exe"), web.get(f"{path.removesuffix('/result')}/source?filename=%E6%B5%B7.html")]
    names = [unquote(answer.headers["Content-Disposition"].split("filename*=UTF-8''")[1]) for answer in answers]
    assert [name.rpartition(".")[0] for name in names] == ["ach", "海"]
    assert names[0].endswith(".webp") and not names[1].endswith(".html")


def test_without_download_a_result_is_shown(web: Web, path: str) -> None:
    assert web.get(path).headers["Content-Disposition"].startswith("inline; ")
    assert web.get(path + "?download").headers["Content-Disposition"].startswith("attachment; ")


@given(st.text())
def test_any_name_becomes_a_header_that_is_one_line_of_ascii_and_names_a_visible_file(name: str) -> None:
    header = disposition(display_name(name), is_attachment=True)
    assert header.isascii() and header.isprintable()
    plain = header.split('"')[1]
    assert plain and not plain.startswith((".", " ", "/")) and "/" not in plain and "\\" not in plain
    assert header.count('"') == 2


@given(st.text())
def test_a_shown_name_is_never_a_path_and_has_no_control_character(name: str) -> None:
    shown = display_name(name)
    assert "/" not in shown and "\\" not in shown and shown not in (".", "..")
    assert len(shown) <= 255
    assert all(each.isprintable() or each == "\u200d" for each in shown)


IMAGE_ELEMENTS = {
    "Chromium": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "Firefox": "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
    "Safari": "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
}


@pytest.mark.parametrize("headers", [*({"Accept": each} for each in IMAGE_ELEMENTS.values()), {"Prefer": "wait=20"}])
def test_an_image_element_waits_for_the_end_since_it_cannot_ask_again(web: Web, headers: dict[str, str]) -> None:
    job = web.upload()
    answers: list[TestResponse] = []
    asking = threading.Thread(target=lambda: answers.append(web.get(f"/api/jobs/{job['id']}/result", headers=headers)))
    asking.start()
    until(web.here.follower.watched_count)
    web.here.encode(ScriptedCodec(result=DATA))
    asking.join(20)
    assert (answers[0].status_code, answers[0].data) == (200, DATA)


OTHERS = ["*/*", "", "application/json", "text/html;q=0.8,*/*"]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"


def test_who_would_not_wait_is_told_so_at_once(web: Web, problem: Check) -> None:
    headers = {"Accept": "image/webp,*/*;q=0.5", "Prefer": "wait=0"}
    problem(web.get(f"/api/jobs/{web.upload()['id']}/result", headers=headers), 409, "not_ready")


@pytest.mark.parametrize("accept", OTHERS)
def test_any_other_client_is_told_at_once_that_it_is_not_ready(web: Web, problem: Check, accept: str) -> None:
    problem(web.get(f"/api/jobs/{web.upload()['id']}/result", headers={"Accept": accept}), 409, "not_ready")


def test_a_person_is_told_at_once_on_a_page_that_it_is_not_ready(web: Web) -> None:
    answer = web.get(f"/api/jobs/{web.upload()['id']}/result", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.mimetype) == (409, "text/html")
    assert 'href="/problems/not_ready"' in answer.text


def batch_of_three(web: Web) -> str:
    parts = {"file": [(io.BytesIO(image()), f"{number}.png") for number in range(3)]}
    batch = web.post("/api/jobs", data=parts).json
    while web.here.encode():
        pass
    return f"/api/batches/{batch['id']}/archive.zip"  # type: ignore[index]


def test_an_archive_of_which_a_result_cannot_be_read_now_is_503_and_leaves_no_file_open(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real, opened = batch_of_three(web), web.here.store.open_result, []

    def fail_at_the_third(job_id: str, file: str) -> object:
        opened.append(job_id)
        if len(opened) == 3:
            raise errors.BackendUnavailable(part="store", retry_after_s=5)
        return real(job_id, file)

    monkeypatch.setattr(web.here.store, "open_result", fail_at_the_third)
    answer = web.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert web.here.store.open_files == set()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_archive_whose_client_has_left_leaves_no_file_open(web: Web, method: str) -> None:
    answer = web.client.open(batch_of_three(web), method=method)
    assert answer.status_code == 200
    answer.close()
    assert web.here.store.open_files == set()
