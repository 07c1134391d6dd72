"""``POST /api/jobs``: an image comes in, raw or as multipart, whole or broken."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from backend import errors
from backend.core.conversion import Progress
from backend.core.limits import Limits
from tests.fakes.codec import ScriptedCodec
from tests.fakes.samples import image
from tests.fakes.waiting import until
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
Make = Callable[..., Web]
PNG = image()


def part(data: bytes = PNG, name: str = "cat.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def multipart(*parts: str | bytes, boundary: str = "XX") -> dict[str, Any]:
    """A body written by hand: each part is its own headers, blank line and bytes."""
    lines = b"".join(b"--" + boundary.encode() + b"\r\n" + (each if isinstance(each, bytes) else each.encode()) + b"\r\n" for each in parts)
    return {"data": lines + b"--" + boundary.encode() + b"--\r\n", "content_type": f"multipart/form-data; boundary={boundary}"}


def file_part(data: bytes = PNG, name: str = 'filename="cat.png"', field: str = "file") -> bytes:
    return f'Content-Disposition: form-data; name="{field}"; {name}\r\nContent-Type: image/png\r\n\r\n'.encode() + data


def test_a_raw_image_becomes_a_job(web: Web) -> None:
    response = web.post("/api/jobs?quality=70&filename=cat.png", data=PNG, content_type="image/png")
    job: Any = response.json
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/jobs/{job['id']}"
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content_type == "application/json"
    assert (job["state"], job["queue_position"], job["progress"], job["seq"]) == ("queued", 0, 0, 1)
    assert job["source"] == {"filename": "cat.png", "bytes": len(PNG), "format": "png", "width": 16, "height": 12, "frames": 1}
    assert job["options"] == {"quality": 70, "method": 4}
    assert web.here.store.entries[job["id"]].source == PNG


def test_the_declared_type_of_a_raw_body_does_not_matter(web: Web) -> None:
    for content_type in ("application/octet-stream", "image/webp", "text/plain", "application/x-www-form-urlencoded", None):
        job = web.post("/api/jobs", data=PNG, content_type=content_type).json
        assert job is not None and job["source"]["format"] == "png"


def test_a_raw_image_without_a_name_is_called_after_its_format(web: Web) -> None:
    assert web.upload(image("jpeg"))["source"]["filename"] == "image.jpg"


def test_a_multipart_image_becomes_a_job_with_its_name_and_options(web: Web) -> None:
    job = web.post("/api/jobs?width=8", data={"file": part(name="我的图片.png"), "quality": "55", "lossless": "true"}).json
    assert job is not None
    assert job["source"]["filename"] == "我的图片.png"
    assert job["options"] == {"quality": 55, "method": 4, "lossless": True, "width": 8}


def test_fields_may_come_after_the_file(web: Web) -> None:
    body = multipart(file_part(), 'Content-Disposition: form-data; name="quality"\r\n\r\n33')
    job = web.post("/api/jobs", **body).json
    assert job is not None and job["options"]["quality"] == 33


def test_a_large_multipart_image_arrives_whole(web: Web) -> None:
    data = PNG + bytes(range(256)) * 4000
    job = web.post("/api/jobs", **multipart(file_part(data))).json
    assert job is not None
    assert web.here.store.entries[job["id"]].source == data


def test_bytes_that_look_like_a_boundary_stay_in_the_image(web: Web) -> None:
    data = PNG + b"\r\n--X\r\n--XXX \r\n\r\n--" + b"\r\n" * 100
    job = web.post("/api/jobs", **multipart(file_part(data), boundary="XXXX")).json
    assert job is not None
    assert web.here.store.entries[job["id"]].source == data


def test_a_boundary_is_found_wherever_the_network_cuts_it(make_web: Make) -> None:
    """Around the end, around what only begins like one, and in the midst of the data; the chunks before and after are long and short."""
    filler = bytes(range(32, 127)) * 60
    data = PNG + filler + b"\r\n--XXXZ" + filler + b"\r\r\n--XX" + filler
    body = multipart(file_part(data), file_part(PNG, 'filename="b.png"'), boundary="XXXX")
    whole: bytes = body["data"]
    traps = (b"\r\n--XXXZ", b"\r\r\n--XX", b"\r\n--XXXX\r\nContent-Disposition", b"\r\n--XXXX--")
    near = [whole.index(trap) + at for trap in traps for at in range(-3, 14)]
    web = make_web()
    for cut in (*near, 5000):
        pieces = [whole[:cut], whole[cut:]] if cut % 2 else [whole[:400], whole[400:cut], whole[cut : cut + 1], whole[cut + 1 :]]
        jobs = web.post("/api/jobs", input_stream=Cut(pieces), content_type=body["content_type"]).json
        assert jobs is not None and [web.here.store.entries[each["id"]].source for each in jobs["jobs"]] == [data, PNG], f"cut at {cut}"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_a_form_that_comes_byte_by_byte_adds_no_byte_to_its_image(web: Web, size: int) -> None:
    """Nor one that is cut between the last two dashes: its image got the carriage return that stands before them."""
    body = multipart(file_part(), boundary="XXXX")
    whole: bytes = body["data"]
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    job = web.post("/api/jobs", input_stream=Cut(pieces), content_type=body["content_type"]).json
    assert job is not None and web.here.store.entries[job["id"]].source == PNG


class Cut(io.BytesIO):
    """A body that comes in these pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(b"".join(pieces))
        self._ends = list(itertools.accumulate(map(len, pieces)))

    def read(self, size: int | None = -1) -> bytes:
        end = next((each for each in self._ends if each > self.tell()), self.tell())
        return super().read(end - self.tell())


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ('filename="C:\\\\photos\\\\cat.png"', "cat.png"),
        ('filename="../../etc/passwd.png"', "passwd.png"),
        ('filename=".."', "image.png"),
        ('filename="a\tb\x07c.png"', "abc.png"),
        ('filename="\u202egnp.exe"', "gnp.exe"),
        ('filename="👨\u200d👩\u200d👧.png"', "👨\u200d👩\u200d👧.png"),
        ("filename*=UTF-8''%E6%88%91.png", "我.png"),
        ('filename="' + "x" * 300 + '.png"', "x" * 255),
        ('filename=""', "image.png"),
        ('filename="a%0d%0aX: y.png"', "a%0d%0aX: y.png"),
    ],
)
def test_a_file_name_is_text_to_show_and_never_a_path(web: Web, sent: str, shown: str) -> None:
    response = web.post("/api/jobs", **multipart(file_part(name=sent)))
    assert response.status_code == 202, response.text
    assert response.json is not None and response.json["source"]["filename"] == shown


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("gbk", "图片.png"),
        ("gbk", "我的照片.png"),
        ("cp1252", "Größe é.png"),
        ("cp932", "表.png"),
        ("cp932", "ソフト.png"),
        ("big5", "許功蓋.png"),
        ("cp949", "사진.png"),
    ],
)
def test_a_form_may_have_its_names_in_any_bytes(web: Web, charset: str, name: str) -> None:
    body = multipart(file_part().replace(b"cat.png", name.encode(charset)).replace(b"Content-Type:", b"X-N\xe4me: \xff\xfe\x85\xa0\r\nContent-Type:"))
    response = web.post("/api/jobs", **body)
    assert response.status_code == 202 and response.json is not None, response.text
    assert response.json["source"]["filename"] == name
    assert web.here.store.entries[response.json["id"]].source == PNG


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(name=st.binary(max_size=60))
def test_no_bytes_in_a_name_refuse_a_form(make_web: Make, name: bytes) -> None:
    web = make_web()
    name = name.replace(b"\r", b"").replace(b"\n", b"")
    response = web.post("/api/jobs", **multipart(file_part().replace(b"cat.png", name.replace(b'"', b"%22"))))
    assert response.status_code == 202, (name, response.text)


