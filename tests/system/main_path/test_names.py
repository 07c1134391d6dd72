"""File names of every kind, by every way in: they are text to show, and reach neither a path, nor a header, nor a log line of their own."""

from __future__ import annotations

import base64
import json
import os
import re
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

import pytest
import requests

from tests.support.images import photograph
from tests.support.running import Gateway, running
from tests.system.main_path.test_fetch import another_server

pytestmark = pytest.mark.e2e
IMAGE = photograph(64, 48)
NAMES = {
    "Chinese": "我的图片.png",
    "emoji": "👨\u200d👩\u200d👧 🎉.png",
    "right to left": "\u202egnp.exe",
    "long": "n" * 10_000 + ".png",
    "parents": "../../../../tmp/escaped.png",
    "parent": "..",
    "backslashes": "..\\..\\windows\\escaped.png",
    "new lines": "a\r\nSet-Cookie: b=c\r\n\r\n<script>.png",
    "null": "a\0b.png",
    "quotes": 'a";filename="b.exe\';x="\\.png',
    "half a pair": "a\ud800b.png",
    "control": "\x1b[31mred\x07\u2028.png",
    "hidden": ".htaccess",
    "markup": "<img src=x onerror=alert(1)>.png",
}
OTHER_BYTES = {"我的图片.png": "gbk", "图片.jpg": "gbk", "Größe é.png": "cp1252", "表.png": "cp932", "ソフト能.jpg": "cp932"}
VERSION = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rules = {"GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "1", "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with running(tmp_path_factory.mktemp("names") / "data", **rules) as started:
        yield started


def raw(gateway: Gateway, name: bytes) -> requests.Response:
    return requests.post(f"{gateway.url}/api/jobs?filename={quote(name)}", data=IMAGE, timeout=30)


def multipart(gateway: Gateway, name: bytes) -> requests.Response:
    """As browsers write it (https://html.spec.whatwg.org/#multipart-form-data): three characters are escaped, the rest stands there as it is."""
    for character, escaped in ((b"\r", b"%0D"), (b"\n", b"%0A"), (b'"', b"%22")):
        name = name.replace(character, escaped)
    return _form(gateway, b'filename="' + name + b'"')


def multipart_extended(gateway: Gateway, name: bytes) -> requests.Response:
    return _form(gateway, b"filename*=UTF-8''" + quote(name).encode())


def multipart_unescaped(gateway: Gateway, name: bytes) -> requests.Response:
    """By somebody who means no good: line breaks and quotes as they are."""
    return _form(gateway, b'filename="' + name + b'"')


def _form(gateway: Gateway, name: bytes) -> requests.Response:
    body = b'--XX\r\nContent-Disposition: form-data; name="file"; ' + name + b"\r\n\r\n" + IMAGE + b"\r\n--XX--\r\n"
    return requests.post(f"{gateway.url}/api/jobs", data=body, headers={"Content-Type": "multipart/form-data; boundary=XX"}, timeout=30)


def tus(gateway: Gateway, name: bytes) -> requests.Response:
    headers = {**VERSION, "Upload-Length": str(len(IMAGE)), "Content-Type": "application/offset+octet-stream"}
    metadata = {"Upload-Metadata": "filename " + base64.b64encode(name).decode()}
    answer = requests.post(f"{gateway.url}/api/uploads", data=IMAGE, headers=headers | metadata, timeout=30)
    if answer.status_code != 201:
        return answer
    return requests.get(gateway.url + re.findall("<(.+?)>", answer.headers["Link"])[0], timeout=30)


def convert(gateway: Gateway, name: bytes) -> requests.Response:
    return requests.post(f"{gateway.url}/api/convert?filename={quote(name)}", data=IMAGE, timeout=30)


WAYS: dict[str, Callable[[Gateway, bytes], requests.Response]] = {
    each.__name__: each for each in (raw, multipart, multipart_extended, multipart_unescaped, tus, convert)
}


@pytest.mark.parametrize("way", WAYS)
def test_a_name_is_only_ever_shown(gateway: Gateway, way: str) -> None:
    for kind, name in NAMES.items():
        answer = WAYS[way](gateway, name.encode("utf-8", "surrogatepass"))
        assert "Set-Cookie" not in answer.headers
        if way == "convert" and answer.status_code == 200:
            check_disposition(answer, None, kind)
        elif answer.status_code in (200, 202):
            check_job(gateway, answer.json(), kind)
        else:
            check_refusal(answer, way, kind)
    check_store(gateway.data_dir)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OTHER_BYTES)
