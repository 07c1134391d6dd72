"""The main job, over the wire: upload, watch, fetch; and what may go wrong on the way."""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
from PIL import Image

from tests.support.images import photograph, pillows_webp
from tests.support.running import ENDED, ROOT, Gateway, codec_children, wait_for

pytestmark = pytest.mark.e2e
LARGE = (6000, 4000)


class Watcher:
    """An official Python client with default settings, and what it heard."""

    def __init__(self, url: str, **options: Any) -> None:
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.client = socketio.Client()
        self.client.on("job", lambda job: self.heard.append((time.monotonic(), job)))
        self.client.connect(url, **options)

    def subscribe(self, job_id: str, **more: Any) -> dict[str, Any]:
        return dict(self.client.call("subscribe", {"job": job_id, **more}))

    def until_ended(self, job_id: str, within_s: float = 60.0) -> list[dict[str, Any]]:
        def jobs() -> list[dict[str, Any]]:
            return [job for _, job in self.heard if job["id"] == job_id]

        wait_for(lambda: jobs() and jobs()[-1]["state"] in ENDED, within_s)
        return jobs()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()


def test_curl_converts_a_photograph_in_one_request(gateway: Gateway, tmp_path: Path) -> None:
    data = photograph(1200, 800)
    source, target = tmp_path / "photo.jpg", tmp_path / "photo.webp"
    source.write_bytes(data)
    subprocess.run(["curl", "-sSf", "-T", source, f"{gateway.url}/api/convert?quality=80", "-o", target], check=True, timeout=60)
    assert target.read_bytes() == pillows_webp(data)
    subprocess.run(["dwebp", "-quiet", target, "-o", tmp_path / "photo.png"], check=True, timeout=60)
    with Image.open(tmp_path / "photo.png") as decoded:
        assert decoded.size == (1200, 800)


