"""tus 1.0.0, section by section: each test names what the specification (https://tus.io/protocols/resumable-upload) demands."""

from __future__ import annotations

import base64
import hashlib
import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.samples import image
from tests.fakes.uploads import every_upload
from tests.system.uploads.conftest import OFFSET_TYPE, VERSION, Tus, job_id, metadata

PNG = image("png", 64, 48)
JPEG = image("jpeg", 400, 300)
EVERY_METHOD = ("POST", "HEAD", "PATCH", "DELETE")


def sha1(data: bytes) -> str:
    return "sha1 " + base64.b64encode(hashlib.sha1(data).digest()).decode()


# Core: Tus-Resumable, OPTIONS, HEAD, PATCH


@pytest.mark.parametrize("path", ["/api/uploads", "/api/uploads/4k6Zr0m1x8uQyB5w2TnHcA"])
def test_options_tells_versions_extensions_size_and_algorithms_without_being_asked_for_a_version(tus: Tus, path: str) -> None:
    response = tus.ask("OPTIONS", path, Tus_Resumable="")
    assert response.status_code == 200
    assert response.headers["Tus-Version"] == "1.0.0"
    assert response.headers["Tus-Extension"].split(",") == [
        *("creation", "creation-with-upload", "creation-defer-length", "termination", "expiration", "checksum", "concatenation")
    ]
    assert response.headers["Tus-Max-Size"] == str(64 << 20)
    assert response.headers["Tus-Checksum-Algorithm"].startswith("sha1,sha256")


@pytest.mark.parametrize("method", EVERY_METHOD)
@pytest.mark.parametrize("version", ["", "0.2.2", "1.0.1"])
def test_another_version_is_412_with_the_versions_that_are_spoken_and_nothing_is_done(tus: Tus, method: str, version: str) -> None:
    path = tus.created(len(PNG))
    response = tus.ask(method, "/api/uploads" if method == "POST" else path, Tus_Resumable=version, Upload_Length=len(PNG), Upload_Offset=0)
    assert response.status_code == 412
    assert (response.headers["Tus-Version"], response.headers["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    assert tus.offset(path) == 0


def test_every_answer_carries_the_version(tus: Tus) -> None:
    path = tus.created(len(PNG))
    answers = [
        tus.create(len(PNG)),
        tus.head(path),
        tus.patch(path, 0, PNG[:10]),
        tus.patch(path, 0, PNG),
        tus.ask("GET", path),
        tus.head("/api/uploads/unknown"),
        tus.ask("DELETE", path),
    ]
    assert [each.status_code for each in answers] == [201, 200, 204, 409, 405, 404, 204]
    assert {each.headers["Tus-Resumable"] for each in answers} == {"1.0.0"}


def test_head_tells_offset_and_length_and_is_never_cached(tus: Tus) -> None:
    path = tus.created(len(PNG))
    tus.patch(path, 0, PNG[:7])
    response = tus.head(path)
    assert response.status_code == 200
    assert (response.headers["Upload-Offset"], response.headers["Upload-Length"]) == ("7", str(len(PNG)))
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["4k6Zr0m1x8uQyB5w2TnHcA", "x", "..%2f..%2fetc", "%00", "." * 22])
@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_an_upload_that_is_not_there_is_404_without_an_offset(tus: Tus, name: str, method: str) -> None:
    response = tus.ask(method, f"/api/uploads/{name}", Upload_Offset=0, headers=OFFSET_TYPE)
    assert response.status_code == 404
    assert "Upload-Offset" not in response.headers


def test_patch_answers_204_with_the_new_offset_and_the_last_one_with_the_job(tus: Tus) -> None:
    path = tus.created(len(PNG), headers=metadata(filename="我的图片.png", filetype="image/png", quality="55", width="32"))
    first = tus.patch(path, 0, PNG[:20])
    assert (first.status_code, first.headers["Upload-Offset"], first.headers.get("Link")) == (204, "20", None)
    assert tus.jobs() == []
    last = tus.patch(path, 20, PNG[20:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(PNG)))
    assert tus.head(path).headers["Link"] == last.headers["Link"]
    assert tus.source(last.headers["Link"]) == PNG
    manifest = tus.store.manifest(job_id(last.headers["Link"]))
    assert (manifest.source.filename, manifest.source.sha256) == ("我的图片.png", hashlib.sha256(PNG).hexdigest())
    assert (manifest.options.quality, manifest.options.width) == (55, 32)
    assert tus.here.queue.depth() == 1 and tus.here.server.tickets() == 1


@pytest.mark.parametrize("offset", [0, 19, 21, len(PNG), 10**29])
def test_a_wrong_offset_is_409_with_the_right_one_and_changes_nothing(tus: Tus, offset: int) -> None:
    path = tus.created(len(PNG))
    tus.patch(path, 0, PNG[:20])
    response = tus.patch(path, offset, PNG[20:])
    assert (response.status_code, response.json["code"]) == (409, "offset_mismatch")  # type: ignore[index]
    assert "byte 20." in response.json["detail"]  # type: ignore[index]
    assert response.headers["Upload-Offset"] == "20"
    assert tus.offset(path) == 20
    assert tus.patch(path, 20, PNG[20:]).status_code == 204


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "image/png", "multipart/form-data; boundary=x"])
def test_a_patch_of_another_content_type_is_415(tus: Tus, kind: str) -> None:
    path = tus.created(len(PNG))
    response = tus.ask("PATCH", path, PNG, Upload_Offset=0, Content_Type=kind)
    assert (response.status_code, response.json["code"]) == (415, "unsupported_format")  # type: ignore[index]
    assert tus.offset(path) == 0


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "abc", "٣", "1" * 101])
def test_an_offset_that_is_no_number_is_400(tus: Tus, offset: str) -> None:
    path = tus.created(len(PNG))
    assert tus.ask("PATCH", path, PNG, headers={**OFFSET_TYPE, "Upload-Offset": offset.encode().decode("latin-1")}).status_code == 400
    assert tus.offset(path) == 0


