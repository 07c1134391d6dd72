"""tus as well-known clients speak it: their metadata, their options and their ways of writing headers. The clients that can be run are run."""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from tusclient.client import TusClient

from tests.conftest import missing
from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, running
from tests.system.uploads.conftest import OFFSET_TYPE, VERSION, job_id
from tests.system.uploads.exchange import PNG, encoded, metadata

pytestmark = pytest.mark.e2e
NODE_MODULES = ROOT / "tests" / "page" / "node_modules" / "tus-js-client"
OTHER_SITE = "https://shop.example"
NAME = encoded("我的猫.png")
SENT: dict[str, tuple[str, str]] = {
    "tus-js-client": (f"filename {NAME},filetype aW1hZ2UvcG5n", "我的猫.png"),
    "Uppy": (f"relativePath bnVsbA==,name {NAME},type aW1hZ2UvcG5n,filetype aW1hZ2UvcG5n,filename {NAME}", "我的猫.png"),
    "Uppy with fields of a form": (f"name {NAME},caption ,license ,type aW1hZ2UvcG5n", "我的猫.png"),
    "tuspy without metadata": ("", "image.png"),
    "TUSKit": (f"filename {NAME}, filetype aW1hZ2UvcG5n", "我的猫.png"),
    "go-tus": (f"filename {NAME}", "我的猫.png"),
    "a video host's": (f"name {NAME},requiresignedurls,maxDurationSeconds NjAw", "我的猫.png"),
    "a storage service's": ("bucketName cGljdHVyZXM=,objectName YS9iLnBuZw==,contentType aW1hZ2UvcG5n,cacheControl MzYwMA==", "image.png"),
    "a cloud folder's": (f"filename {NAME},mtime MTcwMDAwMDAwMA==,checksum U0hBMSAwMDAw,folder L2Zvby9iYXI=", "我的猫.png"),
    "an application's": (metadata(userId="7", size=str(len(PNG)), type="image/png", fileName="cat.png") + ",content-type aW1hZ2UvcG5n", "cat.png"),
    "the protocol's example": ("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential", "world_domination_plan.pdf"),
    "with a comma at the end": (f"filename {NAME},", "我的猫.png"),
    "with spaces and tabs": (f"filename  {NAME} ,\tuserId\tNw==", "我的猫.png"),
    "without padding": ("filename Y2F0LnBuZw,userId Nw", "cat.png"),
    "with bytes that are no text": (f"filename {NAME},thumbhash {base64.b64encode(bytes(range(256))).decode()}", "我的猫.png"),
    "with keys that are words of JavaScript": (f"__proto__ e30=,constructor YQ==,filename {NAME}", "我的猫.png"),
    "long": (f"filename {NAME},note {'A' * 7900}", "我的猫.png"),
    "with many keys": (",".join([f"filename {NAME}", *(f"x{number} Nw==" for number in range(99))]), "我的猫.png"),
}
"""What the client sends, and what the picture is called then."""
REFUSED: dict[str, tuple[str, int, str]] = {
    "a misspelt option": (metadata(userId="7", qualty="80"), 422, "qualty"),
    "an option in capitals": (metadata(Quality="80"), 422, "Quality"),
    "an option of no use": (metadata(quality="good"), 422, "quality"),
    "no base64": ("filename cat.png", 400, "Upload-Metadata"),
    "a key twice": ("userId Nw==,userId OA==", 400, "userId"),
    "an option twice": ("quality ODA=,quality ODA=", 400, "quality"),
    "a key that is not ASCII": ("größe Nw==", 400, "Upload-Metadata"),
    "too many keys": (",".join(f"x{number} Nw==" for number in range(101)), 400, "100"),
    "too long": (f"note {'A' * 8100}", 413, "8000"),
    "too long for a header": (f"note {'A' * 8300}", 431, "8190"),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "with defaults": {},
    "creation with upload": {"uploadDataDuringCreation": True},
    "creation with the whole upload": {"uploadDataDuringCreation": True, "chunkSize": 10_000_000},
    "POST in place of PATCH": {"overridePatchMethod": True},
    "a length that comes last": {"uploadLengthDeferred": True},
    "a length that comes last, with the creation": {"uploadLengthDeferred": True, "uploadDataDuringCreation": True},
    "three at once": {"parallelUploads": 3, "metadataForPartialUploads": {"part": "yes", "userId": "7"}},
    "with a request id": {"addRequestId": True},
}
OWN = {"filename": "猫.jpg", "filetype": "image/jpeg", "size": "1", "content-type": "image/jpeg", "userId": "7", "relativePath": "null", "empty": ""}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rules = {"GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1", "GATEWAY_ALLOWED_ORIGINS": OTHER_SITE}
    with running(tmp_path_factory.mktemp("clients") / "data", **rules) as started:
        yield started