def test_a_name_in_another_charset_is_read(gateway: Gateway, way: str, name: str) -> None:
    raw_name = name.encode(OTHER_BYTES[name])
    answer = multipart_in_gbk(gateway, raw_name) if (way, OTHER_BYTES[name]) == ("multipart_extended", "gbk") else WAYS[way](gateway, raw_name)
    assert answer.status_code in (200, 202), answer.text
    if way == "convert":
        assert unquote(answer.headers["Content-Disposition"].rpartition("''")[2]) == name.rpartition(".")[0] + ".webp"
    else:
        assert answer.json()["source"]["filename"] == name


def multipart_in_gbk(gateway: Gateway, name: bytes) -> requests.Response:
    return _form(gateway, b"filename*=GBK''" + quote(name).encode())


@pytest.mark.parametrize("name", OTHER_BYTES)
def test_curl_may_send_a_name_in_the_bytes_of_its_system(gateway: Gateway, tmp_path: Path, name: str) -> None:
    """As on Windows, where curl sends names in the system's code page."""
    path = os.fsencode(tmp_path) + b"/" + name.encode(OTHER_BYTES[name])
    Path(os.fsdecode(path)).write_bytes(IMAGE)
    said = subprocess.run([b"curl", b"-sS", b"-F", b"file=@" + path, f"{gateway.url}/api/jobs".encode()], capture_output=True, check=True, timeout=30)
    assert json.loads(said.stdout)["source"]["filename"] == name


def test_a_paths_last_part_is_the_name(gateway: Gateway) -> None:
    for path in ("C:\\fakepath\\cat.jpg", "C:\\Users\\me\\cat.jpg", "/home/me/cat.jpg", "..\\..\\cat.jpg", "\\\\server\\share\\cat.jpg"):
        for way in ("raw", "multipart", "multipart_extended", "tus"):
            assert WAYS[way](gateway, path.encode()).json()["source"]["filename"] == "cat.jpg", (way, path)


@pytest.mark.parametrize(
    ("target", "headers", "name"),
    [
        ("/to/图片/元.jpg", b"", "元.jpg"),
        ("/图片", 'Content-Disposition: attachment; filename="我的图片.jpg"\r\n'.encode(), "我的图片.jpg"),
        ("/图片", 'Content-Disposition: attachment; filename="我的图片.jpg"\r\n'.encode("gbk"), "我的图片.jpg"),
        ("/x", b"Content-Disposition: attachment; filename=\"x.jpg\"; filename*=UTF-8''%E5%9B%BE.jpg\r\n", "图.jpg"),
        ("/x.jpg", b"Content-Encoding: aws-chunked\r\nContent-Type: text/html\r\n", "x.jpg"),
    ],
)
def test_another_server_may_write_its_headers_in_any_bytes(gateway: Gateway, target: str, headers: bytes, name: str) -> None:
    with raw_server(headers) as there:
        job = requests.post(f"{gateway.url}/api/jobs", json={"url": there + target}, timeout=30).json()
        ended = gateway.ended(job["id"])
    assert (ended["state"], ended["source"]["filename"]) == ("succeeded", name), ended["error"]


