"""The security headers: a table of routes and answers of every kind × headers, as they leave a real gateway."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import NamedTuple

import pytest

from tests.support.images import photograph
from tests.support.running import Gateway

pytestmark = pytest.mark.e2e

EVERYWHERE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin"}
EMBEDDED = {"cross-origin-resource-policy": "same-origin"}
NOTHING, PAGE, CONTENT = "default-src 'none'; base-uri 'none'", "default-src 'self'", "default-src 'none'; sandbox"
"""The beginning of each policy."""
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
POLLING = "/socket.io/?EIO=4&transport=polling"


class Said(NamedTuple):
    status: int
    headers: list[tuple[str, str]]


def check(name: str, said: Said, policy: str = NOTHING) -> None:
    """Every header is there once, with its value."""
    names = [each.lower() for each, _ in said.headers]
    values = {each.lower(): value for each, value in said.headers}
    for header, value in (EVERYWHERE | EMBEDDED).items():
        assert (names.count(header), values.get(header)) == (1, value), (name, said)
    assert names.count("content-security-policy") == 1, (name, said)
    assert values["content-security-policy"].startswith(policy) and "unsafe" not in values["content-security-policy"], (name, said)
    assert "server" not in values or "/" not in values["server"], "no version is told"


def ask(gateway: Gateway, method: str, path: str, body: bytes | None = None, **headers: str) -> Said:
    """The head of the answer. The body is read as far as it has come."""
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response: HTTPResponse = connection.getresponse()
        return Said(response.status, response.getheaders())
    finally:
        connection.close()


def send(gateway: Gateway, request: bytes) -> Said:
    """What the server answers to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as sock:
        sock.sendall(request)
        response = HTTPResponse(sock)
        response.begin()
        return Said(response.status, response.getheaders())


@pytest.fixture(scope="module")
def job(gateway: Gateway) -> str:
    return str(gateway.ended(gateway.upload(photograph(64, 48))["id"])["id"])


@pytest.fixture(scope="module")
def batch(gateway: Gateway) -> str:
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + photograph(64, 48) + b"\r\n" for _ in range(2))
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Prefer": "wait=20"}
    connection.request("POST", "/api/jobs", parts + b"--x--\r\n", headers)
    made = json.load(connection.getresponse())
    connection.close()
    return str(made["id"])


def operations(gateway: Gateway) -> Iterator[tuple[str, str]]:
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    connection.request("GET", "/api/openapi.json")
    described = json.load(connection.getresponse())
    connection.close()
    for path, methods in described["paths"].items():
        yield from ((method.upper(), path) for method in methods)


def test_every_described_route_carries_them_whatever_it_answers(gateway: Gateway, job: str, batch: str) -> None:
    ids = {"{job_id}": job, "{batch_id}": batch, "{upload_id}": "A" * 22}
    for method, path in operations(gateway):
        known, unknown = path, path
        for name, value in ids.items():
            known, unknown = known.replace(name, value), unknown.replace(name, "A" * 22)
        for place in dict.fromkeys((unknown, known) if method != "DELETE" else (unknown,)):
            said = ask(gateway, method, place, b"" if method in ("POST", "PUT", "PATCH") else None, Tus_Resumable="1.0.0")
            is_content = path.endswith(("/result", "/source")) and said.status == 200
            check(f"{method} {place} {said.status}", said, CONTENT if is_content else PAGE if path == "/api/docs" else NOTHING)


def test_pages_files_and_answers_of_every_kind_carry_them(gateway: Gateway, job: str, batch: str) -> None:
    own = f"/api/jobs/{job}"
    etag = dict(ask(gateway, "GET", f"{own}/result").headers)["ETag"]
    page_etag = dict(ask(gateway, "GET", "/").headers)["ETag"]
    for status, policy, method, path, headers in (
        (200, PAGE, "GET", "/", {}),
        (304, PAGE, "GET", "/", {"If_None_Match": page_etag}),
        (200, PAGE, "GET", "/status", {}),
        (200, PAGE, "GET", "/static/js/main.js", {}),
        (200, PAGE, "GET", "/favicon.ico", {}),
        (200, PAGE, "GET", "/problems/not_found", {}),
        (200, PAGE, "GET", f"/plain/jobs/{job}", {}),
        (200, NOTHING, "GET", "/metrics", {}),
        (206, CONTENT, "GET", f"{own}/result", {"Range": "bytes=0-9"}),
        (304, CONTENT, "GET", f"{own}/result", {"If_None_Match": etag}),
        (416, NOTHING, "GET", f"{own}/result", {"Range": "bytes=999999-"}),
        (200, NOTHING, "GET", f"{own}/events", {}),
        (200, NOTHING, "GET", f"/api/batches/{batch}/archive.zip", {}),
        (404, NOTHING, "GET", "/nothing", {}),
        (404, NOTHING, "GET", "/static/nothing.js", {}),
        (405, NOTHING, "PATCH", "/api/jobs", {}),
        (405, NOTHING, "TRACE", "/api/jobs", {}),
        (200, NOTHING, "OPTIONS", "/api/jobs", {}),
        (200, NOTHING, "OPTIONS", "/api/jobs", {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}),
        (412, NOTHING, "POST", "/api/uploads", {"Tus_Resumable": "0.1"}),
        (413, NOTHING, "POST", "/api/convert", {"Content_Length": str(1 << 40)}),
        (421, NOTHING, "GET", "/", {"Host": "evil.example"}),
        (403, NOTHING, "POST", "/api/jobs", {"Sec_Fetch_Site": "cross-site"}),
        (403, PAGE, "POST", "/", {"Sec_Fetch_Site": "cross-site"}),
        (200, NOTHING, "GET", POLLING, {}),
        (400, NOTHING, "GET", f"{POLLING}&sid=none", {}),
        (400, NOTHING, "POST", f"{POLLING}&sid=none", {}),
        (400, NOTHING, "GET", "/socket.io/?EIO=9&transport=pigeon", {}),
        (200, NOTHING, "OPTIONS", POLLING, {}),
        (421, NOTHING, "GET", POLLING, {"Host": "evil.example"}),
        (403, NOTHING, "GET", POLLING, {"Origin": "https://evil.example"}),
        (400, NOTHING, "GET", f"{own}/ws", {}),
        (404, NOTHING, "GET", f"/api/jobs/{'A' * 22}/ws", UPGRADE),
        (403, NOTHING, "GET", f"{own}/ws", {**UPGRADE, "Origin": "https://evil.example"}),
        (426, NOTHING, "GET", f"{own}/ws", {**UPGRADE, "Sec-WebSocket-Version": "12"}),
        (400, NOTHING, "GET", f"{own}/ws", {**UPGRADE, "Sec-WebSocket-Key": "short"}),
    ):
        said = ask(gateway, method, path, **headers)
        assert said.status == status, (method, path, headers, said)
        check(f"{method} {path} {headers}", said, policy)


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (400, b"GARBAGE\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Name: 1\r\n\r\n"),
        (400, b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (400, b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"),
        (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n"),
        (501, b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: bogus\r\n\r\n"),
    ],
)
def test_what_never_became_a_request_carries_them(gateway: Gateway, status: int, request_bytes: bytes) -> None:
    said = send(gateway, request_bytes)
    assert said.status == status
    check(repr(request_bytes[:40]), said)
