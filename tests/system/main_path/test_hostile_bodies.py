"""Bodies of 200 MB, of each kind, to every route: refused within a second, with flat memory and no temporary file."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from backend.core import tus
from tests.support.running import Gateway, running
from tests.system.main_path.test_bodies import MARK, image

pytestmark = pytest.mark.e2e
MB = 1_000_000
BODY_BYTES = 200 * MB
WITHIN_S = 1.0
IMAGE_BYTES_PER_S = 16 * MB
"""What a busy machine writes to its disk. Where images are taken, one is read before a body is known to be too long."""
MEMORY_MB = 30
"""How much all workers together may grow: buffers of a few connections, and what Python keeps of them."""
BUFFERED_BYTES = 16 * MB
"""What lies in the sockets' buffers on both sides, and is sent before the answer is seen."""
PIECE = bytes(1 << 16)
SOCKET_IO = "/socket.io/?EIO=4&transport=polling"
ANSWER_WITHIN_S = 20.0
FIELD = MARK + b'\r\nContent-Disposition: form-data; name="quality"\r\n\r\n'
FILE = MARK + b'\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + image(b"")
FORM = f"multipart/form-data; boundary={MARK[2:].decode()}"
KINDS = {
    "raw": ("application/octet-stream", b""),
    "image": ("image/png", image(b"")),
    "json": ("application/json", b'{"quality": "'),
    "urlencoded": ("application/x-www-form-urlencoded", b"quality="),
    "field": (FORM, FIELD),
    "file": (FORM, FILE),
    "preamble": (FORM, b""),
    "text": ("text/plain", b""),
    "unknown": ("application/x-nobody-knows", b""),
    "tus": (tus.MEDIA_TYPE, image(b"")),
}


class Answer:
    """A request is sent until its answer begins, or the body is at its end. ``sent_bytes`` are those of the body."""

    def __init__(self, gateway: Gateway, head: str, body: Iterator[bytes], *, is_chunked: bool) -> None:
        self.sent_bytes, self.received = 0, b""
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=ANSWER_WITHIN_S) as sock:
            begun_s = time.monotonic()
            sock.sendall(head.encode())
            self._send(sock, body, is_chunked)
            self._read_head(sock)
            self.seconds = time.monotonic() - begun_s

    def _send(self, sock: socket.socket, body: Iterator[bytes], is_chunked: bool) -> None:
        for piece in body:
            sock.settimeout(0)
            try:
                self.received += sock.recv(1 << 16)
                return
            except BlockingIOError:
                pass
            except ConnectionError:
                return
            sock.settimeout(ANSWER_WITHIN_S)
            try:
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
            except ConnectionError:
                return
            self.sent_bytes += len(piece)

    def _read_head(self, sock: socket.socket) -> None:
        sock.settimeout(ANSWER_WITHIN_S)
        try:
            while b"\r\n\r\n" not in self.received and (more := sock.recv(1 << 16)):
                self.received += more
        except ConnectionError:
            pass

    @property
    def status(self) -> int:
        """0 without an answer."""
        return int(self.received.split(b" ", 2)[1]) if self.received else 0


def pieces(first: bytes) -> Iterator[bytes]:
    yield first or PIECE
    for _ in range((BODY_BYTES - len(first or PIECE)) // len(PIECE)):
        yield PIECE


def head_of(gateway: Gateway, method: str, path: str, content_type: str, *, is_chunked: bool) -> str:
    size_bytes = BODY_BYTES // len(PIECE) * len(PIECE)
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {size_bytes}"
    more = "Tus-Resumable: 1.0.0\r\nUpload-Length: 1000\r\nUpload-Offset: 0\r\n" if path.startswith(tus.PATH) else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\nContent-Type: {content_type}\r\n{more}{length}\r\n\r\n"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with few workers, whose memory is looked at, and a temporary folder of its own."""
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "tmp").mkdir()
    with running(folder / "data", GUNICORN_WORKERS="2", TMPDIR=str(folder / "tmp")) as started:
        yield started