@contextmanager
def raw_server(headers: bytes) -> Iterator[str]:
    """``/to/…`` redirects to the same address in raw UTF-8 without ``/to``; everything else is the image."""

    class Raw(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            target = unquote_to_bytes(self.rfile.readline().split(b" ")[1])
            while self.rfile.readline() > b"\r\n":
                pass
            if target.startswith(b"/to/"):
                self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: " + target[3:] + b"\r\n\r\n")
            else:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" + headers + f"Content-Length: {len(IMAGE)}\r\n\r\n".encode() + IMAGE)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Raw) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_name_in_an_address_is_only_ever_shown(gateway: Gateway) -> None:
    with another_server() as there:
        for kind, name in NAMES.items():
            if kind == "long":
                continue  # an address so long is refused by the server that it names
            url = f"{there}/{quote(name.encode('utf-8', 'surrogatepass'), safe='')}"
            answer = requests.post(f"{gateway.url}/api/jobs", json={"url": url}, timeout=30)
            assert answer.status_code == 202, (kind, answer.text)
            known = answer.json()["source"]["filename"]
            if known:  # an address may have none; then the image gets it with its bytes
                check_shown(known, kind)
            check_shown(gateway.ended(answer.json()["id"])["source"]["filename"], kind)
            named = requests.post(f"{gateway.url}/api/jobs", json={"url": f"{there}/a.jpg", "filename": name}, timeout=30)
            if named.status_code == 202:
                check_fetched(gateway.ended(named.json()["id"]), kind)
            else:
                check_refusal(named, "json", kind)
    check_store(gateway.data_dir)


def check_fetched(job: dict[str, Any], kind: str) -> None:
    assert job["state"] == "succeeded", (kind, job["error"])
    check_shown(job["source"]["filename"], kind)


def check_job(gateway: Gateway, job: dict[str, Any], kind: str) -> None:
    shown = job["source"]["filename"]
    check_shown(shown, kind)
    if kind in ("Chinese", "emoji"):
        assert shown == NAMES[kind]
    assert gateway.ended(job["id"])["state"] == "succeeded"
    source = requests.get(f"{gateway.url}/api/jobs/{job['id']}/source", timeout=30)
    assert source.content == IMAGE
    check_disposition(source, shown, kind)
    check_disposition(requests.get(f"{gateway.url}/api/jobs/{job['id']}/result", timeout=30), None, kind)


def check_shown(name: str, kind: str) -> None:
    assert name and len(name) <= 255 and name not in (".", ".."), kind
    assert all(each.isprintable() or each == "\u200d" for each in name), (kind, name)
    assert "/" not in name and "\\" not in name, kind


def check_disposition(answer: requests.Response, shown: str | None, kind: str) -> None:
    """RFC 6266: both forms are there. The plain one is a visible file's name in ASCII. The other is what the job says, with the extension of the
    bytes."""
    assert answer.status_code == 200
    header = answer.headers["Content-Disposition"]
    parts = re.fullmatch(r"(attachment|inline); filename=\"([A-Za-z0-9 _.()-]+)\"; filename\*=UTF-8''([A-Za-z0-9%_.~-]+)", header)
    assert parts is not None, (kind, header)
    assert not parts[2].startswith((".", " ")), kind
    if shown is not None:
        stem, _, extension = unquote(parts[3]).rpartition(".")
        assert extension == "jpg" and (shown.startswith(stem) or stem == "image"), (kind, parts[3])


def check_refusal(answer: requests.Response, way: str, kind: str) -> None:
    """What HTTP itself has no room for, or what is no form any more; never a failure of the gateway's own."""
    assert (way, kind) in {
        *((each, "long") for each in ("raw", "convert", "tus", "multipart", "multipart_extended", "multipart_unescaped")),
        *(("multipart_unescaped", each) for each in ("new lines", "quotes")),
        ("json", "half a pair"),
    }, (way, kind, answer.status_code, answer.text[:300])
    assert 400 <= answer.status_code < 500, (way, kind, answer.text[:300])


def check_store(data_dir: Path) -> None:
    """Nothing in it is called after an upload, and nothing is beside it."""
    known = re.compile(r"(source|manifest\.json|outcome\.json|result-[\w-]+\.webp|ticket\.json|journal|data|[\w-]{22}\.json)")
    strange = [each for each in (data_dir / "store").rglob("*") if each.is_file() and not known.fullmatch(each.name)]
    assert not strange
    assert not Path("/tmp/escaped.png").exists()
