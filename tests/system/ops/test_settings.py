"""Each setting does what it says: not that it is read (``tests/unit/test_settings.py``), but what changes by it. ``shown.py`` names the tests."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
import websocket
from PIL import Image

from tests.support.images import photograph
from tests.support.redis_server import RedisServer
from tests.support.running import Gateway, free_port, running, wait_for
from tests.system.ops.processes import pool, workers

pytestmark = pytest.mark.e2e
KEY = "one-key-of-the-operator"


def gif(frames: int) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(frames)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def code(response: requests.Response) -> tuple[int, str]:
    return response.status_code, str(response.json().get("code"))


# One gateway with everything narrow.


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, redis_binary: str) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary, tmp_path_factory.mktemp("r"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, own_server: RedisServer) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "keys").write_text(f"# ours\n{KEY}\n")
    gateway = Gateway(
        folder / "data",
        API_HOST="127.0.0.2",
        REDIS_URL=own_server.url,
        GUNICORN_WORKERS="1",
        GUNICORN_KEEPALIVE="0",
        GUNICORN_GRACEFUL_TIMEOUT="4",
        GATEWAY_ENCODERS="1",
        GATEWAY_STORAGE_URL=f"file://{folder / 'elsewhere'}",
        GATEWAY_MAX_UPLOAD_BYTES="300K",
        GATEWAY_MAX_PIXELS="400000",
        GATEWAY_MAX_FRAMES="2",
        GATEWAY_MAX_FILES_PER_REQUEST="2",
        GATEWAY_BODY_IDLE_TIMEOUT_S="1",
        GATEWAY_FETCH="off",
        GATEWAY_BODY_MIN_BYTES_PER_S="5000",
        GATEWAY_API_KEYS_FILE=str(folder / "keys"),
        GATEWAY_ALLOWED_ORIGINS="https://friend.example",
        GATEWAY_SANDBOX="off",
        GATEWAY_METRICS_BIND=f"127.0.0.1:{free_port()}",
        GATEWAY_LOG_LEVEL="warning",
    )
    gateway.url = f"http://127.0.0.2:{gateway.port}"
    gateway.start()
    yield gateway
    if gateway.process is not None:
        gateway.stop()


def ask(gateway: Gateway, method: str, path: str, key: str = KEY, **given: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}", **given.pop("headers", {})}
    return requests.request(method, gateway.url + path, headers=headers, timeout=30, **given)


def test_it_listens_where_it_is_told_and_nowhere_else(narrow: Gateway) -> None:
    assert ask(narrow, "GET", "/api/health/live").status_code == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", narrow.port), timeout=5)


def test_the_given_redis_is_used_and_none_is_started(narrow: Gateway, own_server: RedisServer) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        assert client.exists("{webp-gateway}:encoders")
    assert not narrow.find("unixsocket")


def test_so_many_workers_and_encoders_run(narrow: Gateway) -> None:
    assert (len(workers(narrow)), len(pool(narrow))) == (1, 1)


def test_everything_lies_where_it_is_told(narrow: Gateway) -> None:
    ask(narrow, "POST", "/api/jobs", data=photograph(320, 240)).raise_for_status()
    assert list((narrow.data_dir.parent / "elsewhere/jobs").glob("*/*/manifest.json"))
    assert not (narrow.data_dir / "store/jobs").exists() and (narrow.data_dir / "run").is_dir()


def test_without_keepalive_each_answer_closes(narrow: Gateway) -> None:
    with socket.create_connection(("127.0.0.2", narrow.port), timeout=20) as raw:
        raw.sendall(b"GET /api/health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        said = b""
        while piece := raw.recv(65536):
            said += piece
    assert said.startswith(b"HTTP/1.1 200")


def test_what_is_too_much_is_refused_and_told_in_capabilities(narrow: Gateway) -> None:
    noise = b"\xff\xd8\xff\xe0" + bytes(400_000)
    assert code(ask(narrow, "POST", "/api/jobs", data=noise)) == (413, "too_large")
    assert code(ask(narrow, "POST", "/api/jobs", data=photograph(800, 600))) == (422, "too_many_pixels")
    assert code(ask(narrow, "POST", "/api/jobs", data=gif(3))) == (422, "too_many_frames")
    files = [("file", (f"{number}.gif", gif(1))) for number in range(3)]
    assert code(ask(narrow, "POST", "/api/jobs", files=files)) == (400, "bad_request")
    limits = ask(narrow, "GET", "/api/capabilities").json()["limits"]
    assert {name: limits[name] for name in ("upload_bytes", "pixels", "frames", "files_per_request")} == {
        "upload_bytes": 307_200,
        "pixels": 400_000,
        "frames": 2,
        "files_per_request": 2,
    }


def test_an_upload_that_stands_still_or_crawls_is_ended(narrow: Gateway) -> None:
    """Either would hold this connection for ever: 100 of 100 000 bytes come, and then nothing, or one now and then."""
    for drip in (b"", b"x"):
        with socket.create_connection(("127.0.0.2", narrow.port), timeout=60) as raw:
            head = f"POST /api/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100000\r\n\r\n"
            raw.sendall(head.encode() + photograph(64, 64)[:100])
            raw.settimeout(0.3)
            said, deadline = b"", time.monotonic() + 50
            while not said and time.monotonic() < deadline:
                try:
                    said = raw.recv(65536)
                except TimeoutError:
                    raw.sendall(drip)
        assert said.startswith(b"HTTP/1.1 400")


def test_nothing_is_fetched_where_fetching_is_off(narrow: Gateway) -> None:
    assert code(ask(narrow, "POST", "/api/jobs", json={"url": "http://127.0.0.2/cat.jpg"})) == (400, "bad_request")


def test_keys_of_a_file_open_the_gateway_and_others_do_not(narrow: Gateway) -> None:
    assert code(ask(narrow, "POST", "/api/jobs", key="another-key-altogether", data=gif(1))) == (401, "unauthorized")
    assert ask(narrow, "POST", "/api/jobs", data=gif(1)).status_code == 202


def test_named_origins_may_call_and_others_may_not(narrow: Gateway) -> None:
    friend = ask(narrow, "GET", "/api/capabilities", headers={"Origin": "https://friend.example"})
    stranger = ask(narrow, "GET", "/api/capabilities", headers={"Origin": "https://stranger.example"})
    assert friend.headers["Access-Control-Allow-Origin"] == "https://friend.example"
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_without_the_sandbox_the_seal_is_told_to_be_open(narrow: Gateway) -> None:
    assert ask(narrow, "GET", "/api/health").json()["encoders"]["seal"]["level"] == 0


def test_metrics_are_answered_at_their_own_address_alone(narrow: Gateway) -> None:
    assert ask(narrow, "GET", "/metrics").status_code == 404
    apart = requests.get(f"http://{narrow.environment['GATEWAY_METRICS_BIND']}/metrics", timeout=20)
    assert apart.status_code == 200 and "gateway_jobs_created_total" in apart.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/health", 200),
        ("/api/health/live", 200),
        ("/api/health/ready", 200),
        ("/", 404),
        ("/status", 404),
        ("/api/jobs", 404),
        ("/api/capabilities", 404),
        ("/socket.io/?EIO=4&transport=polling", 404),
        ("//metrics", 404),
    ],
)
def test_at_the_metrics_own_address_health_is_answered_too_and_nothing_else(narrow: Gateway, path: str, status: int) -> None:
    answer = requests.get(f"http://{narrow.environment['GATEWAY_METRICS_BIND']}{path}", headers={"Authorization": f"Bearer {KEY}"}, timeout=20)
    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "not_found"


def test_lines_below_the_level_are_not_written(narrow: Gateway) -> None:
    levels = set(re.findall(r"^\d{4}-\S+ (\w+)", narrow.log.read_text("utf-8"), re.MULTILINE))
    accesses = re.findall(r"gunicorn\.access", narrow.log.read_text("utf-8"))
    assert accesses and "debug" not in levels
    assert not re.search(r" info +\d+ (?!gunicorn\.access)", narrow.log.read_text("utf-8")), "but access lines, which have a setting of their own"


def test_a_stop_waits_for_no_client_longer_than_the_graceful_timeout(narrow: Gateway) -> None:
    """Last, since it stops it: a watcher that never reads would hold it for ever."""
    with socket.create_connection(("127.0.0.2", narrow.port), timeout=20) as raw:
        raw.sendall(f"POST /api/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100000\r\n\r\n".encode())
        raw.sendall(photograph(320, 240)[:1000])
        assert narrow.stop(within_s=25) == 0


# One gateway with little room.


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    given = {
        "GUNICORN_WORKERS": "1",
        "GUNICORN_WORKER_CONNECTIONS": "20",
        "GATEWAY_CONNECTIONS_PER_ADDRESS": "18",
        "GATEWAY_ENCODERS": "1",
        "GATEWAY_MAX_QUEUED_JOBS": "2",
        "GATEWAY_ENCODE_TIMEOUT_S": "1",
        "GATEWAY_RETENTION_S": "30",
        "GATEWAY_FETCH_TIMEOUT_S": "1",
        "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8",
        "GATEWAY_PROXY_HOPS": "1",
        "GATEWAY_RATE_LIMIT": "8/hour",
    }
    with running(tmp_path_factory.mktemp("cramped") / "data", **given) as gateway:
        yield gateway


def upload(gateway: Gateway, client: str, image: bytes, **options: Any) -> requests.Response:
    return requests.post(f"{gateway.url}/api/jobs", data=image, params=options, headers={"X-Forwarded-For": client}, timeout=30)


@pytest.mark.slow
def test_the_proxys_word_on_the_client_is_believed(cramped: Gateway) -> None:
    """Each client behind the proxy has a share of its own; the first eight of one are taken or find the queue full, the ninth is too many."""
    said = [upload(cramped, "10.0.0.1", photograph(64, 64)).status_code for _ in range(9)]
    assert set(said[:8]) <= {202, 503} and said[8] == 429
    assert upload(cramped, "10.0.0.2", photograph(64, 64)).status_code in (202, 503)


@pytest.mark.slow
def test_an_encode_that_takes_too_long_fails(cramped: Gateway) -> None:
    job = taken(cramped, "10.0.1", photograph(4000, 3000), method=6, quality=100)
    ended = cramped.ended(job["id"])
    assert (ended["state"], ended["error"]["code"]) == ("failed", "encode_timeout")


@pytest.mark.slow
def test_a_full_queue_turns_uploads_away(cramped: Gateway) -> None:
    said = [upload(cramped, f"10.0.2.{number}", photograph(3000, 2000), method=6) for number in range(8)]
    refused = [each for each in said if each.status_code == 503]
    assert refused and refused[0].json()["code"] == "queue_full" and int(refused[0].headers["Retry-After"]) >= 1


def taken(gateway: Gateway, network: str, image: bytes, **options: Any) -> dict[str, Any]:
    """The job, once the queue has room; a new client each time, since each may ask eight times."""
    clients = (f"{network}.{number}" for number in range(250))

    def offer() -> dict[str, Any] | None:
        response = upload(gateway, next(clients), image, **options)
        return dict(response.json()) if response.status_code == 202 else None

    return dict(wait_for(offer, 60, "for room in the queue"))


@pytest.mark.slow
def test_a_job_is_erased_after_its_retention(cramped: Gateway) -> None:
    job = taken(cramped, "10.0.3", photograph(64, 64))
    path = f"{cramped.url}/api/jobs/{job['id']}"
    wait_for(lambda: requests.get(path, timeout=20).status_code == 404, 90)
    wait_for(lambda: not list((cramped.data_dir / "store/jobs").glob(f"*/{job['id']}")), 60, "for it to be deleted")


@pytest.mark.slow
def test_a_site_that_is_silent_is_given_up(cramped: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/cat.jpg"
        given = {"json": {"url": url}, "headers": {"X-Forwarded-For": "10.0.4.1"}, "timeout": 30}
        job = wait_for(lambda: (r := requests.post(f"{cramped.url}/api/jobs", **given)).status_code == 202 and r.json(), 30)
        assert cramped.ended(job["id"], 28)["state"] == "failed"


@pytest.mark.slow
def test_sockets_take_four_fifths_of_a_workers_connections(cramped: Gateway) -> None:
    url = f"ws://127.0.0.1:{cramped.port}/socket.io/?EIO=4&transport=websocket"
    opened = []
    try:
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            for _ in range(17):
                opened.append(websocket.create_connection(url, timeout=20))
        assert (len(opened), refused.value.status_code) == (16, 503)
        assert requests.get(f"{cramped.url}/api/health/live", timeout=20).status_code == 200, "there is room for plain requests"
    finally:
        for each in opened:
            each.close()


@pytest.mark.slow
def test_one_address_holds_so_many_connections_and_no_more(cramped: Gateway) -> None:
    held: list[socket.socket] = []

    def refused() -> bool:
        while len(held) < 18:
            held.append(socket.create_connection(("127.0.0.1", cramped.port), timeout=20))
        with socket.create_connection(("127.0.0.1", cramped.port), timeout=20) as one_more:
            one_more.sendall(b"GET /api/health/live HTTP/1.1\r\nHost: a\r\n\r\n")
            return one_more.recv(65536).startswith(b"HTTP/1.1 503")

    try:
        assert refused()
    finally:
        for each in held:
            each.close()


def recycled(data_dir: Path, count: int, **given: str) -> set[int]:
    """The workers that answered so many requests."""
    with running(data_dir, GUNICORN_WORKERS="1", GATEWAY_ENCODERS="1", **given) as gateway:
        pids = set()
        for _ in range(count):
            answer = wait_for(lambda: _live(gateway), 30)
            pids.add(int(answer["pid"]))
        return pids


def _live(gateway: Gateway) -> dict[str, Any] | None:
    try:
        return dict(requests.get(f"{gateway.url}/api/health/live", timeout=20).json())
    except requests.RequestException:
        return None


@pytest.mark.slow
def test_a_worker_is_recycled_after_so_many_requests(data_dir: Path) -> None:
    assert len(recycled(data_dir, 25, GUNICORN_MAX_REQUESTS="5", GUNICORN_MAX_REQUESTS_JITTER="0")) >= 3


@pytest.mark.slow
def test_jitter_puts_the_recycling_off(data_dir: Path) -> None:
    assert len(recycled(data_dir, 25, GUNICORN_MAX_REQUESTS="1", GUNICORN_MAX_REQUESTS_JITTER="100000")) == 1


@pytest.mark.slow
def test_so_many_connections_wait_to_be_accepted(data_dir: Path) -> None:
    """While its one worker stands still the kernel takes the backlog and one more (listen(2)); the next is not answered."""
    with running(data_dir, GUNICORN_WORKERS="1", GATEWAY_ENCODERS="1", GUNICORN_BACKLOG="3") as gateway, contextlib.ExitStack() as held:
        (worker,) = workers(gateway)
        worker.suspend()
        try:
            taken = 0
            with contextlib.suppress(TimeoutError):
                while taken < 20:
                    held.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=5))
                    taken += 1
            assert taken == 4
        finally:
            worker.resume()
        assert gateway.health()["status"] == "ok"