def test_a_patch_beyond_the_announced_length_is_413_and_counts_for_nothing(tus: Tus) -> None:
    path = tus.created(len(PNG))
    response = tus.patch(path, 0, PNG + b"x")
    assert (response.status_code, response.json["code"]) == (413, "too_large")  # type: ignore[index]
    assert tus.offset(path) == 0


def test_an_empty_patch_is_no_progress_and_no_error(tus: Tus) -> None:
    path = tus.created(len(PNG))
    assert tus.patch(path, 0, b"").status_code == 204
    assert tus.offset(path) == 0


def test_an_empty_patch_to_a_finished_upload_tells_its_job_again(tus: Tus) -> None:
    path = tus.created(len(PNG))
    link = tus.patch(path, 0, PNG).headers["Link"]
    assert tus.patch(path, len(PNG), b"").headers["Link"] == link
    assert tus.jobs() == [job_id(link)]


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_a_method_may_come_in_the_override_header(tus: Tus, method: str) -> None:
    path = tus.created(len(PNG))
    given = {**OFFSET_TYPE, "X-HTTP-Method-Override": method, "Upload-Offset": "0"}
    response = tus.ask("POST", path, PNG[:9] if method == "PATCH" else None, headers=given)
    assert response.status_code == {"HEAD": 200, "PATCH": 204, "DELETE": 204}[method]
    assert response.headers.get("Upload-Offset") == {"HEAD": "0", "PATCH": "9", "DELETE": None}[method]


def test_another_method_is_405_and_names_those_there_are(tus: Tus) -> None:
    response = tus.ask("GET", tus.created(len(PNG)))
    assert response.status_code == 405
    assert {"HEAD", "PATCH", "DELETE"} <= {each.strip() for each in response.headers["Allow"].split(",")}


# Creation


