"""One client's share, through the whole gateway: what is beyond it is refused before the body is read, and leaves nothing behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import requests

from backend.adapters.redis.client import KEY_PREFIX
from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for

pytestmark = pytest.mark.e2e
JOBS, UPLOADS, DAY_MIB, MIB = 3, 2, 16, 1 << 20
PICTURE = photograph(64, 64)
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    given = {
        "GUNICORN_WORKERS": "2",
        "GATEWAY_ENCODERS": "1",
        "GATEWAY_PROXY_HOPS": "1",
        "GATEWAY_CLIENT_JOBS": str(JOBS),
        "GATEWAY_CLIENT_BYTES_PER_DAY": f"{DAY_MIB}MiB",
        "GATEWAY_CLIENT_UPLOADS": str(UPLOADS),
        "GATEWAY_REDIS_MAX_BYTES": "64MiB",
    }
    with running(tmp_path_factory.mktemp("shares") / "data", **given) as gateway:
        yield gateway


@pytest.fixture
def server(gateway: Gateway) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(gateway.data_dir / "run/redis.sock"), decode_responses=True) as client:
        yield client


def ask(gateway: Gateway, method: str, path: str, client: str, **given: Any) -> requests.Response:
    headers = {"X-Forwarded-For": client, **given.pop("headers", {})}
    return requests.request(method, gateway.url + path, headers=headers, timeout=30, **given)


def refusal(response: requests.Response) -> str:
    """The sentence of a refusal for a share that is used up."""
    assert (response.status_code, response.json()["code"]) == (429, "quota_exceeded"), response.text
    assert int(response.headers["Retry-After"]) >= 1
    return str(response.json()["detail"])


def is_idle(gateway: Gateway) -> bool:
    return bool(gateway.health()["queue"] == {"queued": 0, "running": 0})


def test_a_client_has_so_many_jobs_under_way_and_no_more(gateway: Gateway, server: redis.Redis) -> None:
    slow = photograph(3000, 2000)
    made = [ask(gateway, "POST", "/api/jobs?method=6", "10.1.0.1", data=slow).json()["id"] for _ in range(JOBS)]
    waiting = {"data": PICTURE, "headers": {"Idempotency-Key": "of a request that is refused"}}
    before = len(list(server.scan_iter(KEY_PREFIX + "memo:*")))
    assert str(JOBS) in refusal(ask(gateway, "POST", "/api/jobs", "10.1.0.1", **waiting))
    assert len(list(server.scan_iter(KEY_PREFIX + "memo:*"))) == before
    for path in ("/api/convert", f"/api/jobs/{made[0]}/retry"):
        refusal(ask(gateway, "POST", path, "10.1.0.1", data=PICTURE if "convert" in path else None))
    refusal(ask(gateway, "POST", "/api/jobs", "10.1.0.1", json={"url": "http://127.0.0.1/cat.jpg"}))
    assert ask(gateway, "POST", "/api/convert", "10.1.0.2", data=PICTURE).status_code == 200, "another client"
    ask(gateway, "DELETE", f"/api/jobs/{made[0]}", "10.1.0.1")
    assert ask(gateway, "POST", "/api/convert", "10.1.0.1", data=PICTURE).status_code == 200
    for each in made[1:]:
        ask(gateway, "POST", f"/api/jobs/{each}/cancel", "10.1.0.1")


def test_the_body_of_a_refused_request_is_not_waited_for(gateway: Gateway) -> None:
    held = [ask(gateway, "POST", "/api/jobs?method=6", "10.1.1.1", data=photograph(3000, 2000)).json()["id"] for _ in range(JOBS)]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as wire:
        wire.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 10.1.1.1\r\nContent-Length: 1000000\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 429 ")
    for each in held:
        ask(gateway, "DELETE", f"/api/jobs/{each}", "10.1.1.1")


def test_a_batch_beyond_the_share_is_refused_as_a_whole(gateway: Gateway) -> None:
    files = [("file", (f"{number}.jpg", PICTURE)) for number in range(JOBS + 1)]
    refusal(ask(gateway, "POST", "/api/jobs", "10.1.2.1", files=files))
    assert not list((gateway.data_dir / "store/incoming").iterdir())
    assert ask(gateway, "POST", "/api/jobs", "10.1.2.1", files=files[:-1]).status_code == 202


def test_addresses_of_one_ipv6_network_are_one_client(gateway: Gateway) -> None:
    slow = photograph(3000, 2000)
    said = [ask(gateway, "POST", "/api/jobs?method=6", f"2001:db8:0:1::{number:x}", data=slow) for number in range(1, JOBS + 2)]
    assert [each.status_code for each in said] == [202] * JOBS + [429]
    assert ask(gateway, "POST", "/api/jobs", "2001:db8:0:2::1", data=PICTURE).status_code == 202
    for each in said[:-1]:
        ask(gateway, "DELETE", f"/api/jobs/{each.json()['id']}", "2001:db8:0:1::1")


def test_a_client_sends_so_many_bytes_a_day_and_no_more(gateway: Gateway) -> None:
    """What was sent counts, whatever became of it."""
    for _ in range(DAY_MIB):
        assert ask(gateway, "POST", "/api/jobs", "10.1.3.1", data=b"\x89PNG\r\n\x1a\n" + bytes(MIB - 8)).status_code == 422

    def offer() -> str | None:
        response = ask(gateway, "POST", "/api/convert", "10.1.3.1", data=PICTURE)
        return refusal(response) if response.status_code == 429 else None

    assert f"{DAY_MIB} MiB" in wait_for(offer, 5, "for the bytes to be told")
    typed = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}

    def patch() -> str | None:
        upload = ask(gateway, "POST", "/api/uploads", "10.1.3.2", headers={**TUS, "Upload-Length": "9"}).headers["Location"]
        response = ask(gateway, "PATCH", upload, "10.1.3.1", headers=typed, data=b"012345678")
        return refusal(response) if response.status_code == 429 else None

    wait_for(patch, 5, "for the bytes to be told to the other worker")
    assert ask(gateway, "POST", "/api/convert", "10.1.3.2", data=PICTURE).status_code == 200


def test_a_client_has_so_many_unfinished_uploads_and_no_more(gateway: Gateway) -> None:
    def create(**headers: str) -> requests.Response:
        return ask(gateway, "POST", "/api/uploads", "10.1.4.1", headers={**TUS, "Upload-Length": str(len(PICTURE)), **headers})

    made = [create().headers["Location"] for _ in range(UPLOADS)]
    before = len(list((gateway.data_dir / "store/uploads").iterdir()))
    for _ in range(20):
        assert str(UPLOADS) in refusal(create())
    assert len(list((gateway.data_dir / "store/uploads").iterdir())) == before
    typed = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert ask(gateway, "PATCH", made[0], "10.1.4.1", headers=typed, data=PICTURE).status_code == 204
    third = create()
    assert third.status_code == 201, "one was finished"
    assert ask(gateway, "DELETE", made[1], "10.1.4.1", headers=TUS).status_code == 204
    assert create().status_code == 201, "and one erased"
    refusal(create())


def test_the_embedded_redis_takes_so_much_memory_and_evicts_nothing(gateway: Gateway, server: redis.Redis) -> None:
    assert server.config_get("maxmemory")["maxmemory"] == str(64 * MIB)
    assert server.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    wait_for(lambda: is_idle(gateway), 60)
    try:
        server.config_set("maxmemory", 1)
        refused = ask(gateway, "POST", "/api/convert", "10.1.5.1", data=PICTURE)
        kept = ask(gateway, "POST", "/api/jobs", "10.1.5.1", data=PICTURE)
        assert (refused.status_code, kept.status_code) == (503, 503), "neither is acknowledged: nobody knows when there is room"
        assert refused.json()["code"] == kept.json()["code"] == "backend_unavailable"
    finally:
        server.config_set("maxmemory", 64 * MIB)


def test_the_limits_are_told_to_clients(gateway: Gateway) -> None:
    limits = ask(gateway, "GET", "/api/capabilities", "10.1.6.1").json()["limits"]
    assert (limits["client_jobs"], limits["client_bytes_per_day"], limits["client_uploads"]) == (JOBS, DAY_MIB * MIB, UPLOADS)