def test_a_watched_photograph_is_followed_from_the_queue_to_its_result(gateway: Gateway) -> None:
    data = photograph(LARGE[0], LARGE[1] * 3 // 2)  # at most ten changes a second: it must take seconds, also on an idle machine
    with Watcher(gateway.url) as watcher:
        job = gateway.upload(data, quality=80)
        answer = watcher.subscribe(job["id"])
        assert answer["ok"] and answer["job"]["id"] == job["id"]
        seen = [answer["job"], *watcher.until_ended(job["id"])]
    assert gateway.result(job["id"]) == pillows_webp(data)
    progress = [each["progress"] for each in seen]
    assert progress == sorted(progress) and progress[-1] == 100
    assert len(set(progress)) >= 15
    seqs = [each["seq"] for each in seen]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "each change once, in order"
    assert [each["state"] for each in seen[:-1] if each["progress"] == 100] == []
    assert seen[-1]["state"] == "succeeded"


def test_a_cancel_in_mid_encode_is_seen_at_once_and_stops_the_child(gateway: Gateway) -> None:
    with Watcher(gateway.url) as watcher:
        job_id = gateway.upload(photograph(*LARGE), method=6)["id"]
        watcher.subscribe(job_id)
        wait_for(lambda: any(job["id"] == job_id and job["stage"] == "encode" and job["progress"] > 20 for _, job in watcher.heard), 30)
        children = codec_children(gateway)
        asked = time.monotonic()
        assert watcher.client.call("cancel", {"job": job_id})["job"]["state"] == "cancelled"
        watcher.until_ended(job_id, 5)
        seen = next(when for when, job in watcher.heard if job["id"] == job_id and job["state"] == "cancelled")
        assert seen - asked < 1.0
        wait_for(lambda: not any(each.is_running() for each in children), 2, "for the child to be gone")
    refused = requests.post(f"{gateway.url}/api/jobs/{job_id}/cancel", timeout=5)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_finished")
    assert requests.get(f"{gateway.url}/api/jobs/{job_id}/result", timeout=5).status_code == 410


def test_subscribing_after_the_end_gives_the_end(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(640, 480))["id"]
    ended = gateway.ended(job_id)
    with Watcher(gateway.url) as watcher:
        assert watcher.subscribe(job_id)["job"] == ended


def test_a_resumed_subscription_brings_what_was_missed_once_and_in_order(gateway: Gateway) -> None:
    with Watcher(gateway.url) as first:
        job_id = gateway.upload(photograph(*LARGE))["id"]
        first.subscribe(job_id)
        wait_for(lambda: len(first.heard) >= 4, 30)
        last_seen = first.heard[-1][1]["seq"]
    with Watcher(gateway.url) as second:
        second.subscribe(job_id, after=last_seen)
        seqs = [job["seq"] for job in second.until_ended(job_id)]
    assert seqs == list(range(last_seen + 1, last_seen + 1 + len(seqs)))


def test_messages_that_make_no_sense_are_answered_with_a_problem(gateway: Gateway) -> None:
    with Watcher(gateway.url) as watcher:
        for message in (None, [], "x", {"job": 7}, {"job": "x", "after": -1}, {}):
            answer = watcher.client.call("subscribe", message)
            assert answer["ok"] is False and answer["error"]["code"] in ("bad_request", "not_found"), message
        assert watcher.subscribe("A" * 22)["error"]["code"] == "not_found"


def test_a_deleted_job_is_gone_with_source_result_and_record(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(640, 480))["id"]
    gateway.ended(job_id)
    assert requests.delete(f"{gateway.url}/api/jobs/{job_id}", timeout=5).status_code == 204
    for path in ("", "/result", "/source"):
        assert requests.get(f"{gateway.url}/api/jobs/{job_id}{path}", timeout=5).status_code == 404
    assert list((gateway.data_dir / "store").rglob(f"{job_id}*")) == []


def test_a_client_that_waits_gets_the_ended_job_in_the_same_request(gateway: Gateway) -> None:
    response = requests.post(f"{gateway.url}/api/jobs", data=photograph(640, 480), headers={"Prefer": "wait=20"}, timeout=30)
    assert response.status_code == 200 and response.headers["Preference-Applied"] == "wait=20"
    assert response.json()["state"] == "succeeded"


def test_an_upload_that_breaks_off_leaves_nothing_behind(gateway: Gateway) -> None:
    def broken() -> Any:
        yield photograph(2000, 1500)[:200_000]
        raise ConnectionResetError

    incoming = gateway.data_dir / "store" / "incoming"
    with pytest.raises((requests.ConnectionError, ConnectionResetError)):
        requests.post(f"{gateway.url}/api/jobs", data=broken(), timeout=10)
    wait_for(lambda: list(incoming.iterdir()) == [], 10)


def test_a_refusal_is_seen_by_a_client_that_is_still_sending(gateway: Gateway, tmp_path: Path) -> None:
    big = tmp_path / "big.pdf"
    big.write_bytes(b"%PDF-1.7" + bytes(20_000_000))
    said = subprocess.run(
        ["curl", "-sS", "-H", "Accept-Language: zh-CN", "-T", big, f"{gateway.url}/api/convert"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    problem = json.loads(said.stdout)
    assert problem["code"] == "unsupported_format" and "PDF" in problem["detail"] and "不受支持" in problem["detail"]


def test_a_client_that_leaves_takes_its_conversion_along(gateway: Gateway) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{gateway.url}/api/convert?method=6", data=photograph(*LARGE), timeout=1.0)
    wait_for(lambda: gateway.health()["queue"] == {"queued": 0, "running": 0}, 10)


def test_thirty_images_at_once_all_end_while_health_stays_quick(gateway: Gateway) -> None:
    images = [photograph(1600, 1200, seed) for seed in range(3)]
    ids: list[str] = []
    waits_ms: list[float] = []
    is_over = threading.Event()

    def ask_health() -> None:
        session = requests.Session()
        while not is_over.is_set():
            begun = time.monotonic()
            assert session.get(f"{gateway.url}/api/health", timeout=10).status_code == 200
            waits_ms.append(1000 * (time.monotonic() - begun))
            is_over.wait(0.02)

    asker = threading.Thread(target=ask_health)
    asker.start()
    try:
        ids = [gateway.upload(images[number % 3])["id"] for number in range(30)]
        states = [gateway.ended(each, 90)["state"] for each in ids]
    finally:
        is_over.set()
        asker.join()
    assert states == ["succeeded"] * 30
    print(f"health while busy: median {statistics.median(waits_ms):.1f} ms, p99 {statistics.quantiles(waits_ms, n=100)[98]:.1f} ms")
    assert gateway.result(ids[4]) == pillows_webp(images[1])


def test_the_official_javascript_client_follows_a_job(gateway: Gateway, tmp_path: Path) -> None:
    image = tmp_path / "image.jpg"
    image.write_bytes(photograph(1600, 1200))
    script = Path(__file__).with_name("follow.mjs")
    environment = {"PATH": __import__("os").environ["PATH"], "GATEWAY_URL": gateway.url, "IMAGE": str(image)}
    said = subprocess.run(
        ["node", str(script)], cwd=ROOT / "tests" / "page", env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 0, said.stderr
    heard = json.loads(said.stdout)
    assert heard["transports"] == ["polling", "websocket"], "a default client starts with long polling and upgrades"
    assert heard["job"]["state"] == "succeeded" and heard["job"]["progress"] == 100
    assert Image.open(io.BytesIO(gateway.result(heard["job"]["id"]))).size == (1600, 1200)