def test_creation_answers_201_with_the_address(tus: Tus) -> None:
    response = tus.create(len(PNG))
    assert response.status_code == 201
    name = response.headers["Location"].removeprefix("/api/uploads/")
    assert len(name) == 22
    assert response.headers["Upload-Offset"] == "0"
    assert tus.offset(response.headers["Location"]) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"Upload-Length": "-1"},
        {"Upload-Length": "abc"},
        {"Upload-Length": "1.0"},
        {"Upload-Defer-Length": "2"},
        {"Upload-Defer-Length": "0"},
        {"Upload-Length": "10", "Upload-Defer-Length": "1"},
        {"Upload-Length": "10", "Upload-Metadata": "filename !!!"},
        {"Upload-Length": "10", "Upload-Metadata": "filename YQ==,filename YQ=="},
        {"Upload-Length": "10", "Upload-Metadata": "filename YQ== YQ=="},
        {"Upload-Length": "10", "Upload-Concat": "whole"},
        {"Upload-Length": "10", "Upload-Concat": "partial;/api/uploads/x"},
        {"Upload-Concat": "final"},
        {"Upload-Concat": "final;"},
        {"Upload-Concat": "final;/elsewhere/4k6Zr0m1x8uQyB5w2TnHcA"},
    ],
)
def test_a_creation_that_makes_no_sense_is_400_and_leaves_nothing(tus: Tus, wrong: dict[str, str]) -> None:
    response = tus.ask("POST", "/api/uploads", headers=wrong)
    assert (response.status_code, response.json["code"]) == (400, "bad_request")  # type: ignore[index]
    assert every_upload(tus.uploads) == []


def test_an_upload_larger_than_the_limit_is_413_before_a_byte_is_sent(tus: Tus) -> None:
    response = tus.create((64 << 20) + 1)
    assert (response.status_code, response.json["code"]) == (413, "too_large")  # type: ignore[index]
    assert tus.create(64 << 20).status_code == 201


def test_an_image_of_no_bytes_is_422(tus: Tus) -> None:
    assert (tus.create(0).status_code, every_upload(tus.uploads)) == (422, [])


@pytest.mark.parametrize(
    ("pairs", "option"),
    [({"qualitty": "80"}, "qualitty"), ({"quality": "101"}, "quality"), ({"lossless": "maybe"}, "lossless"), ({"Width": "9"}, "Width")],
)
def test_an_option_that_cannot_be_used_is_422_at_creation_and_named(tus: Tus, pairs: dict[str, str], option: str) -> None:
    response = tus.create(len(PNG), headers=metadata(**pairs))
    assert (response.status_code, response.json["option"]) == (422, option)  # type: ignore[index]
    assert every_upload(tus.uploads) == []


def test_what_uppy_says_about_a_file_is_no_option(tus: Tus) -> None:
    pairs = {"relativePath": "null", "name": "a/b/cat.png", "type": "image/png", "filetype": "image/png", "quality": "1"}
    path = tus.created(len(PNG), headers=metadata(**pairs))
    manifest = tus.store.manifest(job_id(tus.patch(path, 0, PNG).headers["Link"]))
    assert (manifest.source.filename, manifest.options.quality) == ("cat.png", 1)


def test_metadata_come_back_as_they_were_given(tus: Tus) -> None:
    given = "filename Y2F0LnBuZw==, lossless,filetype aW1hZ2UvcG5n"
    assert tus.head(tus.created(len(PNG), Upload_Metadata=given)).headers["Upload-Metadata"] == given


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\secret\\cat.png", "a\r\nSet-Cookie: x", "\0", "🎈" * 3000, "\u202egnp.exe"])
def test_a_file_name_is_text_to_show_and_nothing_else(tus: Tus, name: str) -> None:
    path = tus.created(len(PNG), headers=metadata(filename=name[:1400]))
    shown = tus.store.manifest(job_id(tus.patch(path, 0, PNG).headers["Link"])).source.filename
    assert shown and len(shown) <= 255 and not {"/", "\\", "\r", "\n", "\0", "\u202e"} & set(shown)


