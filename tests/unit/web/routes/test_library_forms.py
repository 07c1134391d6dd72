"""Forms as upload libraries send them at their default settings: what they add is no option, and a piece of a file is no image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.samples import image
from tests.unit.web.conftest import Web
from tests.unit.web.routes.test_jobs_created import file_part, multipart

Check = Callable[[TestResponse, int, str], dict[str, Any]]
PNG = image()


def field(name: str, value: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'


def fields(**given: str) -> list[str]:
    return [field(name, value) for name, value in given.items()]


UPPY = fields(relativePath="null", name="cat.png", type="image/png")
DROPZONE = fields(dzuuid="3f9c", dzchunkindex="0", dztotalfilesize="123", dzchunksize="2000000", dztotalchunkcount="1", dzchunkbyteoffset="0")
FINE_UPLOADER = fields(qquuid="b1c2", qqfilename="cat.png", qqtotalfilesize="123")
PLUPLOAD = fields(name="cat.png", chunk="0", chunks="1")
WEBUPLOADER = fields(id="WU_FILE_0", name="cat.png", type="image/png", lastModifiedDate="Sat Nov 21 2026 08:00:00 GMT+0800", size="123")
RESUMABLE = fields(
    resumableChunkNumber="1",
    resumableChunkSize="1048576",
    resumableCurrentChunkSize="123",
    resumableTotalSize="123",
    resumableType="image/png",
    resumableIdentifier="123-catpng",
    resumableFilename="cat.png",
    resumableRelativePath="cat.png",
    resumableTotalChunks="1",
)
FLOW = fields(
    flowChunkNumber="1", flowChunkSize="1048576", flowCurrentChunkSize="123", flowTotalSize="123", flowIdentifier="1-cat", flowTotalChunks="1"
)
FLOW += fields(flowFilename="cat.png", flowRelativePath="cat.png")
SIMPLE = fields(
    chunkNumber="1", chunkSize="1024000", currentChunkSize="123", totalSize="123", identifier="123-catpng", filename="cat.png", totalChunks="1"
)
FILE_INPUT = fields(fileId="123_cat.png", initialPreview="[]", initialPreviewConfig="[]")
FORMS = {
    "Uppy": (UPPY, "file"),
    "Uppy's bundle of one": (UPPY, "files[]"),
    "Dropzone": (DROPZONE, "file"),
    "Dropzone, several": ([], "file[0]"),
    "FilePond": (fields(filepond="{}"), "filepond"),
    "FilePond called otherwise": (fields(picture='{"width":3}'), "picture"),
    "Fine Uploader": (FINE_UPLOADER, "qqfile"),
    "Plupload": (PLUPLOAD, "file"),
    "WebUploader": (WEBUPLOADER, "file"),
    "Resumable.js": (RESUMABLE, "file"),
    "Flow.js": (FLOW, "file"),
    "simple-uploader.js": (SIMPLE, "file"),
    "jQuery File Upload": ([], "files[]"),
    "bootstrap-fileinput": (FILE_INPUT, "input-b3[]"),
    "Ant Design": ([], "file"),
    "CKEditor": (fields(ckCsrfToken="abc"), "upload"),
    "Editor.js": ([], "image"),
    "wangEditor": ([], "wangeditor-uploaded-image"),
    "Laravel": (fields(_token="abc", _method="PUT"), "photo"),
    "Django": (fields(csrfmiddlewaretoken="abc"), "photo"),
    "Rails": (fields(utf8="✓", authenticity_token="abc", commit="Save"), "post[photo]"),
}


@pytest.mark.parametrize("library", FORMS)
def test_a_librarys_form_becomes_a_job_with_the_options_beside_it(web: Web, library: str) -> None:
    added, name = FORMS[library]
    response = web.post("/api/jobs", **multipart(*added, field("quality", "61"), file_part(field=name)))
    job: Any = response.json
    assert response.status_code == 202, response.text
    assert (job["options"], job["source"]["filename"]) == ({"quality": 61, "method": 4}, "cat.png")
    assert web.here.store.entries[job["id"]].source == PNG


@pytest.mark.parametrize("library", FORMS)
def test_a_misspelt_option_beside_it_is_still_refused(web: Web, problem: Check, library: str) -> None:
    added, name = FORMS[library]
    body = problem(web.post("/api/jobs", **multipart(*added, field("qualty", "61"), file_part(field=name))), 422, "invalid_option")
    assert (body["option"], body["suggestion"]) == ("qualty", "quality")
    assert web.here.store.entries == {}


def test_several_files_under_the_names_of_libraries_become_a_batch(web: Web) -> None:
    body = multipart(*UPPY, *UPPY, file_part(field="files[]"), file_part(field="files[]", name='filename="dog.png"'))
    batch: Any = web.post("/api/jobs", **body).json
    assert [each["source"]["filename"] for each in batch["jobs"]] == ["cat.png", "dog.png"]


@pytest.mark.parametrize("media_type", ["image/png", "application/octet-stream"])
def test_an_image_part_without_a_file_name_is_an_image(web: Web, media_type: str) -> None:
    """.NET's MultipartFormDataContent and OkHttp send none unless they are told one."""
    part = f'Content-Disposition: form-data; name="file"\r\nContent-Type: {media_type}\r\n\r\n'.encode() + PNG
    job: Any = web.post("/api/jobs", **multipart(part)).json
    assert job["source"]["filename"] == "image.png"


