"""The whole gateway, several workers, real clients over bad lines: every source is byte for byte what was sent, and each upload one job."""

from __future__ import annotations

import functools
import hashlib
import http.client
import http.server
import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from tusclient.client import TusClient

from tests.conftest import missing
from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, free_port, running, wait_for
from tests.system.uploads.conftest import OFFSET_TYPE, VERSION, job_id, metadata
from tests.system.uploads.cutter import cutting

pytestmark = pytest.mark.e2e
WORKERS = 3
OTHER_SITE = f"http://127.0.0.1:{free_port()}"
NODE_MODULES = ROOT / "tests" / "page" / "node_modules" / "tus-js-client"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rules = {"GUNICORN_WORKERS": str(WORKERS), "GATEWAY_MAX_QUEUED_JOBS": "5000", "GATEWAY_ALLOWED_ORIGINS": OTHER_SITE}
    with running(tmp_path_factory.mktemp("uploads") / "data", **rules) as started:
        yield started


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Gateway]:
    """One whose workers a test may kill."""
    with running(tmp_path / "data", GUNICORN_WORKERS=str(WORKERS)) as started:
        yield started


@pytest.fixture(scope="module")
def picture() -> bytes:
    return photograph(1200, 900)


def create(gateway: Gateway, size: int, **pairs: str) -> str:
    response = requests.post(f"{gateway.url}/api/uploads", headers={**VERSION, "Upload-Length": str(size), **metadata(**pairs)}, timeout=10)
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def head(gateway: Gateway, path: str) -> requests.Response:
    response = requests.head(gateway.url + path, headers=VERSION, timeout=30)
    assert response.status_code == 200, response.status_code
    return response


def offset(gateway: Gateway, path: str) -> int:
    return int(head(gateway, path).headers["Upload-Offset"])


def patch(gateway: Gateway, path: str, at: int, data: bytes, **more: str) -> requests.Response:
    return requests.patch(gateway.url + path, data=data, headers={**VERSION, **OFFSET_TYPE, "Upload-Offset": str(at), **more}, timeout=60)


def check_source(gateway: Gateway, link: str, data: bytes) -> None:
    response = requests.get(f"{gateway.url}/api/jobs/{job_id(link)}/source", timeout=30)
    assert response.status_code == 200 and hashlib.sha256(response.content).digest() == hashlib.sha256(data).digest()


def begin_patch(gateway: Gateway, path: str, at: int, data: bytes, announced: int) -> socket.socket:
    """A PATCH that has sent ``data`` of ``announced`` bytes and stays open."""
    line = socket.create_connection(("127.0.0.1", gateway.port))
    lines = [f"PATCH {path} HTTP/1.1", "Host: localhost", "Tus-Resumable: 1.0.0", f"Upload-Offset: {at}", f"Content-Length: {announced}"]
    line.sendall("\r\n".join([*lines, "Content-Type: application/offset+octet-stream", "", ""]).encode() + data)
    return line


def worker_of(gateway: Gateway, line: socket.socket) -> psutil.Process:
    """The process that holds the other end."""
    port = line.getsockname()[1]

    def look() -> psutil.Process | None:
        for each in gateway.find("gunicorn"):
            if any(found.raddr and found.raddr.port == port for found in each.net_connections("tcp")):
                return each
        return None

    return psutil.Process(wait_for(look, 10, "for a worker to take the connection").pid)


def connection_to_another(gateway: Gateway, than: psutil.Process) -> http.client.HTTPConnection:
    """Kept alive, and not that worker's."""
    tried = []
    try:
        for _ in range(200):
            connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
            connection.request("GET", "/api/health/live")
            connection.getresponse().read()
            if worker_of(gateway, connection.sock).pid != than.pid:
                return connection
            tried.append(connection)
        raise AssertionError("one worker serves everything")
    finally:
        for each in tried:
            each.close()