@pytest.fixture(scope="module")
def picture() -> bytes:
    return photograph(600, 450)


def create(gateway: Gateway, body: bytes, said: str, *more: tuple[str, str]) -> requests.Response:
    named = {**VERSION, **OFFSET_TYPE, "Upload-Length": str(len(body)), "Upload-Metadata": said.encode(), **dict(more)}
    return requests.post(f"{gateway.url}/api/uploads", data=body, headers=named, timeout=20)  # type: ignore[arg-type]


def head(gateway: Gateway, path: str) -> requests.Response:
    response = requests.head(gateway.url + path, headers=VERSION, timeout=20)
    assert response.status_code == 200, response.status_code
    return response


@pytest.mark.parametrize("client", SENT)
def test_what_a_client_tells_about_its_file_is_kept_and_given_back_as_it_came(gateway: Gateway, client: str) -> None:
    said, name = SENT[client]
    response = create(gateway, PNG, said)
    assert response.status_code == 201, response.text
    assert head(gateway, response.headers["Location"]).headers.get("Upload-Metadata", "") == said.strip()
    assert gateway.job(job_id(response.headers["Link"]))["source"]["filename"] == name


@pytest.mark.parametrize("what", REFUSED)
def test_metadata_of_no_use_are_refused_with_what_is_wrong(gateway: Gateway, what: str) -> None:
    said, status, named = REFUSED[what]
    response = create(gateway, PNG, said)
    assert (response.status_code, "Location" in response.headers) == (status, False)
    assert named in response.json()["detail"]


def test_metadata_in_several_lines_are_bounded_together(gateway: Gateway) -> None:
    lines = [f"Upload-Metadata: k{number} {'A' * 4000}" for number in range(3)]
    head_ = ["POST /api/uploads HTTP/1.1", "Host: 127.0.0.1", "Tus-Resumable: 1.0.0", "Upload-Length: 9", "Content-Length: 0", "Connection: close"]
    for count, status in ((1, b"201"), (3, b"413")):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as line:
            line.sendall("\r\n".join([*head_, *lines[:count], "", ""]).encode())
            assert line.recv(4096).split(b" ")[1] == status


@pytest.mark.parametrize(("body", "status"), [(b"This is no image, but a text.", 415), (b"no image " * 5000, 415), (PNG[:20], 422)])
def test_a_creation_that_brings_no_image_is_told_so_and_leaves_nothing(gateway: Gateway, body: bytes, status: int) -> None:
    uploads = gateway.data_dir / "store" / "uploads"
    before = {each.name for each in uploads.iterdir()}
    assert create(gateway, body, "").status_code == status
    assert {each.name for each in uploads.iterdir()} <= before


