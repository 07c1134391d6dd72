"""What a person did with curl, and what the answer must name: in English and Chinese, and with a command that works as it stands."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.support.images import photograph
from tests.support.running import Gateway, running

pytestmark = pytest.mark.e2e
HAN = re.compile(r"[\u4e00-\u9fff]")
COMMAND = re.compile("“(curl .*?)”(?:[.,;。，；]|$)")
ELSEWHERE = "example.com"


@dataclass(frozen=True)
class Did:
    """``what`` is the command after ``curl``; ``{url}`` is the gateway's address. ``names`` stand in the English sentence, ``never`` in neither."""

    what: str
    status: int
    code: str
    names: tuple[str, ...]
    never: tuple[str, ...] = ("damaged", "export")


FORM = "-H 'Content-Type: application/x-www-form-urlencoded'"
BODIES = (
    Did("-d @cat.jpg {url}/api/jobs", 422, "damaged_image", ("-d ", "--data-binary", "-T"), ("export",)),
    Did("-d @cat.png {url}/api/jobs", 422, "damaged_image", ("-d ", "--data-binary", "-T"), ("export",)),
    Did("-d @cat.webp {url}/api/convert", 422, "damaged_image", ("-d ", "-T"), ("export",)),
    Did("-d @cat.jpg {url}/api/convert", 422, "damaged_image", ("-d ", "-T"), ("export",)),
    Did("-X PUT -d @cat.gif {url}/api/convert", 422, "damaged_image", ("-d ", "-T"), ("export",)),
    Did("-H 'Content-Type: image/jpeg' -d @cat.jpg {url}/api/jobs", 422, "damaged_image", ("-d ", "--data-binary"), ("export",)),
    Did("-H 'Content-Type: text/plain' -d @cat.png {url}/api/jobs", 422, "damaged_image", ("-d ", "--data-binary"), ("export",)),
    Did("--data-urlencode file@cat.png {url}/api/jobs", 415, "unsupported_format", ("percent-encoded", "--data-urlencode")),
    Did("--data-urlencode @cat.jpg {url}/api/convert", 415, "unsupported_format", ("percent-encoded", "-T")),
    Did("--data-binary @ftp.png {url}/api/jobs", 422, "damaged_image", ("line ends", "FTP", "binary mode"), ("export",)),
    Did("-F file=@ftp.png {url}/api/jobs", 422, "damaged_image", ("line ends", "autocrlf"), ("export",)),
    Did("-F file=@text.jpg {url}/api/jobs", 422, "damaged_image", ("as text", "binary"), ("export",)),
    Did("-F file=@page.jpg {url}/api/jobs", 415, "unsupported_format", ("web page", "HTML", "error or login page")),
    Did("-T page.webp {url}/api/convert", 415, "unsupported_format", ("web page", "HTML")),
    Did("-F file=@lfs.png {url}/api/jobs", 415, "unsupported_format", ("Git LFS", "git lfs pull")),
    Did("-F file=@s3.jpg {url}/api/jobs", 415, "unsupported_format", ("XML", "error message")),
    Did("-T error.jpg {url}/api/convert", 415, "unsupported_format", ("JSON", "error message")),
    Did("--data-binary @cat.base64 {url}/api/jobs", 415, "unsupported_format", ("Base64", "--data-binary")),
    Did("-H 'Content-Type: application/json' -d @image.json {url}/api/jobs", 415, "unsupported_format", ("Base64",)),
    Did("-H 'Content-Type: application/json' -d @large.json {url}/api/jobs", 413, "too_large", ("64 KiB", "url", "--data-binary")),
    Did("-F image=$(head -c 3000 cat.base64) {url}/api/jobs", 415, "unsupported_format", ("Base64",)),
    Did("-F file=cat.jpg {url}/api/jobs", 400, "bad_request", ("“file”", "“cat.jpg”", "@", "-F file=@cat.jpg")),
    Did("-F image=cat.jpg {url}/api/convert", 400, "bad_request", ("“image”", "“cat.jpg”", "@")),
    Did("-F quality=80 {url}/api/jobs", 400, "bad_request", ("no image", "-F file=@cat.jpg")),
    Did("-F url=https://example.com/cat.jpg {url}/api/jobs", 400, "bad_request", ("address", "application/json", '{"url"')),
    Did("-d cat.jpg {url}/api/jobs", 415, "unsupported_format", ("“cat.jpg”", "@", "--data-binary @cat.jpg")),
    Did("--data-raw @cat.jpg {url}/api/convert", 415, "unsupported_format", ("“cat.jpg”", "@")),
    Did("-d https://example.com/cat.jpg {url}/api/jobs", 415, "unsupported_format", ("address", "application/json")),
    Did("-d quality=80 {url}/api/jobs", 415, "unsupported_format", ("fields", "no image", "--data-binary @cat.jpg")),
    Did('-d \'{{"url": "https://example.com/cat.jpg"}}\' {url}/api/jobs', 415, "unsupported_format", ("JSON", "Content-Type: application/json")),
    Did("-H 'Content-Type: multipart/form-data' --data-binary @cat.jpg {url}/api/jobs", 400, "bad_request", ("boundary", "Do not set")),
    Did("-H 'Content-Type: image/png' --data-binary @form.txt {url}/api/jobs", 415, "unsupported_format", ("multipart", "Content-Type")),
    Did("-H 'Content-Type: application/json' --data-binary @small.png {url}/api/jobs", 415, "unsupported_format", ("PNG", "application/json")),
    Did("-X POST {url}/api/jobs", 422, "empty_file", ("no body", "--data-binary @cat.jpg", "empty")),
    Did("-X POST {url}/api/convert", 422, "empty_file", ("no body", "-T cat.jpg")),
    Did("-T empty.jpg {url}/api/convert", 422, "empty_file", ("empty", "0 bytes")),
    Did("-F file=@empty.jpg {url}/api/jobs", 422, "empty_file", ("empty", "0 bytes")),
    Did("-d '' {url}/api/jobs", 422, "empty_file", ("no body",)),
)
JSON = "-H 'Content-Type: application/json' {url}/api/jobs --data-binary "
BROKEN_JSON = (
    Did(JSON + "'{{url: 1}}'", 400, "bad_request", ("line 1, column 2", "“url: 1}”", "double quotes", '{"url": "https://example.com')),
    Did(JSON + "\"{{'url': 'x'}}\"", 400, "bad_request", ("line 1, column 2", "double quotes")),
    Did(JSON + '\'{{"url": "https://example.com/a",}}\'', 400, "bad_request", ("line 1, column 33", "“}”")),
    Did(JSON + '\'{{"url": "https://exam\'', 400, "bad_request", ("line 1", "column")),
    Did(JSON + "'{{\"url\": '", 400, "bad_request", ("ends too early",)),
    Did(JSON + '$\'{{\\n "a": 1\\n "b": 2}}\'', 400, "bad_request", ("line 3, column 2",)),
    Did(JSON + "''", 400, "bad_request", ("empty", '{"url"')),
    Did(JSON + "'[1]'", 400, "bad_request", ("no object", "braces", '{"url"')),
    Did(JSON + "'\"https://example.com/cat.jpg\"'", 400, "bad_request", ("no object",)),
    Did(JSON + "null", 400, "bad_request", ("no object",)),
    Did(JSON + "'{{\"quality\": NaN}}'", 400, "bad_request", ("NaN",)),
    Did(JSON + '\'{{"quality": 1, "quality": 2}}\'', 400, "bad_request", ("“quality”", "more than once")),
    Did(JSON + '$\'{{"url": "\\xff"}}\'', 400, "bad_request", ("UTF-8",)),
    Did(JSON + "'{{\"quality\": 5}}'", 400, "bad_request", ("no “url”", '{"url"')),
    Did(JSON + "'{{}}'", 400, "bad_request", ("no “url”",)),
    Did(JSON + "'{{\"url\": 5}}'", 400, "bad_request", ("“url”", "http")),
    Did(JSON + '\'{{"url": "https://example.com/a", "quality": [80]}}\'', 422, "invalid_option", ("quality", "0–100")),
)
OPTIONS = (
    Did("-T cat.jpg '{url}/api/convert?format=jxl'", 422, "invalid_option", ("format", "webp"), ("rotate",)),
    Did("-T cat.jpg '{url}/api/convert?w=100'", 422, "invalid_option", ("“w”", "“width”")),
    Did("-T cat.jpg '{url}/api/convert?quality=high'", 422, "invalid_option", ("“high”", "0–100"), ("Did you mean",)),
    Did("-T cat.jpg '{url}/api/convert?fit=crop'", 422, "invalid_option", ("“crop”", "“cover”")),
    Did("-T cat.jpg '{url}/api/convert?quality='", 422, "invalid_option", ("“quality”", "no value", "0–100")),
    Did("-F file=@cat.jpg -F xyzzy=1 {url}/api/jobs", 422, "invalid_option", ("“xyzzy”", "quality", "width"), ("Did you mean",)),
)