def test_creation_with_upload_takes_the_first_bytes(tus: Tus) -> None:
    response = tus.ask("POST", "/api/uploads", PNG[:30], headers=OFFSET_TYPE, Upload_Length=len(PNG))
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "30")
    assert "Link" in tus.patch(response.headers["Location"], 30, PNG[30:]).headers


def test_creation_with_all_of_the_upload_is_the_job(tus: Tus) -> None:
    response = tus.ask("POST", "/api/uploads", PNG, headers=OFFSET_TYPE, Upload_Length=len(PNG))
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, str(len(PNG)))
    assert tus.source(response.headers["Link"]) == PNG


def test_creation_with_upload_that_fails_leaves_no_upload_that_nobody_knows(tus: Tus) -> None:
    assert tus.ask("POST", "/api/uploads", PNG, headers=OFFSET_TYPE, Upload_Length=len(PNG), Upload_Checksum=sha1(b"x")).status_code == 460
    assert tus.ask("POST", "/api/uploads", PNG, headers=OFFSET_TYPE, Upload_Length=3).status_code == 413
    assert tus.ask("POST", "/api/uploads", PNG, Upload_Length=len(PNG), Content_Type="image/png").status_code == 415
    assert every_upload(tus.uploads) == []


def test_a_deferred_length_is_told_with_a_later_piece_and_then_stands(tus: Tus) -> None:
    path = tus.created(None)
    head = tus.head(path)
    assert head.headers["Upload-Defer-Length"] == "1" and "Upload-Length" not in head.headers
    assert tus.patch(path, 0, PNG[:10]).status_code == 204
    assert tus.patch(path, 10, PNG[10:20], Upload_Length=len(PNG)).status_code == 204
    assert tus.head(path).headers["Upload-Length"] == str(len(PNG))
    assert tus.patch(path, 20, b"", Upload_Length=len(PNG) + 1).status_code == 400
    assert "Link" in tus.patch(path, 20, PNG[20:], Upload_Length=len(PNG)).headers


@pytest.mark.parametrize(("length", "status"), [(3, 400), ((64 << 20) + 1, 413)])
def test_a_length_that_comes_later_must_be_possible(tus: Tus, length: int, status: int) -> None:
    path = tus.created(None)
    tus.patch(path, 0, PNG[:10])
    assert tus.patch(path, 10, b"", Upload_Length=length).status_code == status
    assert tus.head(path).headers["Upload-Defer-Length"] == "1"


def test_a_deferred_length_is_no_way_around_the_limit(tmp_path: Path) -> None:
    from backend.core.limits import Limits

    tus = Tus(tmp_path / "store", limits=Limits(upload_bytes=100))
    path = tus.created(None)
    assert tus.patch(path, 0, PNG[:100]).status_code == 204
    assert tus.patch(path, 100, PNG[100:]).status_code == 413
    assert tus.offset(path) == 100


# Expiration


def test_every_creation_and_piece_says_when_the_upload_expires(tus: Tus) -> None:
    """An upload of which no byte has come lives for an hour: so nobody holds inodes for a day by creations alone."""
    response = tus.create(len(PNG))
    for each, lives_s in ((response, 3600), (tus.patch(response.headers["Location"], 0, PNG[:5]), 86_400)):
        left_s = parsedate_to_datetime(each.headers["Upload-Expires"]).timestamp() - tus.here.clock()
        assert lives_s - 10 < left_s <= lives_s


def test_an_expired_upload_is_not_found_and_then_erased(tus: Tus) -> None:
    path = tus.created(len(PNG))
    tus.patch(path, 0, PNG[:30])
    tus.here.clock.advance(86_000)  # type: ignore[union-attr]
    assert tus.patch(path, 30, PNG[30:40]).status_code == 204
    tus.here.clock.advance(86_000)  # type: ignore[union-attr]
    assert tus.offset(path) == 40
    tus.here.clock.advance(500)  # type: ignore[union-attr]
    assert tus.head(path).status_code == 404


