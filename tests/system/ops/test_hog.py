"""One client that takes all it can: jobs, creations of uploads, and requests that are refused. Another's small picture is converted all the same.

The whole attack (``./tests/run.sh ops``) is a thousand jobs, 20 000 creations and 50 000 refused requests; the quick one is a twentieth of it.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis
import requests

from backend.settings import Settings
from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
HOG, OTHER = "10.2.0.1", "10.2.0.2"
JOBS, CREATIONS, REFUSALS = 1000, 20_000, 50_000
LARGE, SMALL = (6000, 4000), (640, 480)
CONNECTIONS = 4
SLACK_S = 2.0
"""Of a machine that is busy with other things too."""
GROWTH_BYTES = 32 << 20
Request = tuple[str, str, bytes, Mapping[str, str]]


def hogs(part: int) -> Iterator[Request]:
    picture, tus = photograph(*LARGE), {"Tus-Resumable": "1.0.0", "Upload-Length": "1000000"}
    for _ in range(JOBS // part):
        yield "POST", "/api/jobs", picture, {}
    for number in range(max(CREATIONS // part, 300)):
        yield "POST", "/api/uploads", b"", {**tus, "Idempotency-Key": f"upload {number}"}
    for number in range(REFUSALS // part // 2):
        yield "POST", "/api/jobs?quality=1000", b"x", {"Idempotency-Key": f"job {number}"}
        yield "POST", "/api/convert", b"x" * 64, {"Idempotency-Key": f"convert {number}"}


class Attack:
    def __init__(self, gateway: Gateway, part: int) -> None:
        self.statuses: Counter[tuple[str, int]] = Counter()
        self._gateway, self._requests, self._lock = gateway, hogs(part), threading.Lock()
        self.threads = [threading.Thread(target=self._send) for _ in range(CONNECTIONS)]

    def _next(self) -> Request | None:
        with self._lock:
            return next(self._requests, None)

    def _send(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._gateway.port, timeout=60)
        while (each := self._next()) is not None:
            method, path, body, headers = each
            try:
                line.request(method, path, body, {"X-Forwarded-For": HOG, **headers})
                response = line.getresponse()
                response.read()
            except (http.client.HTTPException, OSError):
                line.close()
                continue
            with self._lock:
                self.statuses[(path.partition("?")[0], response.status)] += 1
        line.close()

    def is_on(self) -> bool:
        return any(each.is_alive() for each in self.threads)


def convert(gateway: Gateway, client: str, picture: bytes) -> float:
    """Seconds until the answer."""
    begun = time.monotonic()
    response = requests.post(f"{gateway.url}/api/convert", data=picture, headers={"X-Forwarded-For": client}, timeout=120)
    assert response.status_code == 200, response.text
    return time.monotonic() - begun


def inodes(folder: Path) -> int:
    return sum(len(folders) + len(files) for _, folders, files in os.walk(folder))


@pytest.mark.parametrize("part", [pytest.param(20, id="a twentieth"), pytest.param(1, id="the whole", marks=pytest.mark.slow)])
def test_a_small_picture_of_another_is_converted_whatever_one_client_sends(tmp_path: Path, part: int) -> None:
    small = photograph(*SMALL)
    with running(tmp_path / "data", GUNICORN_WORKERS="2", GATEWAY_ENCODERS="2", GATEWAY_PROXY_HOPS="1") as gateway:
        server = redis.Redis.from_url(Settings.from_environment({"GATEWAY_DATA_DIR": str(gateway.data_dir)}).broker_url, decode_responses=True)
        idle_s, encode_s = min(convert(gateway, OTHER, small) for _ in range(5)), max(convert(gateway, HOG, photograph(*LARGE)) for _ in range(2))
        before_bytes, before_inodes = server.info("memory")["used_memory"], inodes(gateway.data_dir)
        attack, took = Attack(gateway, part), []
        for each in attack.threads:
            each.start()
        wait_for(lambda: gateway.health()["queue"]["running"] == 2, 60, "for the encoders to be busy")
        while attack.is_on():
            took.append(convert(gateway, OTHER, small))
            time.sleep(0.05)
        for each in attack.threads:
            each.join()
        grown_bytes, grown_inodes = server.info("memory")["used_memory"] - before_bytes, inodes(gateway.data_dir) - before_inodes
        figures = {"idle_s": idle_s, "large_s": encode_s, "median_s": statistics.median(took), "max_s": max(took), "converted": len(took)}
        statuses = {f"{path} {status}": count for (path, status), count in sorted(attack.statuses.items())}
        print(json.dumps({**figures, "redis_bytes": grown_bytes, "inodes": grown_inodes, **statuses}))
        assert max(took) <= 2 * encode_s + SLACK_S
        assert attack.statuses["/api/uploads", 201] == 200
        assert attack.statuses["/api/jobs", 202] <= 500 + server.zcard("{webp-gateway}:ended:succeeded")
        assert len(list(server.scan_iter("{webp-gateway}:memo:*"))) <= 200, "a key for each upload that was made, and none for what was refused"
        assert grown_bytes < GROWTH_BYTES
        assert grown_inodes < 200 * 5 + attack.statuses["/api/jobs", 202] * 8
        server.close()