ADDRESSES = (
    Did("-T cat.jpg {url}", 404, "not_found", ("/cat.jpg", "curl -T adds the file’s name", "/api/convert"), ("deleted",)),
    Did("-T cat.jpg {url}/", 404, "not_found", ("/cat.jpg", "/api/convert -o cat.webp”"), ("deleted",)),
    Did("-T cat.jpg {url}/api/jobs", 405, "method_not_allowed", ("PUT", "POST", "--data-binary @cat.jpg"), ("deleted",)),
    Did("-T cat.jpg {url}/api/jobs/", 405, "method_not_allowed", ("PUT", "curl -T cat.jpg"), ("deleted",)),
    Did("{url}/api/convert", 405, "method_not_allowed", ("GET", "PUT", "POST", "curl -T cat.jpg"), ("deleted",)),
    Did("-X DELETE {url}/api/jobs", 405, "method_not_allowed", ("DELETE", "POST"), ("deleted",)),
    Did("-F file=@cat.jpg {url}/upload", 404, "not_found", ("/upload", "/api/jobs?"), ("deleted",)),
    Did("{url}/api/job", 404, "not_found", ("/api/job ", "/api/jobs?"), ("deleted",)),
    Did("{url}/api/jobs/abc", 404, "not_found", ("“abc”", "22", "3 characters"), ("deleted",)),
    Did("{url}/api/jobs/abcdefghijklmnopqrstuv", 404, "not_found", ("never existed", "deleted", "expired"), ("22",)),
    Did("{url}/robots.txt", 404, "not_found", ("/robots.txt", "/api/docs"), ("deleted", "Did you mean")),
    Did("-F file=@cat.jpg {url}/api/uploads", 412, "bad_request", ("tus", "Tus-Resumable: 1.0.0", "/api/jobs"), ("deleted",)),
)