# Termination


def test_a_terminated_upload_is_gone(tus: Tus) -> None:
    path = tus.created(len(PNG))
    tus.patch(path, 0, PNG[:30])
    assert tus.ask("DELETE", path).status_code == 204
    assert [tus.ask(method, path, Upload_Offset=30, headers=OFFSET_TYPE).status_code for method in ("HEAD", "PATCH", "DELETE")] == [404, 404, 404]


def test_terminating_a_finished_upload_leaves_its_job(tus: Tus) -> None:
    path = tus.created(len(PNG))
    link = tus.patch(path, 0, PNG).headers["Link"]
    assert tus.ask("DELETE", path).status_code == 204
    assert tus.source(link) == PNG


# Checksum


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512", "md5"])
def test_a_piece_with_the_right_sum_counts(tus: Tus, algorithm: str) -> None:
    path = tus.created(len(PNG))
    digest = base64.b64encode(hashlib.new(algorithm, PNG[:40]).digest()).decode()
    assert tus.patch(path, 0, PNG[:40], Upload_Checksum=f"{algorithm} {digest}").status_code == 204
    assert tus.offset(path) == 40


def test_a_piece_with_a_wrong_sum_is_460_and_was_never_there(tus: Tus) -> None:
    path = tus.created(len(PNG))
    tus.patch(path, 0, PNG[:40])
    response = tus.patch(path, 40, b"x" * 20, Upload_Checksum=sha1(PNG[40:60]))
    assert (response.status_code, response.json["code"]) == (460, "bad_request")  # type: ignore[index]
    assert tus.offset(path) == 40
    assert tus.source(tus.patch(path, 40, PNG[40:], Upload_Checksum=sha1(PNG[40:])).headers["Link"]) == PNG


@pytest.mark.parametrize("wrong", ["crc99 AAAA", "sha1", "sha1 !!!", "sha1 AAAA", "AAAA"])
def test_a_sum_that_cannot_be_checked_is_400(tus: Tus, wrong: str) -> None:
    path = tus.created(len(PNG))
    assert tus.patch(path, 0, PNG[:40], Upload_Checksum=wrong).status_code == 400
    assert tus.offset(path) == 0


# Concatenation


def parts(tus: Tus, *pieces: bytes) -> list[str]:
    paths = [tus.created(len(piece), Upload_Concat="partial") for piece in pieces]
    for path, piece in zip(paths, pieces, strict=True):
        assert tus.patch(path, 0, piece).status_code == 204
    return paths