def memory_mb(gateway: Gateway) -> float:
    return sum(each.memory_info().rss for each in gateway.find("gunicorn")) / MB


def files_in(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def routes(gateway: Gateway) -> list[tuple[str, str]]:
    """Those of the served description, with ids of what is there, and those of the page."""
    job = gateway.ended(gateway.upload(image(b""))["id"])["id"]
    upload = requests.post(gateway.url + tus.PATH, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1000"}, timeout=10)
    ids = {"{job_id}": job, "{batch_id}": job, "{upload_id}": upload.headers["Location"].rsplit("/", 1)[1]}
    described: dict[str, dict[str, Any]] = requests.get(f"{gateway.url}/api/openapi.json", timeout=10).json()["paths"]
    found = [("POST", "/"), ("GET", "/"), ("GET", "/metrics"), ("POST", f"/plain/jobs/{job}/cancel"), ("POST", "/nothing/here")]
    session = json.loads(requests.get(gateway.url + SOCKET_IO, timeout=10).text[1:])["sid"]
    found += [("POST", f"{SOCKET_IO}&sid={session}"), ("POST", SOCKET_IO)]
    for path, operations in described.items():
        for name, value in ids.items():
            path = path.replace(name, value)  # noqa: PLW2901
        found += [(method.upper(), path) for method in operations if method.upper() != "DELETE" or "{" not in path]
    return found


def image_bytes(method: str, path: str) -> int:
    """How much of a body the route may read before it refuses it: one image."""
    images = ("/", "/share", "/api/jobs", "/api/convert", "/api/convert/{name}")
    takes_images = (method in ("POST", "PUT") and path in images) or path.startswith(tus.PATH)
    return 64 << 20 if takes_images else 0


@pytest.mark.parametrize("is_chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_of_200_mb_is_refused_by_every_route(attacked: Gateway, is_chunked: bool) -> None:
    found = routes(attacked)
    temporary, data = attacked.data_dir.parent / "tmp", attacked.data_dir
    before_mb, files = memory_mb(attacked), files_in(temporary)
    most_mb, wrong = before_mb, []
    for method, path in found:
        for kind, (content_type, first) in KINDS.items():
            answer = Answer(attacked, head_of(attacked, method, path, content_type, is_chunked=is_chunked), pieces(first), is_chunked=is_chunked)
            most_mb = max(most_mb, memory_mb(attacked))
            allowed_s = WITHIN_S + image_bytes(method, path) / IMAGE_BYTES_PER_S
            if not 400 <= answer.status < 500 or answer.seconds > allowed_s or answer.sent_bytes > BUFFERED_BYTES + image_bytes(method, path):
                wrong.append(f"{method} {path} {kind}: {answer.status} after {answer.seconds:.2f} s, {answer.sent_bytes / MB:.0f} MB")
    assert len(found) > 25 and wrong == []
    assert most_mb - before_mb < MEMORY_MB, f"the workers grew from {before_mb:.0f} to {most_mb:.0f} MB"
    assert files_in(temporary) == files
    assert not [each for each in files_in(data) if "incoming" in each]


END = MARK + b"--\r\n"
QUERY = "/api/jobs?" + "&".join(["a"] * 4000)
SEMICOLONS = FILE.replace(b"form-data;", b"form-data" + b";" * 400_000, 1)
HEADS = FIELD.replace(b"\r\n\r\n", b"\r\n" + b"a:b\r\n" * 40_000 + b"\r\n", 1) + b"\r\n"
SHAPES: dict[str, tuple[str, str, bytes, set[int]]] = {
    "10 000 parts": ("/api/jobs", FORM, (FIELD + b"8\r\n") * 10_000 + END, {400}),
    "headers of 1 MB": ("/api/jobs", FORM, FIELD.replace(b"\r\n\r\n", b"\r\na: " + bytes(MB) + b"\r\n\r\n", 1) + END, {400}),
    "a hundred parts with 200 kB of headers": ("/api/jobs", FORM, HEADS * 100 + END, {400}),
    "a name of 1 MB": ("/api/jobs", FORM, FILE.replace(b"a.png", b"a" * MB, 1) + END, {400}),
    "400 000 semicolons": ("/api/jobs", FORM, SEMICOLONS + END, {400}),
    "an epilogue of 60 MB": ("/api/jobs", FORM, FILE + b"\r\n" + END + bytes(60 * MB), {400}),
    "line breaks before the form": ("/api/jobs", FORM, b"\r\n" * (30 * MB) + FILE + b"\r\n" + END, {400}),
    "line breaks in an image": ("/api/jobs", FORM, FILE + b"\r\n" * (30 * MB), {400}),
    "almost boundaries": ("/api/jobs", FORM, FILE + (b"\r\n" + MARK + b"!") * MB, {400}),
    "boundaries and spaces": ("/api/jobs", FORM, FILE + (b"\r\n" + MARK + b" " * 200) * 200_000, {400}),
    "a boundary of 8000 bytes": ("/api/jobs", "multipart/form-data; boundary=" + "x" * 8000, bytes(MB), {400}),
    "no boundary": ("/api/jobs", "multipart/form-data", bytes(MB), {400}),
    "a field of 100 MB": ("/api/jobs", FORM, FIELD + bytes(60 * MB), {413}),
    "48 MB of &a": ("/api/jobs/{job}/retry", "application/x-www-form-urlencoded", b"&a" * (24 * MB), {413}),
    "64 KiB of &a": ("/api/jobs/{job}/retry", "application/x-www-form-urlencoded", b"&a" * (32 << 10), {400}),
    "64 KiB of [": ("/api/jobs/{job}/retry", "application/json", b"[" * (64 << 10), {400}),
    "an integer of 60 000 digits": ("/api/jobs/{job}/retry", "application/json", b'{"width":' + b"9" * 60_000 + b"}", {400}),
    "an array 900 deep": ("/api/jobs/{job}/retry", "application/json", b'{"width":' + b"[" * 900 + b"]" * 900 + b"}", {422}),
    "a query of 4000 names": (QUERY, "image/png", image(b""), {400}),
}


def cpu_s(gateway: Gateway) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in gateway.find("gunicorn"))


@pytest.mark.parametrize("is_chunked", [False, True], ids=["announced", "chunked"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_hostile_body_costs_little_and_is_refused(attacked: Gateway, name: str, is_chunked: bool) -> None:
    path, content_type, body, expected = SHAPES[name]
    path = path.replace("{job}", attacked.upload(image(b""))["id"])
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{attacked.port}\r\nContent-Type: {content_type}\r\n{length}\r\n\r\n"
    sent = [body[start : start + len(PIECE)] for start in range(0, len(body), len(PIECE))]
    before_mb, before_s = memory_mb(attacked), cpu_s(attacked)
    answer = Answer(attacked, head, iter([*sent, b""] if is_chunked else sent), is_chunked=is_chunked)
    assert answer.status in expected, answer.received[:500]
    assert cpu_s(attacked) - before_s < 2 * WITHIN_S and memory_mb(attacked) - before_mb < MEMORY_MB


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Length: -1", 400),
        ("Content-Length: 5, 5", 400),
        ("Content-Length: 0x10", 400),
        ("Content-Length: " + "9" * 5000, 400),
        ("Content-Length: " + "9" * 30, 413),
        ("Content-Length: 100000000\r\nExpect: 100-continue", 413),
        ("Transfer-Encoding: gzip, chunked", 415),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        ("Content-Length: 5\r\nContent-Encoding: gzip", 415),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("path", ["/api/jobs/{job}/retry", "/api/convert"])
def test_a_length_that_is_none_is_refused_before_any_byte_is_sent(attacked: Gateway, path: str, line: str, status: int) -> None:
    path = path.replace("{job}", attacked.upload(image(b""))["id"])
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{attacked.port}\r\nContent-Type: application/json\r\n{line}\r\n\r\n"
    answer = Answer(attacked, head, iter(()), is_chunked=False)
    assert answer.status == status, answer.received[:300]
    assert answer.seconds < WITHIN_S and b"100 Continue" not in answer.received