TUS = "-X POST -H 'Tus-Resumable: 1.0.0' "
HEADERS = (
    Did(TUS + "{url}/api/uploads", 400, "bad_request", ("needs the header Upload-Length", "Upload-Defer-Length"), ("cannot be used",)),
    Did(TUS + "-H 'Upload-Length: many' {url}/api/uploads", 400, "bad_request", ("Upload-Length", "cannot be used")),
    Did(TUS + "-H 'Upload-Length: 5' -H 'Upload-Metadata: filename a.jpg' {url}/api/uploads", 400, "bad_request", ("Upload-Metadata", "Y2F0")),
    Did(TUS + "-H 'Upload-Length: 5' -H 'Upload-Metadata: quality aGlnaA==' {url}/api/uploads", 422, "invalid_option", ("quality", "0–100")),
    Did(TUS + "-H 'Upload-Length: 99999999999' {url}/api/uploads", 413, "too_large", ("64 MiB",)),
    Did("-X PATCH -H 'Tus-Resumable: 1.0.0' {url}/api/uploads", 405, "method_not_allowed", ("PATCH", "POST")),
    Did("-H 'Tus-Resumable: 0.2' -X POST {url}/api/uploads", 412, "bad_request", ("tus 1.0.0",)),
    Did("{url}/api/jobs/abcdefghijklmnopqrstuv/ws", 400, "bad_request", ("WebSocket", "/events")),
    Did("-H 'Content-Encoding: gzip' --data-binary @cat.jpg {url}/api/jobs", 415, "unsupported_format", ("compressed", "as it is")),
    Did("-H 'Content-Digest: md5' --data-binary @cat.jpg {url}/api/jobs", 400, "bad_request", ("Content-Digest", "sha-256")),
    Did("-H 'Host: evil.example' {url}/", 421, "wrong_host", ("evil.example", "GATEWAY_ALLOWED_HOSTS")),
    Did("-H 'Origin: https://evil.example' -F file=@cat.jpg {url}/api/jobs", 403, "cross_site", ("https://evil.example", "GATEWAY_ALLOWED_ORIGINS")),
    Did("'{url}/api/jobs?limit=0'", 422, "invalid_option", ("“limit”", "1–200")),
    Did("'{url}/api/jobs?state=pending'", 422, "invalid_option", ("“queued”",)),
    Did("-X POST {url}/api/capabilities", 405, "method_not_allowed", ("POST", "GET")),
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("files")
    jpeg = photograph(320, 240)
    drawn = Image.open(io.BytesIO(jpeg))
    for extension in ("png", "webp", "gif"):
        drawn.save(at / f"cat.{extension}")
    png = (at / "cat.png").read_bytes()
    coded = base64.b64encode(jpeg).decode()
    small = io.BytesIO()
    Image.new("RGB", (8, 8)).save(small, "PNG")
    files: dict[str, bytes | str] = {
        "cat.jpg": jpeg,
        "small.png": small.getvalue(),
        "ftp.png": png.replace(b"\r\n", b"\n"),
        "text.jpg": jpeg.decode("utf-8", "replace"),
        "page.jpg": "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>",
        "page.webp": "<html><head><title>Log in</title></head></html>",
        "lfs.png": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
        "s3.jpg": '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>',
        "error.jpg": '{"error": "token expired"}',
        "cat.base64": coded,
        "image.json": f'{{"image": "data:image/jpeg;base64,{coded[:2000]}"}}',
        "large.json": f'{{"image": "data:image/jpeg;base64,{"A" * 100_000}"}}',
        "form.txt": '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\r\n--XX--\r\n',
        "empty.jpg": b"",
    }
    for name, content in files.items():
        (at / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return at


def ran(command: str, folder: Path) -> bytes:
    said = subprocess.run(["bash", "-euc", command], cwd=folder, capture_output=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr.decode()
    return said.stdout


def answer_to(did: Did, gateway: Gateway, folder: Path, language: str) -> dict[str, Any]:
    command = f"curl -sS -i -H 'Accept-Language: {language}' " + did.what.format(url=gateway.url)
    response: dict[str, Any] = json.loads(ran(command, folder).rpartition(b"\r\n\r\n")[2])
    return response


@pytest.mark.parametrize("did", [*BODIES, *BROKEN_JSON, *OPTIONS, *ADDRESSES, *HEADERS], ids=lambda did: did.what.replace("{url}", ""))
def test_the_answer_names_what_was_done_and_what_works(did: Did, gateway: Gateway, folder: Path) -> None:
    told = answer_to(did, gateway, folder, "en")
    assert (told["status"], told["code"]) == (did.status, did.code), told
    assert [word for word in did.names if word not in told["detail"]] == [], told["detail"]
    assert [word for word in did.never if word in told["detail"]] == [], told["detail"]
    chinese = answer_to(did, gateway, folder, "zh-CN")
    assert chinese["code"] == did.code and HAN.search(chinese["detail"]) and HAN.search(chinese["title"])
    commands = COMMAND.findall(told["detail"])
    assert COMMAND.findall(chinese["detail"]) == commands
    for command in commands:
        assert gateway.url in command
        if ELSEWHERE not in command:
            answered = ran(command.replace("curl", "curl -sS -f", 1), folder)
            assert b'"state"' in answered or (folder / "cat.webp").read_bytes()[8:12] == b"WEBP"


def test_curl_t_into_a_folder_converts_and_keeps_the_name(gateway: Gateway, folder: Path) -> None:
    answer = ran(f"cp cat.jpg 我的图片.jpg; curl -sSf -D - -T 我的图片.jpg '{gateway.url}/api/convert/' -o named.webp", folder).decode()
    assert (folder / "named.webp").read_bytes()[8:12] == b"WEBP"
    assert "%E6%88%91%E7%9A%84%E5%9B%BE%E7%89%87.webp" in answer


def test_a_tus_client_may_have_its_slash(gateway: Gateway, folder: Path) -> None:
    jpeg = (folder / "cat.jpg").read_bytes()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(jpeg))}
    made = requests.post(f"{gateway.url}/api/uploads/", headers=headers, timeout=30, allow_redirects=False)
    assert made.status_code == 201
    more = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert requests.patch(gateway.url + made.headers["Location"], jpeg, headers=more, timeout=30).status_code == 204


def test_a_key_that_is_wrong_is_told_from_one_that_is_missing(tmp_path: Path, folder: Path) -> None:
    with running(tmp_path / "data", GATEWAY_API_KEYS="correct-horse-battery", GATEWAY_RATE_LIMIT="1/minute") as keyed:
        rows = (
            Did("{url}/api/jobs", 401, "unauthorized", ("asks for an API key", "Authorization: Bearer"), ("not one of",)),
            Did("-H 'X-API-Key: battery-staple' {url}/api/jobs", 401, "unauthorized", ("not one of this gateway’s",), ("asks for",)),
        )
        for did in rows:
            test_the_answer_names_what_was_done_and_what_works(did, keyed, folder)
        right = "-H 'Authorization: Bearer correct-horse-battery' -F file=@cat.jpg {url}/api/jobs"
        ran("curl -sSf " + right.format(url=keyed.url), folder)
        test_the_answer_names_what_was_done_and_what_works(Did(right, 429, "rate_limited", ("1 in 60 s", "Try again in")), keyed, folder)
