"""A Redis that is full, hangs, refuses or loses keys under a running gateway: what is acknowledged is encoded soon after the trouble."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import redis
import requests

from tests.fakes.samples import image
from tests.support.redis_server import RedisServer
from tests.support.running import Gateway, running, wait_for

pytestmark = [pytest.mark.e2e]
MIB = 1 << 20
SOON_S = 10.0
"""After the trouble has passed."""
TUS = {"Tus-Resumable": "1.0.0"}
OFFSET = "application/offset+octet-stream"


@pytest.fixture(scope="module")
def server(redis_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary, tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def gateway(server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    given = {"REDIS_URL": server.url, "GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1", "GATEWAY_CLIENT_JOBS": "1000"}
    with running(tmp_path_factory.mktemp("trouble") / "data", **given) as gateway:
        yield gateway


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(server.socket), decode_responses=True) as client:
        yield client


def process_of(client: redis.Redis) -> psutil.Process:
    return psutil.Process(int(client.info("server")["process_id"]))


def stored(gateway: Gateway) -> set[str]:
    return {each.name for each in (gateway.data_dir / "store/jobs").glob("*/*/")}


def post(gateway: Gateway, path: str = "/api/jobs", **given: Any) -> requests.Response:
    return requests.post(gateway.url + path, timeout=30, **({"data": image()} | given))


def check_all_end(gateway: Gateway, ids: list[str], within_s: float = SOON_S) -> None:
    deadline = time.monotonic() + within_s
    for each in ids:
        assert gateway.ended(each, max(0.1, deadline - time.monotonic()))["state"] == "succeeded"


def upload_whole(gateway: Gateway) -> tuple[str, requests.Response]:
    """A resumable upload and the answer to its last piece."""
    headers = {**TUS, "Upload-Length": str(len(image()))}
    made = requests.post(f"{gateway.url}/api/uploads", headers=headers, timeout=30)
    assert made.status_code == 201, made.text
    where = gateway.url + made.headers["Location"].removeprefix(gateway.url)
    return where, requests.patch(where, data=image(), headers={**TUS, "Upload-Offset": "0", "Content-Type": OFFSET}, timeout=30)


def test_a_full_redis_refuses_before_anything_is_acknowledged(gateway: Gateway, client: redis.Redis) -> None:
    """1 010 answers of 202 left 923 jobs waiting for room that did not come."""
    before = stored(gateway)
    files = [("files", (f"{number}.png", image())) for number in range(3)]
    made = requests.post(f"{gateway.url}/api/uploads", headers={**TUS, "Upload-Length": str(len(image()))}, timeout=30)
    where = gateway.url + made.headers["Location"].removeprefix(gateway.url)
    client.config_set("maxmemory", 1)
    try:
        refused = [post(gateway), post(gateway, data=None, files=files), post(gateway, "/api/convert")]
        refused.append(requests.patch(where, data=image(), headers={**TUS, "Upload-Offset": "0", "Content-Type": OFFSET}, timeout=30))
        for each in refused:
            assert (each.status_code, each.json()["code"]) == (503, "backend_unavailable")
            assert int(each.headers["Retry-After"]) >= 1
        assert stored(gateway) == before, "nothing is left of what was refused"
    finally:
        client.config_set("maxmemory", 0)
    at = requests.head(where, headers=TUS, timeout=30)
    assert at.headers["Upload-Offset"] == str(len(image())), "the upload is whole, and its client comes again"
    (job_id,) = stored(gateway) - before
    check_all_end(gateway, [job_id])
    check_all_end(gateway, [gateway.upload(image())["id"]])


def test_a_redis_that_hangs_costs_a_moment_and_no_job(gateway: Gateway, client: redis.Redis) -> None:
    process = process_of(client)
    process.suspend()
    try:
        answers: list[requests.Response] = []
        asking = [threading.Thread(target=lambda: answers.append(post(gateway))) for _ in range(8)]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        files = [("files", (f"{number}.png", image())) for number in range(10)]
        begun = time.monotonic()
        batch = post(gateway, data=None, files=files)
        batch_s = time.monotonic() - begun
    finally:
        process.resume()
    assert [each.status_code for each in (*answers, batch)] == [202] * 9
    assert batch_s < 15, "the jobs of a batch do not wait for Redis one after the other"
    check_all_end(gateway, [each.json()["id"] for each in answers] + [each["id"] for each in batch.json()["jobs"]])


def test_a_redis_that_pauses_its_clients_costs_a_moment_and_no_job(gateway: Gateway, client: redis.Redis) -> None:
    client.execute_command("CLIENT", "PAUSE", 4000, "WRITE")
    ids = [post(gateway).json()["id"] for _ in range(3)]
    check_all_end(gateway, ids, SOON_S + 4)


def test_a_redis_that_forbids_a_command_costs_a_moment_and_no_job(gateway: Gateway, client: redis.Redis) -> None:
    client.execute_command("ACL", "SETUSER", "default", "-evalsha", "-eval")
    try:
        answer = post(gateway)
        assert answer.status_code == 202
    finally:
        client.execute_command("ACL", "SETUSER", "default", "+evalsha", "+eval")
    check_all_end(gateway, [answer.json()["id"]])


def test_a_replica_that_takes_no_writes_costs_a_moment_and_no_job(gateway: Gateway, client: redis.Redis) -> None:
    client.config_set("replica-serve-stale-data", "yes")
    client.replicaof("127.0.0.1", "1")
    try:
        answer = post(gateway)
        assert answer.status_code == 202
    finally:
        client.replicaof("NO", "ONE")
    check_all_end(gateway, [answer.json()["id"]])


def test_jobs_of_a_worker_that_died_in_an_outage_are_found_soon_after_it(gateway: Gateway, client: redis.Redis) -> None:
    process = process_of(client)
    process.suspend()
    try:
        ids = [post(gateway).json()["id"] for _ in range(2)]
        for each in gateway.find("gunicorn"):
            if each.parent() in gateway.find("gunicorn"):
                each.send_signal(signal.SIGKILL)
    finally:
        process.resume()
    check_all_end(gateway, ids, 2 * SOON_S)


def test_keys_that_vanish_under_load_cost_no_job(gateway: Gateway, client: redis.Redis) -> None:
    for each in gateway.find("encoder"):
        each.suspend()
    ids = [post(gateway).json()["id"] for _ in range(40)]
    try:
        for name in ("queue", "waiting", "running", "encode", "queue:serial", "client:*", "line:*"):
            for key in client.scan_iter(f"*:{name}"):
                client.delete(key)
    finally:
        for each in gateway.find("encoder"):
            each.resume()
    check_all_end(gateway, ids, 3 * SOON_S)


def test_redis_emptied_twice_in_a_row_is_rebuilt(gateway: Gateway, client: redis.Redis) -> None:
    ids = [post(gateway).json()["id"] for _ in range(20)]
    client.flushall()
    time.sleep(0.3)
    client.flushall()
    check_all_end(gateway, ids, 2 * SOON_S)
    wait_for(lambda: requests.get(f"{gateway.url}/api/jobs", timeout=10).status_code == 200, SOON_S)