def resume(gateway: Gateway, connection: http.client.HTTPConnection, path: str, data: bytes) -> str:
    """HEAD and the rest over this connection; the Link."""
    connection.request("HEAD", path, headers=VERSION)
    response = connection.getresponse()
    response.read()
    at = int(response.headers["Upload-Offset"])
    connection.request("PATCH", path, body=data[at:], headers={**VERSION, **OFFSET_TYPE, "Upload-Offset": str(at)})
    response = connection.getresponse()
    assert response.status == 204, response.read()
    response.read()
    return str(response.headers["Link"])


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=(pytest.mark.slow, pytest.mark.timeout(600)))])
def test_uploads_that_are_cut_at_a_random_byte_are_resumed_by_another_worker(gateway: Gateway, picture: bytes, count: int) -> None:
    dice = random.Random(count)
    for number in range(count):
        data = picture + number.to_bytes(4)
        path, cut = create(gateway, len(data), filename=f"{number}.jpg"), dice.randrange(1, len(data))
        with begin_patch(gateway, path, 0, data[:cut], len(data)) as line:
            first = worker_of(gateway, line)
            if number % 2:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection = connection_to_another(gateway, first)
        link = resume(gateway, connection, path, data)
        connection.close()
        check_source(gateway, link, data)
        assert head(gateway, path).headers["Link"] == link


def test_what_had_arrived_when_the_client_left_need_not_be_sent_again(gateway: Gateway, picture: bytes) -> None:
    path = create(gateway, len(picture))
    with begin_patch(gateway, path, 0, picture[:50_000], len(picture)) as line:
        worker_of(gateway, line)
    wait_for(lambda: offset(gateway, path) == 50_000, 10, "for what arrived to count")


@pytest.mark.parametrize(("more", "begun"), [(0, 50_000), (2_000_000, 900_001)], ids=["small", "in sips"])
def test_a_connection_that_hangs_gives_way_and_what_it_brought_counts(gateway: Gateway, picture: bytes, more: int, begun: int) -> None:
    data = picture + random.Random(1).randbytes(more)
    path = create(gateway, len(data))
    with begin_patch(gateway, path, 0, data[:begun], len(data)) as line:
        worker_of(gateway, line)
        assert offset(gateway, path) == begun
        assert b" 423 " in line.recv(1000).splitlines()[0]
    response = patch(gateway, path, begun, data[begun:])
    check_source(gateway, response.headers["Link"], data)


def test_a_second_writer_takes_over_from_one_that_hangs_without_asking_first(gateway: Gateway, picture: bytes) -> None:
    path = create(gateway, len(picture))
    with begin_patch(gateway, path, 0, picture[:50_000], len(picture)) as line:
        worker_of(gateway, line)
        response = patch(gateway, path, 50_000, picture[50_000:])
        assert response.status_code == 204
        assert b" 423 " in line.recv(1000).splitlines()[0]
    check_source(gateway, response.headers["Link"], picture)


@pytest.mark.parametrize(("more", "begun"), [(0, 1000), (2_000_000, 900_001)], ids=["small", "in sips"])
def test_a_writer_that_is_alive_is_not_driven_out(gateway: Gateway, picture: bytes, more: int, begun: int) -> None:
    """Nor for bringing less in a second than is waited for."""
    data = picture + random.Random(1).randbytes(more)
    path = create(gateway, len(data))
    with begin_patch(gateway, path, 0, data[:begun], len(data)) as line:
        worker_of(gateway, line)
        answers: list[requests.Response] = []
        other = threading.Thread(target=lambda: answers.append(patch(gateway, path, 0, data)))
        other.start()
        sent = begun
        while other.is_alive():
            line.sendall(data[sent : sent + 4000])
            sent += 4000
            other.join(0.2)
        assert answers[0].status_code == 423 and answers[0].headers["Retry-After"]
        line.sendall(data[sent:])
        assert b" 204 " in line.recv(1000).splitlines()[0]
    check_source(gateway, head(gateway, path).headers["Link"], data)


