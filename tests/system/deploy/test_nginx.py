"""The shipped nginx configuration, run by a real nginx."""

from __future__ import annotations

import io
import json
import re
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import websocket
from PIL import Image

from backend import errors
from backend.texts.problems import problem
from tests.support.images import photograph
from tests.support.redis_server import RedisServer
from tests.support.running import Gateway, running, wait_for
from tests.system.deploy.proxied import CONFIGURATION, gateway_role, kill, nginx, status
from tests.system.live.test_many import javascript_clients, python_clients

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # python-socketio leaves broken sockets
]
Tool = Callable[[str], str]
MIB = 1 << 20


@pytest.fixture(scope="module")
def url(gateway: Gateway, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx in front of the shared gateway."""
    with nginx(tool("nginx"), [gateway.port], tmp_path_factory.mktemp("nginx")) as address:
        yield address


def bitmap(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 140, 60)).save(out, "BMP")
    return out.getvalue()


def of(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


@pytest.mark.parametrize(("one", "other"), [("gateway", "gateway_once"), ("gateway", "gateway_sockets")])
def test_every_list_of_gateways_in_the_shipped_file_is_the_same(one: str, other: str) -> None:
    text = CONFIGURATION.read_text("utf-8")

    def servers(name: str) -> list[str]:
        found = re.search(rf"upstream {name} \{{(.*?)\}}", text, re.DOTALL)
        assert found
        return re.findall(r"server .*;", found[1])

    assert servers(one) == servers(other) != []


@pytest.mark.slow
def test_two_hundred_default_clients_of_each_kind_work_through_nginx(tmp_path: Path, tool: Tool) -> None:
    with running(tmp_path / "data", GUNICORN_WORKERS="5") as gateway, nginx(tool("nginx"), [gateway.port], tmp_path) as url:
        ids = [gateway.upload(photograph(4000, 3000), method=6)["id"] for _ in range(6)]
        found = javascript_clients(gateway, url, ids, 200)
        assert {name: found[name] for name in ("connected", "upgraded", "ended")} == {"connected": 200, "upgraded": 200, "ended": 200}, found
        assert python_clients(url, ids, 200) == [(True, True)] * 200


def test_default_clients_of_each_kind_work_through_nginx(gateway: Gateway, url: str) -> None:
    ids = [gateway.upload(photograph(3000, 2000), method=6)["id"] for _ in range(2)]
    found = javascript_clients(gateway, url, ids, 20)
    assert {name: found[name] for name in ("connected", "upgraded", "ended")} == {"connected": 20, "upgraded": 20, "ended": 20}, found
    assert python_clients(url, ids, 20) == [(True, True)] * 20


def test_its_log_holds_no_query(url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    for path in ("/api/capabilities?filename=payslip.png", "/nowhere?expires=1&signature=payslip", "/api/convert?filename=payslip.png"):
        requests.get(url + path, timeout=20)
    log = next(tmp_path_factory.getbasetemp().glob("nginx*/webp-gateway.log"))
    wait_for(lambda: "/api/convert" in log.read_text("utf-8"), 10, "for the log")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert {"/api/capabilities", "/nowhere", "/api/convert"} <= {line["path"] for line in lines}
    assert "payslip" not in log.read_text("utf-8")


def test_sixty_megabytes_reach_the_gateway_while_the_client_still_sends(gateway: Gateway, url: str, tmp_path: Path) -> None:
    image = bitmap(5000, 4000)
    assert len(image) > 57 * MIB
    half = len(image) // 2
    with socket.create_connection(of(url), 30) as client:
        client.sendall(f"POST /api/jobs?quality=60 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(image)}\r\nConnection: close\r\n\r\n".encode())
        client.sendall(image[:half])
        incoming = gateway.data_dir / "store" / "incoming"

        def arrived() -> bool:
            return any(each.stat().st_size >= half - 2 * MIB for each in incoming.rglob("*") if each.is_file())

        wait_for(arrived, 30, "for the first half to be in the gateway's store")
        client.sendall(image[half:])
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202"), head
    job = gateway.ended(re.search(rb'"id": ?"([^"]+)"', body)[1].decode())  # type: ignore[index]
    assert job["state"] == "succeeded" and job["source"]["bytes"] == len(image)


@pytest.mark.parametrize("path", ["/api/jobs", "/api/convert"])
def test_the_gateways_own_words_for_what_is_too_large_pass(url: str, path: str) -> None:
    larger = requests.post(url + path, data=bitmap(5000, 4700), headers={"Accept-Language": "zh-CN"}, timeout=60)
    assert (larger.status_code, larger.json()["code"]) == (413, "too_large") and "64 MiB" in larger.json()["detail"]


def test_an_upload_with_as_much_metadata_as_is_taken_can_be_resumed(url: str) -> None:
    version, said = {"Tus-Resumable": "1.0.0"}, f"filename Y2F0LnBuZw==,note {'A' * 7900}"
    made = requests.post(f"{url}/api/uploads", headers={**version, "Upload-Length": "9", "Upload-Metadata": said}, timeout=20)
    assert made.status_code == 201
    answer = requests.head(url + made.headers["Location"], headers=version, timeout=20)
    assert (answer.status_code, answer.headers["Upload-Metadata"]) == (200, said)


def test_event_streams_come_at_once(gateway: Gateway, url: str) -> None:
    """Each stream's first event is waited for before the job may end: a proxy that holds events back would show none."""
    job = gateway.upload(photograph(6000, 4000), method=6)["id"]
    with requests.get(f"{url}/api/jobs/{job}/events", stream=True, timeout=60) as stream:
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        events = (json.loads(line[5:]) for line in lines if line.startswith("data:"))
        assert next(events)["finished_at"] is None
        plain = websocket.create_connection(f"{url.replace('http', 'ws')}/api/jobs/{job}/ws", timeout=60)
        assert json.loads(plain.recv())["finished_at"] is None
        assert requests.post(f"{url}/api/jobs/{job}/cancel", timeout=30).status_code == 200
        assert list(events)[-1]["state"] == "cancelled"
        while (last := json.loads(plain.recv()))["finished_at"] is None:
            pass
        assert last["state"] == "cancelled"
        plain.close()


def test_a_result_is_cached_and_erased_with_its_job(gateway: Gateway, url: str) -> None:
    job = gateway.upload(photograph(900, 600))["id"]
    assert status(f"{url}/api/jobs/{job}/result") in (200, 409)  # a 409 must not stick
    gateway.ended(job)
    address = f"{url}/api/jobs/{job}/result"
    first = requests.get(address, timeout=30)
    wait_for(lambda: requests.get(address, timeout=30).headers["X-Cache"] in ("HIT", "REVALIDATED"), 30, "for a cached answer")
    again = requests.get(address, headers={"X-Request-Id": "mine"}, timeout=30)
    assert again.content == first.content == gateway.result(job)
    assert again.headers["ETag"] == first.headers["ETag"] and again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert again.headers["X-Request-Id"] == "mine"
    assert requests.get(address, headers={"If-None-Match": first.headers["ETag"]}, timeout=30).status_code == 304
    part = requests.get(address, headers={"Range": "bytes=5-9"}, timeout=30)
    assert part.status_code == 206 and part.content == first.content[5:10]
    head = requests.head(address, timeout=30)
    assert head.headers["Content-Length"] == str(len(first.content)) and not head.content
    assert requests.delete(f"{url}/api/jobs/{job}", timeout=30).status_code == 204
    wait_for(lambda: status(address) in (404, 410), 30, "for the erased result to be gone from the cache")


def test_a_result_of_one_key_is_not_served_to_another_from_the_cache(tool: Tool, tmp_path: Path) -> None:
    with (
        running(tmp_path / "data", GATEWAY_API_KEYS="first-key,second-key", GUNICORN_WORKERS="2") as gateway,
        nginx(tool("nginx"), [gateway.port], tmp_path) as url,
    ):
        mine, other = {"X-API-Key": "first-key"}, {"Authorization": "Bearer second-key"}
        asked = requests.post(f"{url}/api/jobs", data=photograph(900, 600), headers={**mine, "Prefer": "wait=30"}, timeout=60)
        address = f"{url}/api/jobs/{asked.json()['id']}/result"
        wait_for(lambda: status(address, **mine) == 200, 60, "for the result")
        for _ in range(3):
            assert requests.get(address, headers=mine, timeout=30).headers["X-Cache"] == "BYPASS"
            assert [status(address, **other), status(address)] == [404, 401]
        assert not [each for each in (tmp_path / "cache").rglob("*") if each.is_file()]


def test_the_page_is_served_whole_and_its_files_compressed_and_cached(url: str) -> None:
    page = requests.get(url, timeout=30)
    assert page.status_code == 200 and "Content-Security-Policy" in page.headers
    script = f"{url}/static/js/main.js"
    wait_for(lambda: requests.get(script, timeout=30).headers["X-Cache"] in ("HIT", "REVALIDATED"), 30, "for a cached script")
    found = requests.get(script, timeout=30)
    assert found.headers["Content-Encoding"] == "gzip" and "Content-Security-Policy" in found.headers


HIDDEN = ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/metrics?format=text", "/_gateway/unavailable"]


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_the_operators_stays_inside(url: str, path: str) -> None:
    with socket.create_connection(of(url), 30) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert b"".join(iter(lambda: client.recv(65536), b"")).startswith(b"HTTP/1.1 404")


def test_a_name_that_is_not_served_gets_no_answer(url: str) -> None:
    with socket.create_connection(of(url), 30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: stranger.example\r\n\r\n")
        assert client.recv(1000) == b""


def test_an_upgrade_to_anything_but_a_websocket_is_not_passed_on(url: str) -> None:
    answer = requests.get(f"{url}/api/health/live", headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}, timeout=30)
    assert answer.status_code == 200


@pytest.mark.parametrize(("language", "sent"), [("en", "en;q=0.9"), ("zh-CN", "zh-TW, zh;q=0.8")])
def test_errors_of_nginx_are_problems_in_the_readers_language_and_the_gateways_words(url: str, language: str, sent: str) -> None:
    large = requests.post(f"{url}/api/jobs/x/cancel", data=bytes(2 * MIB), headers={"Accept-Language": sent}, timeout=30)
    assert large.status_code == 413 and large.headers["Content-Type"] == "application/problem+json" and large.headers["Content-Language"] == language
    words = problem(errors.TooLarge(limit_bytes=1).as_record(), language)
    assert {name: large.json()[name] for name in ("type", "title", "status", "code")} == {
        name: words[name] for name in ("type", "title", "status", "code")
    }
    with socket.create_connection(of(url), 30) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Language: {sent}\r\nX-Long: {'a' * 40_000}\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400") and b"application/problem+json" in head
    assert json.loads(body)["title"] == problem(errors.BadRequest().as_record(), language)["title"]
    hidden = requests.get(f"{url}/metrics", headers={"Accept-Language": sent}, timeout=30)
    words = problem(errors.NotFound().as_record(), language)
    assert {name: hidden.json()[name] for name in hidden.json()} == {name: words[name] for name in hidden.json()}


WRONG = [
    ("GET /api/jobs/{long} HTTP/1.1\r\nHost: localhost", 414, "en"),
    ("GET /api/jobs HTTP/1.1\r\nHost: a b", 400, "en"),
    ("GET /api/jobs HTTP/1.1\r\nAccept-Language: zh-CN,zh;q=0.9\r\nNo-Host: localhost", 400, "zh-CN"),
    ("TRACE /api/jobs HTTP/1.1\r\nAccept-Language: zh\r\nHost: localhost", 405, "zh-CN"),
    ("POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nAccept-Language: zh\r\nTransfer-Encoding: gzip", 501, "zh-CN"),
]


@pytest.mark.parametrize(("head", "status", "language"), WRONG)
def test_what_nginx_itself_refuses_is_a_problem_of_that_status(url: str, head: str, status: int, language: str) -> None:
    """Where nginx has not read so far as the language, or the name, in English."""
    with socket.create_connection(of(url), 30) as client:
        client.sendall(f"{head.replace('{long}', 'a' * 9000)}\r\nConnection: close\r\n\r\n".encode())
        answered, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    assert int(answered.split()[1]) == status and b"application/problem+json" in answered
    words = problem({**errors.BadRequest().as_record(), "status": status}, language)
    assert {name: json.loads(body)[name] for name in words} == words


def test_a_part_that_is_not_there_is_a_problem_from_the_cache_too(gateway: Gateway, url: str) -> None:
    job = gateway.upload(photograph(700, 500))["id"]
    gateway.ended(job)
    address = f"{url}/api/jobs/{job}/result"
    for _ in range(4):
        beyond = requests.get(address, headers={"Range": "bytes=99999999-"}, timeout=30)
        assert (beyond.status_code, beyond.headers["Content-Type"], beyond.json()["code"]) == (416, "application/problem+json", "bad_request")
        assert requests.get(address, timeout=30).status_code == 200


def test_a_refusal_that_comes_before_the_body_has_ended_reaches_the_client(own_redis: RedisServer, tool: Tool, tmp_path: Path) -> None:
    """No encoder here: the queue of one is full after the first upload."""
    with (
        gateway_role(tmp_path / "data", own_redis.url, GATEWAY_MAX_QUEUED_JOBS="1") as (port, _),
        nginx(tool("nginx"), [port], tmp_path) as url,
    ):
        assert requests.post(f"{url}/api/jobs", data=photograph(300, 200), timeout=30).status_code == 202
        full = requests.post(f"{url}/api/jobs", data=bitmap(5000, 4000), timeout=60)
        assert (full.status_code, full.json()["code"]) == (503, "queue_full") and int(full.headers["Retry-After"]) > 0


def test_rate_limits_go_by_the_address_that_nginx_saw(own_redis: RedisServer, tool: Tool, tmp_path: Path) -> None:
    """A client that claims to come from elsewhere gains nothing."""
    with (
        gateway_role(tmp_path / "data", own_redis.url, GATEWAY_RATE_LIMIT="2/hour", GATEWAY_PROXY_HOPS="1") as (port, _),
        nginx(tool("nginx"), [port], tmp_path) as url,
    ):

        def upload(claimed: str, source: str) -> int:
            with requests.Session() as session:
                session.mount("http://", From(source))
                return session.post(f"{url}/api/jobs", data=photograph(300, 200), headers={"X-Forwarded-For": claimed}, timeout=30).status_code

        assert [upload(f"192.0.2.{number}", "127.0.0.1") for number in range(3)] == [202, 202, 429]
        assert upload("192.0.2.1", "127.0.0.9") == 202


class From(requests.adapters.HTTPAdapter):
    """Connections from an address of one's own."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named, source_address=(self.address, 0))


AT_ONCE, CUT = 4, 0


def status_of(request: Future[requests.Response]) -> int:
    """``CUT``: an answer whose head was on its way when its gateway was killed, which nobody in front can mend."""
    try:
        return request.result().status_code
    except requests.exceptions.ChunkedEncodingError:
        return CUT


def test_one_gateway_of_several_dies_and_no_request_notices(own_redis: RedisServer, tool: Tool, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        gateway_role(data, own_redis.url) as (one, staying),
        gateway_role(data, own_redis.url) as (two, dying),
        nginx(tool("nginx"), [one, two], tmp_path) as url,
    ):

        def asked() -> set[int | None]:
            """The masters of the workers that eight requests met."""
            pids = [requests.get(f"{url}/api/health/live", timeout=30).json()["pid"] for _ in range(8)]
            return {psutil.Process(pid).ppid() for pid in pids}

        wait_for(lambda: asked() == {staying.pid, dying.pid}, 30, "for both gateways to get requests")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            uploads = [pool.submit(requests.post, f"{url}/api/jobs", data=photograph(400, 300, number), timeout=60) for number in range(20)]
            answers = [pool.submit(requests.get, f"{url}/api/health/live", timeout=60) for _ in range(100)]
            assert {each.result().status_code for each in uploads} == {202}
            kill(dying, signal.SIGKILL)
            uploads = [pool.submit(requests.post, f"{url}/api/jobs", data=photograph(400, 300, number), timeout=60) for number in range(20)]
            said = [status_of(each) for each in [*answers, *uploads]]
            assert set(said) <= {200, 202, CUT} and said.count(CUT) <= AT_ONCE
        assert asked() == {staying.pid}
        polling_session(url)


def test_when_no_gateway_answers_a_program_gets_a_problem_and_a_reader_a_page(own_redis: RedisServer, tool: Tool, tmp_path: Path) -> None:
    with gateway_role(tmp_path / "data", own_redis.url) as (port, process), nginx(tool("nginx"), [port], tmp_path) as url:
        kill(process, signal.SIGKILL)
        program = requests.post(f"{url}/api/jobs", data=photograph(300, 200), headers={"Accept-Language": "zh-CN"}, timeout=30)
        assert program.status_code == 503 and program.headers["Retry-After"] == "5"
        title = problem(errors.BackendUnavailable(part="gateway", retry_after_s=5).as_record(), "zh-CN")["title"]
        assert (program.json()["code"], program.json()["title"]) == ("backend_unavailable", title)
        browser = {"Accept": "text/html,*/*"}
        assert requests.get(f"{url}/api/capabilities", headers=browser, timeout=30).json()["code"] == "backend_unavailable", "under /api/ always"
        reader = requests.get(url, headers=browser, timeout=30)
        assert reader.status_code == 503 and reader.headers["Content-Type"].startswith("text/html") and "暂时不可用" in reader.content.decode()


def polling_session(url: str) -> None:
    """An Engine.IO session by long polling alone, in four requests that must meet the same machine."""
    http = requests.Session()
    opened = http.get(f"{url}/socket.io/?EIO=4&transport=polling", timeout=30).text
    sid = json.loads(opened[1:])["sid"]
    where = f"{url}/socket.io/?EIO=4&transport=polling&sid={sid}"
    assert http.post(where, data="40", timeout=30).text.lower() == "ok"
    assert http.get(where, timeout=30).text.startswith("40")
    assert http.post(where, data="41", timeout=30).status_code in (200, 400)
    http.close()
