"""The world around the gateway fails for some seconds while jobs run: no job ends by that, and all have succeeded soon afterwards."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests

from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.images import photograph
from tests.support.running import Gateway, codec_children, running, wait_for
from tests.support.s3_server import credentials, make_bucket, serving_seaweedfs

pytestmark = pytest.mark.e2e
JOBS, FAULT_S, RECOVERY_S = 12, 6.0, 60.0
FAULTS = {
    "puts are refused": Fault("refuse", ("PUT",)),
    "gets are refused": Fault("refuse", ("GET",)),
    "every answer is 500": Fault("status"),
    "it says slow down": Fault("status", status=503, code="SlowDown"),
    "the token has expired": Fault("status", status=400, code="ExpiredToken"),
    "the bucket is gone": Fault("status", status=404, code="NoSuchBucket"),
    "it says nothing": Fault("hang"),
    "bodies end early": Fault("cut", ("GET",), bytes=100),
    "every other request is lost": Fault("lose", share=0.5),
}


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    with serving_seaweedfs() as endpoint, FaultProxy(endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def gateway(proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rules = {"GATEWAY_STORAGE_URL": f"s3://{make_bucket(proxy.url)}/images", "GATEWAY_ENCODERS": "2", "GUNICORN_WORKERS": "2"}
    with running(tmp_path_factory.mktemp("world") / "data", **rules, **credentials(proxy.url)) as gateway:
        yield gateway


def upload_all(gateway: Gateway) -> list[str]:
    return [gateway.upload(photograph(900, 700, number))["id"] for number in range(JOBS)]


def all_succeed(gateway: Gateway, ids: list[str]) -> None:
    deadline = time.monotonic() + RECOVERY_S
    for job_id in ids:
        job = gateway.ended(job_id, max(1.0, deadline - time.monotonic()))
        assert job["state"] == "succeeded", job["error"]
        assert gateway.result(job_id)[8:12] == b"WEBP"


@pytest.mark.parametrize(
    "fault", ["puts are refused", *(pytest.param(each, marks=pytest.mark.slow) for each in FAULTS if each != "puts are refused")]
)
def test_the_store_fails_for_six_seconds_under_twelve_jobs_and_all_succeed_where(proxy: FaultProxy, gateway: Gateway, fault: str) -> None:
    ids = upload_all(gateway)
    with proxy.failing(FAULTS[fault]):
        time.sleep(FAULT_S)
        for job_id in ids:
            job = requests.get(f"{gateway.url}/api/jobs/{job_id}", timeout=10).json()
            assert job["state"] in ("queued", "running", "succeeded"), job
    all_succeed(gateway, ids)


def test_a_job_that_is_put_off_is_cancelled_at_once(proxy: FaultProxy, gateway: Gateway) -> None:
    ids = upload_all(gateway)
    with proxy.failing(Fault("refuse", ("PUT",), "result")):
        job_id = wait_for(lambda: next((each for each in ids if f"{each} is put off" in gateway.log.read_text()), None), 60, "for a try")
        answer = requests.post(f"{gateway.url}/api/jobs/{job_id}/cancel", timeout=30)
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert gateway.ended(job_id)["state"] == "cancelled"
    all_succeed(gateway, [each for each in ids if each != job_id])


@pytest.mark.parametrize("fault", ["the bucket is gone", pytest.param("it says nothing", marks=pytest.mark.slow)])
def test_every_request_says_in_bounded_time_that_the_store_is_away_and_no_result_is_taken_for_gone_where(
    proxy: FaultProxy, gateway: Gateway, fault: str
) -> None:
    image = photograph(300, 200)
    job_id = gateway.upload(image)["id"]
    gateway.ended(job_id)

    def ask(method: str, path: str, data: bytes = b"") -> tuple[str, int, bool]:
        answer = requests.request(method, gateway.url + path, data=data, timeout=60)
        return path, answer.status_code, bool(answer.headers.get("Retry-After"))

    own = f"/api/jobs/{job_id}"
    asked = [("GET", f"{own}/result"), ("HEAD", f"{own}/result"), ("GET", f"{own}/source"), ("POST", f"{own}/retry")]
    with proxy.failing(FAULTS[fault]), ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(ask, *each) for each in (*asked, ("PUT", "/api/convert", image), ("POST", "/api/jobs", image)) for _ in range(3)]
        assert requests.get(f"{gateway.url}/api/health/live", timeout=10).status_code == 200
        found = [each.result() for each in calls]
    assert {(status, retries) for _, status, retries in found} == {(503, True)}, found
    wait_for(lambda: ask("GET", f"{own}/result")[1] == 200, 30, "for the result")
    wait_for(lambda: ask("PUT", "/api/convert", image)[1] == 200, 30, "for a conversion")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["valkey-server", "redis-server"])
def test_redis_stands_still_for_six_seconds_and_all_jobs_succeed(gateway: Gateway, what: str) -> None:
    found = gateway.find(what)
    if not found:
        pytest.skip(f"the embedded Redis is no {what} here")
    ids = upload_all(gateway)
    found[0].send_signal(signal.SIGSTOP)
    time.sleep(FAULT_S)
    found[0].send_signal(signal.SIGCONT)
    all_succeed(gateway, ids)


def test_an_encoder_that_is_killed_again_and_again_costs_a_job_nothing_but_time(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(3000, 2000), method=6)["id"]
    for _ in range(4):
        child = next(iter(wait_for(lambda: codec_children(gateway), 30, "for the job to be encoded")))
        for each in pool_processes(gateway):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        wait_for(lambda child=child: not child.is_running(), 20)  # type: ignore[misc]
    assert gateway.ended(job_id)["state"] == "succeeded"


def pool_processes(gateway: Gateway) -> list[psutil.Process]:
    """The encoder processes: Celery's, but for their master."""
    celery = {each.pid: each for each in gateway.find("celery", "worker")}
    return [each for each in celery.values() if parent_of(each) in celery]


def parent_of(process: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.ppid()
    return None


@pytest.mark.slow
def test_an_image_over_which_every_child_dies_fails_in_the_end(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(3000, 2000), method=6)["id"]

    def kill_and_look() -> bool:
        for child in codec_children(gateway):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        return gateway.job(job_id)["state"] == "failed"

    wait_for(kill_and_look, 90, "for the job to be given up")
    assert gateway.job(job_id)["error"]["code"] == "internal"