def test_the_charset_that_a_form_states_is_believed(web: Web) -> None:
    named = file_part().replace(b"cat.png", "牡丹.png".encode("gbk"))
    stated = multipart(b'Content-Disposition: form-data; name="_charset_"\r\n\r\ngbk', named)
    for body in (stated, multipart(named) | {"content_type": "multipart/form-data; charset=GBK; boundary=XX"}):
        response = web.post("/api/jobs", **body)
        assert response.status_code == 202 and (response.json or {})["source"]["filename"] == "牡丹.png"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("%E5%9B%BE%E7%89%87.png", "图片.png"),
        ("%D5%D5%C6%AC.png", "照片.png"),
        ("%CD%BC%C6%AC.png", "图片.png"),
        ("M%FCller.png", "Müller.png"),
        ("%95%5C.png", "表.png"),
        ("C%3A%5Cfakepath%5Ccat.png", "cat.png"),
        ("%C3%A8.png", "è.png"),
        ("a+b%2Bc%2.png", "a b+c%2.png"),
        ("%ED%A0%80.png", "�.png"),
    ],
)
def test_the_option_filename_may_be_escaped_in_any_charset(web: Web, query: str, name: str) -> None:
    assert web.upload(query=f"?filename={query}")["source"]["filename"] == name


def test_two_files_become_a_batch_of_two_jobs(web: Web) -> None:
    response = web.post("/api/jobs", **multipart(file_part(), file_part(name='filename="dog.png"')))
    batch: Any = response.json
    assert response.status_code == 202
    assert (batch["total"], [each["source"]["filename"] for each in batch["jobs"]]) == (2, ["cat.png", "dog.png"])
    assert {each["batch"] for each in batch["jobs"]} == {batch["id"]}
    assert set(web.here.store.entries) == {each["id"] for each in batch["jobs"]}