def test_two_writers_at_once_never_mix_their_bytes(gateway: Gateway, picture: bytes) -> None:
    """Both send all of it again and again, from wherever HEAD says, with pieces of their own size."""
    path = create(gateway, len(picture))
    seen: set[int] = set()

    def send(piece: int) -> None:
        while (at := offset(gateway, path)) < len(picture):
            seen.add(patch(gateway, path, at, picture[at : at + piece]).status_code)

    writers = [threading.Thread(target=send, args=(piece,)) for piece in (7001, 9973)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert seen <= {204, 409, 413, 423} and 204 in seen
    check_source(gateway, head(gateway, path).headers["Link"], picture)


def test_a_piece_with_a_wrong_checksum_is_460_at_another_worker_too(gateway: Gateway, picture: bytes) -> None:
    path = create(gateway, len(picture))
    patch(gateway, path, 0, picture[:5000])
    wrong = {"Upload-Checksum": "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00="}
    assert {patch(gateway, path, 5000, picture[5000:9000], **wrong).status_code for _ in range(2 * WORKERS)} == {460}
    assert offset(gateway, path) == 5000


def test_a_body_without_a_length_is_taken_too(gateway: Gateway, picture: bytes) -> None:
    path = create(gateway, len(picture))
    pieces = (picture[at : at + 10_000] for at in range(0, len(picture), 10_000))
    headers = {**VERSION, **OFFSET_TYPE, "Upload-Offset": "0"}
    response = requests.patch(gateway.url + path, data=pieces, headers=headers, timeout=30)
    check_source(gateway, response.headers["Link"], picture)


def test_a_worker_that_is_killed_in_mid_piece_loses_nothing_acknowledged(breakable: Gateway, picture: bytes) -> None:
    dice = random.Random(1)
    for _ in range(5):
        path = create(breakable, len(picture))
        first, cut = dice.randrange(1, 30_000), dice.randrange(40_000, len(picture))
        assert patch(breakable, path, 0, picture[:first]).status_code == 204
        with begin_patch(breakable, path, first, picture[first:cut], len(picture) - first) as line:
            os.kill(worker_of(breakable, line).pid, signal.SIGKILL)
        at = offset_at_another(breakable, path)
        assert first <= at <= cut
        link = patch(breakable, path, at, picture[at:]).headers["Link"]
        check_source(breakable, link, picture)
        assert breakable.ended(job_id(link))["state"] == "succeeded"


def offset_at_another(gateway: Gateway, path: str) -> int:
    """The offset as soon as a worker is there to tell it."""

    def look() -> requests.Response | None:
        try:
            return head(gateway, path)
        except requests.RequestException:
            return None

    return int(wait_for(look, 20, "for another worker").headers["Upload-Offset"])


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=(pytest.mark.slow, pytest.mark.timeout(600)))])
def test_a_worker_that_is_killed_at_the_last_byte_leaves_one_job(breakable: Gateway, picture: bytes, count: int) -> None:
    """Killed at a random moment between the last byte and the answer; what the client sees afterwards is one finished job."""
    dice = random.Random(count)
    for number in range(count):
        data = picture + number.to_bytes(4)
        path = create(breakable, len(data))
        with begin_patch(breakable, path, 0, data[:-1], len(data)) as line:
            worker = worker_of(breakable, line)
            moment = threading.Event()
            line.sendall(data[-1:])
            moment.wait(dice.random() * 0.03)
            os.kill(worker.pid, signal.SIGKILL)
        at = offset_at_another(breakable, path)
        if at < len(data):
            assert patch(breakable, path, at, data[at:]).status_code == 204
        link = head(breakable, path).headers["Link"]
        check_source(breakable, link, data)
        assert head(breakable, path).headers["Link"] == link
        assert breakable.ended(job_id(link))["state"] == "succeeded"
    sources = [each.read_bytes() for each in (breakable.data_dir / "store" / "jobs").glob("*/*/source")]
    assert sorted(sources) == sorted(picture + number.to_bytes(4) for number in range(count))


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None or not NODE_MODULES.exists():
        missing("node or tests/page/node_modules/tus-js-client is missing")
    return found