def test_a_final_upload_is_its_parts_in_order_and_becomes_the_job(tus: Tus) -> None:
    paths = parts(tus, JPEG[:500], JPEG[500:600], JPEG[600:])
    assert tus.jobs() == []
    concat = f"final;{paths[0]} https://gateway.example{paths[1]} {paths[2]}"
    response = tus.ask("POST", "/api/uploads", headers={"Upload-Concat": concat, **metadata(quality="33")})
    assert response.status_code == 201
    assert tus.source(response.headers["Link"]) == JPEG
    assert tus.store.manifest(job_id(response.headers["Link"])).options.quality == 33
    head = tus.head(response.headers["Location"])
    assert (head.headers["Upload-Concat"], head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (concat, *2 * (str(len(JPEG)),))
    assert head.headers["Link"] == response.headers["Link"]


def test_a_partial_upload_says_so_and_makes_no_job(tus: Tus) -> None:
    path = parts(tus, PNG)[0]
    head = tus.head(path)
    assert head.headers["Upload-Concat"] == "partial" and "Link" not in head.headers
    assert tus.jobs() == []


def test_a_patch_to_a_final_upload_is_403(tus: Tus) -> None:
    final = tus.ask("POST", "/api/uploads", Upload_Concat=f"final;{' '.join(parts(tus, PNG[:9], PNG[9:]))}").headers["Location"]
    response = tus.patch(final, len(PNG), b"")
    assert (response.status_code, response.json["code"]) == (403, "bad_request")  # type: ignore[index]


def test_parts_must_be_there_be_partial_and_be_complete(tus: Tus) -> None:
    whole, done, open_ = tus.created(len(PNG)), parts(tus, PNG)[0], tus.created(10, Upload_Concat="partial")
    statuses = {"/api/uploads/4k6Zr0m1x8uQyB5w2TnHcA": 404, whole: 400, open_: 400}
    assert {path: tus.ask("POST", "/api/uploads", Upload_Concat=f"final;{done} {path}").status_code for path in statuses} == statuses
    assert tus.jobs() == []


def test_parts_may_not_be_more_than_the_limit_together(tmp_path: Path) -> None:
    from backend.core.limits import Limits

    tus = Tus(tmp_path / "store", limits=Limits(upload_bytes=100))
    both = parts(tus, PNG[:60], PNG[60:110])
    assert tus.ask("POST", "/api/uploads", Upload_Concat=f"final;{both[0]} {both[1]}").status_code == 413


def test_parts_that_make_no_image_are_415_and_leave_no_final_upload(tus: Tus) -> None:
    both = parts(tus, b"no image " * 600, b"at all")
    assert tus.ask("POST", "/api/uploads", Upload_Concat=f"final;{both[0]} {both[1]}").status_code == 415
    assert [info.is_partial for info, _ in every_upload(tus.uploads)] == [True, True]


# What the gateway adds


def test_what_is_no_image_is_refused_as_soon_as_its_first_bytes_are_in(tus: Tus) -> None:
    path = tus.created(50_000)
    assert tus.patch(path, 0, b"<html>" + b"x" * 3000).status_code == 204
    response = tus.patch(path, 3006, b"x" * 2000)
    assert (response.status_code, response.json["code"]) == (415, "unsupported_format")  # type: ignore[index]
    assert tus.head(path).status_code == 404


@pytest.mark.parametrize(("data", "code"), [(b"tiny text", "unsupported_format"), (PNG[:20], "damaged_image")])
def test_what_turns_out_to_be_no_image_at_its_end_is_refused_and_erased(tus: Tus, data: bytes, code: str) -> None:
    path = tus.created(len(data))
    assert tus.patch(path, 0, data).json["code"] == code  # type: ignore[index]
    assert tus.head(path).status_code == 404
    assert tus.jobs() == [] and every_upload(tus.uploads) == []


def test_a_full_queue_refuses_the_creation(tmp_path: Path) -> None:
    tus = Tus(tmp_path / "store", max_queued_jobs=1)
    tus.patch(tus.created(len(PNG)), 0, PNG)
    response = tus.create(len(PNG))
    assert (response.status_code, response.json["code"]) == (503, "queue_full")  # type: ignore[index]
    assert "Retry-After" in response.headers


def test_a_queue_that_filled_up_meanwhile_costs_time_and_no_byte(tmp_path: Path) -> None:
    tus = Tus(tmp_path / "store", max_queued_jobs=1)
    waiting, late = tus.created(len(PNG)), tus.created(len(PNG))
    tus.patch(waiting, 0, PNG)
    assert tus.patch(late, 0, PNG).status_code == 503
    assert tus.head(late).status_code == 503
    tus.here.queue.take("token", 60)
    response = tus.head(late)
    assert (response.status_code, response.headers["Upload-Offset"]) == (200, str(len(PNG)))
    assert tus.source(response.headers["Link"]) == PNG


def test_without_redis_an_upload_becomes_its_job_all_the_same(tus: Tus) -> None:
    path = tus.created(len(PNG))
    tus.here.server.is_down = True
    assert tus.source(tus.patch(path, 0, PNG).headers["Link"]) == PNG


def test_another_keys_upload_is_not_found(tmp_path: Path) -> None:
    tus = Tus(tmp_path / "store", keys=("first-key-1", "second-key-2"))
    mine, other = {"Authorization": "Bearer first-key-1"}, {"Authorization": "Bearer second-key-2"}
    assert tus.create(len(PNG)).status_code == 401
    path = tus.created(len(PNG), headers={**mine, "Upload-Concat": "partial"})
    assert [tus.ask(each, path, headers={**OFFSET_TYPE, **other}, Upload_Offset=0).status_code for each in ("HEAD", "PATCH", "DELETE")] == [404] * 3
    assert tus.patch(path, 0, PNG, headers=mine).status_code == 204
    assert tus.ask("POST", "/api/uploads", headers=other, Upload_Concat=f"final;{path}").status_code == 404


def test_a_page_of_an_allowed_origin_may_send_and_read_what_the_protocol_needs(tus: Tus) -> None:
    origin = {"Origin": "https://other.example"}
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "tus-resumable,upload-offset"}
    preflight = tus.ask("OPTIONS", "/api/uploads/4k6Zr0m1x8uQyB5w2TnHcA", Tus_Resumable="", headers={**origin, **asked})
    assert preflight.status_code == 200
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == "tus-resumable,upload-offset"
    exposed = {each.strip() for each in tus.create(len(PNG), headers=origin).headers["Access-Control-Expose-Headers"].split(",")}
    assert {"Location", "Link", "Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable", "Tus-Version"} <= exposed