PIECES = {
    "Dropzone": fields(dzuuid="3f9c", dzchunkindex="0", dztotalchunkcount="3", dzchunkbyteoffset="0"),
    "Dropzone's last": fields(dzchunkindex="2"),
    "Fine Uploader": fields(qquuid="b1c2", qqpartindex="0", qqtotalparts="2"),
    "Plupload": fields(name="cat.png", chunk="1", chunks="2"),
    "Resumable.js": fields(resumableChunkNumber="1", resumableTotalChunks="4"),
    "Flow.js": fields(flowChunkNumber="2", flowTotalChunks="2"),
    "simple-uploader.js": fields(chunkNumber="1", totalChunks="9"),
    "bootstrap-fileinput": fields(chunkCount="2", chunkIndex="0"),
    "ng-file-upload": fields(_chunkNumber="1"),
    "Syncfusion": [field("total-chunk", "2")],
}


@pytest.mark.parametrize("path", ["/api/jobs", "/api/convert"])
@pytest.mark.parametrize("library", PIECES)
def test_a_piece_of_a_file_is_refused_in_words_and_never_taken_for_an_image(web: Web, problem: Check, library: str, path: str) -> None:
    for parts in ([*PIECES[library], file_part()], [file_part(), *PIECES[library]]):
        body = problem(web.post(path, **multipart(*parts)), 400, "bad_request")
        assert "piece" in body["detail"] and "/api/uploads" in body["detail"]
    assert web.here.store.entries == {}


@pytest.mark.parametrize("content_range", ["bytes 0-99/1000", "bytes 100-199/200", "bytes 0-99/*"])
def test_a_piece_by_content_range_is_refused_as_a_form_and_raw(web: Web, problem: Check, content_range: str) -> None:
    """jQuery File Upload tells the piece by this header alone."""
    for given in (multipart(file_part(field="files[]")), {"data": PNG}):
        problem(web.post("/api/jobs", **given, headers={"Content-Range": content_range}), 400, "bad_request")
    assert web.here.store.entries == {}


def test_a_content_range_of_the_whole_file_is_taken(web: Web) -> None:
    assert web.post("/api/jobs", data=PNG, headers={"Content-Range": f"bytes 0-{len(PNG) - 1}/{len(PNG)}"}).status_code == 202


@pytest.mark.parametrize("value", ["null", "undefined", "", "0"])
def test_a_count_that_is_none_leaves_the_file_whole(web: Web, value: str) -> None:
    assert web.post("/api/jobs", **multipart(field("chunks", value), file_part())).status_code == 202


def test_a_retry_passes_over_what_a_framework_adds(web: Web) -> None:
    job = web.finished()
    again: Any = web.post(f"/api/jobs/{job['id']}/retry", data={"_token": "abc", "quality": "33"}).json
    assert again["options"]["quality"] == 33