def test_more_files_than_the_limit_are_refused_and_nothing_is_kept(make_web: Make, problem: Check) -> None:
    web = make_web(web_rules={"max_files": 2})
    body = problem(web.post("/api/jobs", **multipart(file_part(), file_part(), file_part())), 400, "bad_request")
    assert "2 images" in body["detail"]
    assert web.here.store.entries == {}


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"data": b""}, 422, "empty_file"),
        (multipart(file_part(b"")), 422, "empty_file"),
        (multipart('Content-Disposition: form-data; name="quality"\r\n\r\n80'), 400, "bad_request"),
        (multipart(), 400, "bad_request"),
        ({"data": b"--XX\r\n", "content_type": "multipart/form-data"}, 400, "bad_request"),
        ({"data": multipart(file_part())["data"][:-30], "content_type": "multipart/form-data; boundary=XX"}, 400, "bad_request"),
        ({"data": b"no multipart at all", "content_type": "multipart/form-data; boundary=XX"}, 400, "bad_request"),
        ({"data": b"", "content_type": "multipart/form-data; boundary=XX"}, 400, "bad_request"),
        (multipart(b"no headers here\r\n\r\nx"), 400, "bad_request"),
        (multipart("Content-Disposition: form-data\r\n\r\nx"), 400, "bad_request"),
        (multipart(*['Content-Disposition: form-data; name="quality"\r\n\r\n80'] * 200), 400, "bad_request"),
        (multipart('Content-Disposition: form-data; name="filename"\r\n\r\n' + "x" * 70_000), 413, "too_large"),
        ({"data": multipart(file_part())["data"], "content_type": f"multipart/form-data; boundary={'X' * 201}"}, 400, "bad_request"),
        (multipart(f'Content-Disposition: form-data; name="file"; filename="{"x" * 20_000}"\r\n\r\nx'), 400, "bad_request"),
        ({"data": b"\r\n" * 20_000, "content_type": "multipart/form-data; boundary=XX"}, 400, "bad_request"),
        ({"json": {"file": "cat.png"}}, 400, "bad_request"),
        ({"data": b"just text, no image"}, 415, "unsupported_format"),
        ({"data": b"%PDF-1.4 ..."}, 415, "unsupported_format"),
        (multipart(file_part(b"<svg xmlns='x'></svg>")), 415, "unsupported_format"),
    ],
    ids=repr,
)
def test_a_body_that_brings_no_image_is_a_problem_and_leaves_nothing(web: Web, problem: Check, given: dict[str, Any], status: int, code: str) -> None:
    problem(web.post("/api/jobs", **given), status, code)
    assert web.here.store.entries == {}