def test_an_error_speaks_the_readers_language(tus: Tus) -> None:
    response = tus.ask("POST", "/api/uploads", Tus_Resumable="0.1", Accept_Language="zh-CN")
    assert response.json["title"] == "协议版本不符"  # type: ignore[index]
    assert VERSION["Tus-Resumable"] in response.json["detail"]  # type: ignore[index]


# Uploads outlive versions

OF_1_0_0 = {
    "id": "4k6Zr0m1x8uQyB5w2TnHcA",
    "job_id": "5k6Zr0m1x8uQyB5w2TnHcA",
    "options": {"quality": 55, "width": 32},
    "filename": "cat.png",
    "metadata": "",
    "concat": None,
    "owner": "",
    "client": "",
    "request_id": "",
    "maker": "",
}
"""A record as version 1.0.0 wrote it. The options that it leaves out have their defaults."""


def test_an_upload_that_the_first_version_began_goes_on(tus: Tus, tmp_path: Path) -> None:
    folder = tmp_path / "store" / "uploads" / str(OF_1_0_0["id"])
    folder.mkdir()
    (folder / "ticket.json").write_text(json.dumps(OF_1_0_0))
    (folder / "data").write_bytes(PNG[:20])
    (folder / "journal").write_text(f"20 {len(PNG)} 0 {tus.here.clock():.3f}\n")
    path = f"/api/uploads/{OF_1_0_0['id']}"
    head = tus.head(path)
    assert (head.headers["Upload-Offset"], "Upload-Metadata" in head.headers) == ("20", False)
    link = tus.patch(path, 20, PNG[20:]).headers["Link"]
    assert (job_id(link), tus.store.manifest(job_id(link)).options.width, tus.source(link)) == (OF_1_0_0["job_id"], 32, PNG)


def test_an_upload_is_recorded_as_the_first_version_can_read_it(tus: Tus, tmp_path: Path) -> None:
    path = tus.created(len(PNG), headers=metadata(userId="7", fileName="cat.png", quality="55"))
    record = json.loads((tmp_path / "store" / "uploads" / path.rpartition("/")[2] / "ticket.json").read_text())
    assert set(record) == set(OF_1_0_0)
    assert (record["filename"], record["options"]["quality"]) == ("cat.png", 55)


# Idempotency-Key: the gateway's own


