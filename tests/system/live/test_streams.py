"""The other ways to watch: Server-Sent Events, a plain WebSocket, a long poll; and several images as one batch."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import websocket

from tests.support.images import photograph, pillows_webp
from tests.support.running import ENDED, Gateway, wait_for
from tests.system.main_path.test_main_path import Watcher

pytestmark = pytest.mark.e2e
LARGE = (4000, 3000)


def stream(url: str, **headers: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(id, data) of each event."""
    with requests.get(url, headers={"Accept": "text/event-stream", **headers}, stream=True, timeout=30) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        number = -1
        for line in response.iter_lines(decode_unicode=True):
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                yield number, json.loads(line[6:])


def test_server_sent_events_give_the_present_state_then_every_change_to_the_end(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(*LARGE))["id"]
    heard = list(stream(f"{gateway.url}/api/jobs/{job_id}/events"))
    numbers = [number for number, _ in heard]
    assert numbers == [job["seq"] for _, job in heard] == list(range(numbers[0], numbers[0] + len(numbers)))
    assert heard[-1][1]["state"] == "succeeded"


def test_server_sent_events_are_resumed_by_the_last_event_id(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(*LARGE))["id"]
    first = []
    for number, _ in stream(f"{gateway.url}/api/jobs/{job_id}/events"):
        first.append(number)
        if len(first) == 4:
            break
    rest = [number for number, _ in stream(f"{gateway.url}/api/jobs/{job_id}/events", **{"Last-Event-ID": str(first[-1])})]
    assert rest[0] == first[-1] + 1 and rest == list(range(rest[0], rest[-1] + 1))
    over = requests.get(f"{gateway.url}/api/jobs/{job_id}/events", headers={"Last-Event-ID": str(rest[-1])}, timeout=10)
    assert over.status_code == 204


def test_a_plain_websocket_gives_the_same_events_and_is_closed_at_the_end(gateway: Gateway) -> None:
    job_id = gateway.upload(photograph(*LARGE))["id"]
    socket = websocket.create_connection(f"{gateway.url.replace('http', 'ws')}/api/jobs/{job_id}/ws", timeout=30)
    heard = []
    while True:
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            assert int.from_bytes(data[:2], "big") == 1000
            break
        heard.append(json.loads(data))
    socket.shutdown()
    seqs = [job["seq"] for job in heard]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert heard[-1]["state"] == "succeeded" and heard[-1] == gateway.job(job_id)


def test_a_plain_websocket_to_nothing_or_from_a_foreign_page_is_refused_before_it_opens(gateway: Gateway) -> None:
    address = gateway.url.replace("http", "ws")
    with pytest.raises(websocket.WebSocketBadStatusException) as unknown:
        websocket.create_connection(f"{address}/api/jobs/{'A' * 22}/ws", timeout=10)
    assert unknown.value.status_code == 404
    job_id = gateway.upload(photograph(640, 480))["id"]
    with pytest.raises(websocket.WebSocketBadStatusException) as foreign:
        websocket.create_connection(f"{address}/api/jobs/{job_id}/ws", timeout=10, origin="https://elsewhere.example")
    assert foreign.value.status_code == 403


def test_a_long_poll_is_answered_when_something_changes(gateway: Gateway) -> None:
    job = gateway.upload(photograph(*LARGE))
    seen = [job["seq"]]
    while job["state"] not in ENDED:
        headers = {"If-None-Match": f'W/"{job["seq"]}"', "Prefer": "wait=20"}
        response = requests.get(f"{gateway.url}/api/jobs/{job['id']}", headers=headers, timeout=30)
        assert response.status_code == 200
        job = response.json()
        seen.append(job["seq"])
    assert seen == sorted(set(seen)) and job["state"] == "succeeded"
    quiet = requests.get(f"{gateway.url}/api/jobs/{job['id']}", headers={"If-None-Match": f'W/"{job["seq"]}"'}, timeout=10)
    assert quiet.status_code == 304


def test_several_images_in_one_request_are_one_batch(gateway: Gateway) -> None:
    images = [photograph(1600, 1200, seed) for seed in range(3)]
    parts = [("file", ("同名.jpg", image, "image/jpeg")) for image in images]
    response = requests.post(f"{gateway.url}/api/jobs", files=parts, data={"quality": "70"}, timeout=30)
    assert response.status_code == 202
    batch = response.json()
    assert response.headers["Location"] == f"/api/batches/{batch['id']}" and batch["total"] == 3
    with Watcher(gateway.url) as watcher:
        heard: list[dict[str, Any]] = []
        watcher.client.on("batch", heard.append)
        assert watcher.client.call("subscribe", {"batch": batch["id"]})["batch"]["total"] == 3
        last = list(stream(f"{gateway.url}/api/batches/{batch['id']}/events"))[-1][1]
        wait_for(lambda: heard and heard[-1]["progress"] == 100, 10)
    assert (last["succeeded"], last["failed"], last["cancelled"], last["progress"]) == (3, 0, 0, 100)
    assert [each["progress"] for each in heard] == sorted(each["progress"] for each in heard)
    archive = requests.get(f"{gateway.url}/api/batches/{batch['id']}/archive.zip", timeout=30)
    assert int(archive.headers["Content-Length"]) == len(archive.content)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as zipped:
        assert zipped.namelist() == ["同名.webp", "同名 (2).webp", "同名 (3).webp"]
        assert zipped.read("同名 (2).webp") == pillows_webp(images[1], quality=70)


def test_a_cancelled_batch_stops_whatever_has_not_ended(gateway: Gateway) -> None:
    parts = [("file", (f"{number}.jpg", photograph(*LARGE), "image/jpeg")) for number in range(4)]
    batch = requests.post(f"{gateway.url}/api/jobs?method=6", files=parts, timeout=60).json()
    cancelled = requests.post(f"{gateway.url}/api/batches/{batch['id']}/cancel", timeout=30).json()
    assert cancelled["cancelled"] + cancelled["succeeded"] == 4 and cancelled["cancelled"] >= 2