def test_a_creation_that_cannot_be_is_refused_before_its_bytes_are_asked_for(gateway: Gateway) -> None:
    """``Expect: 100-continue``, which the protocol recommends to clients that bring bytes."""
    for said, length, begin in (("qualty ODA=", 9, b"422 "), ("userId Nw==", 1 << 40, b"413 "), ("userId Nw==", 9, b"100 ")):
        sent = {**VERSION, **OFFSET_TYPE, "Upload-Length": str(length), "Upload-Metadata": said, "Content-Length": "9", "Expect": "100-continue"}
        lines = ["POST /api/uploads HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as line:
            line.sendall("\r\n".join(lines).encode())
            assert line.recv(4096).removeprefix(b"HTTP/1.1 ").startswith(begin)


def test_a_page_elsewhere_may_ask_what_the_gateway_speaks_and_read_where_a_refused_upload_stands(gateway: Gateway) -> None:
    origin = {"Origin": OTHER_SITE}
    asks = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "tus-resumable,upload-length,upload-metadata"}
    preflight = requests.options(f"{gateway.url}/api/uploads", headers=asks, timeout=20)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, OTHER_SITE)
    assert preflight.headers["Access-Control-Allow-Headers"] == asks["Access-Control-Request-Headers"]
    assert {"Tus-Version", "Tus-Extension", "Tus-Max-Size"} <= set(preflight.headers)
    path = create(gateway, PNG, "userId Nw==").headers["Location"]
    at = {**VERSION, **OFFSET_TYPE, **origin, "Upload-Offset": "5"}
    response = requests.patch(gateway.url + path, data=b"x", headers=at, timeout=20)
    assert (response.status_code, response.headers["Upload-Offset"]) == (409, str(len(PNG)))
    exposed = {each.strip() for each in response.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"Upload-Offset", "Upload-Metadata", "Tus-Version"} <= exposed


def run(gateway: Gateway, file: Path, options: dict[str, Any]) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not NODE_MODULES.exists():
        missing("node or tests/page/node_modules/tus-js-client is missing")
    command = [str(node), str(Path(__file__).with_name("client.mjs")), gateway.url, str(file), json.dumps({"metadata": OWN, **options})]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def check(gateway: Gateway, url: str, link: str, data: bytes) -> None:
    """The picture came whole, by its name, with everything that the client told."""
    told = head(gateway, urlsplit(url).path).headers["Upload-Metadata"]
    assert {key: base64.b64decode(value).decode() for key, _, value in (each.partition(" ") for each in told.split(","))} == OWN
    assert requests.get(f"{gateway.url}/api/jobs/{job_id(link)}/source", timeout=20).content == data
    job = gateway.ended(job_id(link))
    assert (job["state"], job["source"]["filename"]) == ("succeeded", "猫.jpg")


@pytest.mark.parametrize("way", OPTIONS)
def test_the_official_javascript_client_sends_in_each_of_its_ways(gateway: Gateway, picture: bytes, tmp_path: Path, way: str) -> None:
    file = tmp_path / "picture.jpg"
    file.write_bytes(picture)
    said = run(gateway, file, OPTIONS[way])
    assert "status" not in said, said
    check(gateway, said["url"], said["link"], picture)


@pytest.mark.parametrize("way", ["with defaults", "creation with the whole upload"])
def test_the_official_javascript_client_is_told_that_it_sent_no_image(gateway: Gateway, tmp_path: Path, way: str) -> None:
    file = tmp_path / "text.jpg"
    file.write_bytes(b"This is no image. " * 500)
    assert run(gateway, file, OPTIONS[way])["status"] == 415


@pytest.mark.parametrize("size", [None, 30_000])
def test_the_official_python_client_sends_metadata_of_its_own(gateway: Gateway, picture: bytes, size: int | None) -> None:
    more = {"chunk_size": size} if size else {}
    uploader = TusClient(f"{gateway.url}/api/uploads/").uploader(file_stream=io.BytesIO(picture), metadata=OWN, upload_checksum=bool(size), **more)
    uploader.upload()
    check(gateway, uploader.url, head(gateway, urlsplit(uploader.url).path).headers["Link"], picture)