def test_a_creation_that_is_sent_again_finds_the_first_upload_wherever_it_stands(tus: Tus) -> None:
    asked = {"Idempotency_Key": "train", "headers": metadata(filename="cat.png", quality="70")}
    path = tus.created(len(PNG), **asked)
    assert tus.created(len(PNG), **asked) == path
    tus.patch(path, 0, PNG[:50])
    tus.restart()
    assert tus.created(len(PNG), **asked) == path
    assert tus.offset(path) == 50
    tus.patch(path, 50, PNG[50:])
    again = tus.create(len(PNG), **asked)
    assert (again.headers["Location"], again.headers["Link"]) == (path, tus.head(path).headers["Link"])
    assert len(tus.jobs()) == 1


@pytest.mark.parametrize(
    ("length", "given"),
    [
        (len(PNG) + 1, {}),
        (None, {}),
        (len(PNG), {"headers": metadata(filename="dog.png")}),
        (len(PNG), {"headers": metadata(filename="cat.png", quality="70")}),
        (len(PNG), {"Upload_Concat": "partial"}),
    ],
)
def test_the_same_key_with_another_announcement_is_refused(tus: Tus, length: int | None, given: dict[str, Any]) -> None:
    path = tus.created(len(PNG), Idempotency_Key="train", headers=metadata(filename="cat.png"))
    response = tus.create(length, Idempotency_Key="train", **{"headers": metadata(filename="cat.png"), **given})
    body: Any = response.json
    assert (response.status_code, body["code"], body["option"]) == (422, "invalid_option", "Idempotency-Key")
    assert [f"/api/uploads/{info.id}" for info, _ in every_upload(tus.uploads)] == [path]


def test_bytes_that_came_with_a_creation_are_not_written_twice(tus: Tus) -> None:
    asked = {"Idempotency_Key": "train", "headers": OFFSET_TYPE}
    answers = [tus.ask("POST", "/api/uploads", PNG[:60], Upload_Length=len(PNG), **asked) for _ in range(2)]
    assert [(each.status_code, each.headers["Upload-Offset"]) for each in answers] == [(201, "60")] * 2
    path = answers[0].headers["Location"]
    assert answers[1].headers["Location"] == path
    link = tus.patch(path, 60, PNG[60:]).headers["Link"]
    assert tus.source(link) == PNG
    other = tus.ask("POST", "/api/uploads", PNG[:61], Upload_Length=len(PNG), **asked)
    assert other.status_code == 422


def test_a_creation_whose_bytes_broke_off_is_found_with_what_had_come(tus: Tus) -> None:
    wrong = {"Idempotency_Key": "train", "Upload_Checksum": sha1(JPEG), "headers": OFFSET_TYPE}
    assert tus.ask("POST", "/api/uploads", PNG, Upload_Length=len(PNG), **wrong).status_code == 460
    again = tus.ask("POST", "/api/uploads", PNG, Upload_Length=len(PNG), **wrong)
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "0")
    assert tus.source(tus.patch(again.headers["Location"], 0, PNG).headers["Link"]) == PNG


def test_parts_joined_twice_under_a_key_are_one_job_even_when_the_parts_are_gone(tus: Tus) -> None:
    parts = [tus.created(len(data), Upload_Concat="partial") for data in (PNG[:50], PNG[50:])]
    for path, data in zip(parts, (PNG[:50], PNG[50:]), strict=True):
        tus.patch(path, 0, data)
    asked = {"Idempotency_Key": "train", "Upload_Concat": f"final;{' '.join(parts)}"}
    first = tus.ask("POST", "/api/uploads", **asked)
    for path in parts:
        tus.ask("DELETE", path)
    again = tus.ask("POST", "/api/uploads", **asked)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert (again.headers["Location"], again.headers["Link"]) == (first.headers["Location"], first.headers["Link"])
    assert len(tus.jobs()) == 1


def test_after_it_was_deleted_a_key_begins_anew(tus: Tus) -> None:
    path = tus.created(len(PNG), Idempotency_Key="train")
    tus.patch(path, 0, PNG[:50])
    tus.ask("DELETE", path)
    assert tus.offset(tus.created(len(PNG), Idempotency_Key="train")) == 0