def test_an_upload_that_breaks_off_is_told_how_far_it_came(web: Web, problem: Check) -> None:
    body = problem(web.post("/api/jobs", data=PNG, environ_overrides={"CONTENT_LENGTH": str(len(PNG) + 100)}), 400, "bad_request")
    assert f"after {len(PNG)} bytes" in body["detail"]


@pytest.mark.parametrize("query", ["a&" * 4000, "%e4&" * 2000, "filename=%e4&" * 500, "quality=1&" * 101])
def test_a_query_of_very_many_names_is_refused_before_any_is_looked_at(web: Web, problem: Check, query: str) -> None:
    problem(web.post(f"/api/jobs?{query}", data=PNG), 400, "bad_request")


class Unread:
    """A body that must not be touched."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


def test_a_declared_size_over_the_limit_is_refused_before_the_body_is_read(web: Web, problem: Check) -> None:
    request = {"wsgi.input": Unread(), "CONTENT_LENGTH": str((64 << 20) + 1)}
    response = web.post("/api/jobs", content_type="image/png", environ_overrides=request)
    assert "64 MiB" in problem(response, 413, "too_large")["detail"]


@pytest.mark.parametrize("query", ["?quality=101", "?qualty=80", "?quality=80&quality=80"])
def test_wrong_options_in_the_address_are_refused_before_the_body_is_read(web: Web, problem: Check, query: str) -> None:
    problem(web.post(f"/api/jobs{query}", content_type="image/png", environ_overrides={"wsgi.input": Unread()}), 422, "invalid_option")


def test_an_undeclared_size_is_bounded_while_it_comes(make_web: Make, problem: Check) -> None:
    web = make_web(rules={"limits": Limits(upload_bytes=len(PNG))})
    assert web.post("/api/jobs", input_stream=io.BytesIO(PNG)).status_code == 202
    problem(web.post("/api/jobs", input_stream=io.BytesIO(PNG + b"x")), 413, "too_large")


def test_a_multipart_file_over_the_limit_is_refused(make_web: Make, problem: Check) -> None:
    web = make_web(rules={"limits": Limits(upload_bytes=len(PNG))})
    assert web.post("/api/jobs", data={"file": part()}).status_code == 202
    problem(web.post("/api/jobs", data={"file": part(PNG + b"x")}), 413, "too_large")


def test_too_many_pixels_are_refused_with_the_figures(make_web: Make, problem: Check) -> None:
    web = make_web(rules={"limits": Limits(pixels=100)})
    assert "16 × 12 × 1 = 192" in problem(web.post("/api/jobs", data=PNG), 422, "too_many_pixels")["detail"]


def test_a_full_queue_is_told_before_the_body_is_read(make_web: Make, problem: Check) -> None:
    web = make_web(rules={"max_queued_jobs": 1})
    web.upload()
    problem(web.post("/api/jobs", content_type="image/png", environ_overrides={"wsgi.input": Unread()}), 503, "queue_full")


def test_a_full_disk_is_told_before_the_body_is_read(web: Web, problem: Check) -> None:
    web.here.store.is_full = True
    problem(web.post("/api/jobs", content_type="image/png", environ_overrides={"wsgi.input": Unread()}), 507, "storage_full")


def test_without_redis_an_image_is_accepted_all_the_same(web: Web) -> None:
    web.here.server.is_down = True
    job = web.upload()
    assert web.get(f"/api/jobs/{job['id']}").json["state"] == "queued"  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "name", "suggestion"), [("?qualtiy=80", "qualtiy", "quality"), ("?method=7", "method", "6"), ("?fit=covr", "fit", "cover")]
)
def test_a_wrong_option_is_named_and_the_nearest_suggested(web: Web, problem: Check, query: str, name: str, suggestion: str) -> None:
    body = problem(web.post(f"/api/jobs{query}", data=PNG), 422, "invalid_option")
    assert (body["option"], body["suggestion"]) == (name, suggestion)


def test_a_wrong_option_in_a_form_leaves_nothing_of_the_image(web: Web, problem: Check) -> None:
    problem(web.post("/api/jobs", data={"file": part(), "quality": "high"}), 422, "invalid_option")
    assert web.here.store.entries == {}


def test_preferring_to_wait_gives_the_end_when_it_comes_in_time(web: Web) -> None:
    web.encode_at_once()
    response = web.post("/api/jobs", data=PNG, headers={"Prefer": "wait=10"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "wait=10")
    assert response.json is not None and response.json["state"] == "succeeded"


def test_preferring_to_wait_gives_the_job_as_it_is_when_time_is_over(web: Web) -> None:
    response = web.post("/api/jobs", data=PNG, headers={"Prefer": "respond-async, wait=0"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (202, "wait=0")
    assert response.headers["Location"] == f"/api/jobs/{response.json['id']}"  # type: ignore[index]


def test_who_waits_is_answered_as_soon_as_the_job_ends(web: Web) -> None:
    answers: list[TestResponse] = []
    asking = threading.Thread(target=lambda: answers.append(web.post("/api/jobs", data=PNG, headers={"Prefer": "wait=20"})))
    asking.start()
    until(web.here.follower.watched_count)
    web.here.encode()
    asking.join(10)
    assert answers[0].status_code == 200


def test_no_one_is_kept_waiting_for_longer_than_half_a_minute(web: Web) -> None:
    web.encode_at_once()
    assert web.post("/api/jobs", data=PNG, headers={"Prefer": "wait=3600"}).headers["Preference-Applied"] == "wait=30"


def test_the_same_idempotency_key_gives_the_same_job(web: Web) -> None:
    first = web.upload(Idempotency_Key="key-1")
    again = web.upload(Idempotency_Key="key-1")
    assert first["id"] == again["id"]
    assert web.upload(Idempotency_Key="key-2")["id"] != first["id"]
    assert web.upload()["id"] != first["id"]
    assert len(web.here.store.entries) == 3


@pytest.mark.parametrize(("data", "query"), [(image("jpeg"), ""), (PNG, "?quality=10")])
def test_the_same_idempotency_key_with_another_request_is_refused(web: Web, problem: Check, data: bytes, query: str) -> None:
    web.upload(Idempotency_Key="key-1")
    body = problem(web.post(f"/api/jobs{query}", data=data, headers={"Idempotency-Key": "key-1"}), 422, "invalid_option")
    assert body["option"] == "Idempotency-Key"


def test_an_idempotency_key_of_a_refused_request_can_be_used_again(make_web: Make, problem: Check) -> None:
    web = make_web(rules={"max_queued_jobs": 1})
    web.upload()
    check_room, web.here.queue.depth = web.here.queue.depth, lambda: 0  # type: ignore[method-assign]
    problem(web.post("/api/jobs", data=PNG, headers={"Idempotency-Key": "key-1"}), 503, "queue_full")
    web.here.queue.depth = check_room  # type: ignore[method-assign]
    web.here.encode()
    assert web.upload(Idempotency_Key="key-1")["state"] == "queued"


def test_idempotency_keys_of_different_clients_do_not_meet(make_web: Make) -> None:
    web = make_web(keys=("key-of-one", "key-of-two"))
    one = web.upload(Idempotency_Key="same", Authorization="Bearer key-of-one")
    two = web.upload(Idempotency_Key="same", Authorization="Bearer key-of-two")
    assert one["id"] != two["id"]


def test_an_idempotency_key_lasts_a_day(web: Web) -> None:
    first = web.upload(Idempotency_Key="key-1")
    web.here.clock.advance(86_401)
    assert web.upload(Idempotency_Key="key-1")["id"] != first["id"]


def test_an_image_that_fails_later_tells_why_in_its_job(web: Web) -> None:
    job = web.upload()
    web.here.encode(ScriptedCodec(Progress("decode", 10), errors.DamagedImage(private="/tmp/x: broken at 17")))
    shown = web.get(f"/api/jobs/{job['id']}").text
    assert '"state": "failed"' in shown and '"code": "damaged_image"' in shown
    assert "/tmp/x" not in shown