@pytest.mark.parametrize(("chunk", "parallel"), [(0, 1), (100_000, 1), (0, 3), (50_000, 2)])
def test_the_official_javascript_client_gets_through_a_line_that_keeps_breaking(
    gateway: Gateway, picture: bytes, node: str, tmp_path: Path, chunk: int, parallel: int
) -> None:
    file, dice = tmp_path / "picture.jpg", random.Random(chunk + parallel)
    file.write_bytes(picture)
    cuts = [dice.randrange(1, min(chunk or len(picture), len(picture)) // parallel // 8) for _ in range(6)]
    with cutting(gateway.port, cuts) as line:
        said = run(node, "resume.mjs", line.url, file, chunk, parallel)
        assert line.made >= len(cuts) // 2, "the line was to break more often"
    check_source(gateway, said["link"], picture)
    job = gateway.ended(job_id(said["link"]))
    assert (job["state"], job["source"]["filename"], job["options"]["quality"]) == ("succeeded", "火车上.jpg", 60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_uploads_of_the_official_javascript_client_cut_at_a_random_byte_come_out_whole(
    gateway: Gateway, picture: bytes, node: str, tmp_path: Path
) -> None:
    """Each goes on over a new connection, which any worker may take."""
    dice = random.Random(100)
    made = 0
    for number in range(100):
        data, file = picture + number.to_bytes(4), tmp_path / f"{number}.jpg"
        file.write_bytes(data)
        with cutting(gateway.port, [dice.randrange(1, len(data))]) as line:
            said = run(node, "resume.mjs", line.url, file, 0, 1)
            made += line.made
        check_source(gateway, said["link"], data)
        assert gateway.ended(job_id(said["link"]))["state"] == "succeeded"
        file.unlink()
    assert made >= 95, f"the line broke only {made} times"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_uploads_of_the_official_python_client_cut_at_a_random_byte_come_out_whole(gateway: Gateway, picture: bytes) -> None:
    dice = random.Random(20)
    for number in range(20):
        data = picture + number.to_bytes(4)
        with cutting(gateway.port, [dice.randrange(1, len(data))]) as line:
            uploader = TusClient(f"{line.url}/api/uploads").uploader(
                file_stream=io.BytesIO(data), metadata={"filename": "a.jpg"}, retries=5, retry_delay=0
            )
            uploader.upload()
            assert line.made == 1
        check_source(gateway, head(gateway, urlsplit(uploader.url).path).headers["Link"], data)


def run(node: str, script: str, *arguments: Any) -> dict[str, Any]:
    command = [node, str(Path(__file__).with_name(script)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("chunk", [0, 40_000])
def test_the_official_python_client_gets_through_a_line_that_keeps_breaking(gateway: Gateway, picture: bytes, chunk: int) -> None:
    dice = random.Random(chunk)
    cuts = [dice.randrange(1, (chunk or len(picture)) // 8) for _ in range(6)]
    with cutting(gateway.port, cuts) as line:
        client = TusClient(f"{line.url}/api/uploads")
        pairs = {"filename": "火车上.jpg", "quality": "60"}
        more = {"chunk_size": chunk} if chunk else {}
        uploader = client.uploader(file_stream=io.BytesIO(picture), metadata=pairs, retries=10, retry_delay=0, upload_checksum=bool(chunk), **more)
        uploader.upload()
        assert line.made >= len(cuts) // 2, "the line was to break more often"
    link = head(gateway, urlsplit(uploader.url).path).headers["Link"]
    check_source(gateway, link, picture)
    assert gateway.ended(job_id(link))["source"]["filename"] == "火车上.jpg"


@pytest.fixture
def other_site(tmp_path: Path, picture: bytes) -> Iterator[str]:
    """A page of an origin that the gateway allows, with the client's script and the picture beside it."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text('<!doctype html><link rel="icon" href="data:,"><script src="tus.min.js"></script>')
    (folder / "picture.jpg").write_bytes(picture)
    shutil.copy(NODE_MODULES / "dist" / "tus.min.js", folder)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(OTHER_SITE.rsplit(":", 1)[1])), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield OTHER_SITE
        server.shutdown()
        serving.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def test_the_official_client_in_chromium_gets_through_from_another_origin(gateway: Gateway, picture: bytes, node: str, other_site: str) -> None:
    if not Path(os.environ.get("CHROMIUM", "/usr/bin/chromium")).exists():
        missing("chromium is missing")
    cuts = [random.Random(number).randrange(1, len(picture) // 6) for number in range(4)]
    with cutting(gateway.port, cuts) as line:
        said = run(node, "browser.mjs", other_site, line.url)
        assert line.made >= len(cuts) // 2 and said["retries"], "the line was to break more often"  # Chromium itself sends some of them again
    check_source(gateway, said["link"], picture)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_uploads_of_the_official_client_in_chromium_cut_at_a_random_byte_come_out_whole(
    gateway: Gateway, picture: bytes, node: str, other_site: str
) -> None:
    """A new browser each, so that each has connections of its own; Chromium itself sends again what broke before an answer began."""
    if not Path(os.environ.get("CHROMIUM", "/usr/bin/chromium")).exists():
        missing("chromium is missing")
    dice = random.Random(200)
    made = resumed = 0
    for _ in range(100):
        with cutting(gateway.port, [dice.randrange(1, len(picture))]) as line:
            said = run(node, "browser.mjs", other_site, line.url)
            made, resumed = made + line.made, resumed + bool(said["retries"])
        check_source(gateway, said["link"], picture)
    assert made >= 95 and resumed >= 40, f"the line broke {made} times, and {resumed} uploads were resumed"
