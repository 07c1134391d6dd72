"""Encoders and gateways come and go: what health and ``/metrics`` show of their machines."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path
from typing import Any

import redis
import requests

from backend.adapters.redis.client import KEY_PREFIX
from backend.core.protocol import SPOKEN
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT, wait_for
from tests.system.versions.load import picture
from tests.system.versions.releases import Running, deployment, end_of, upload

SILENT_S = 6.0


def hosts(gateway: Running) -> list[dict[str, Any]]:
    return list(requests.get(f"{gateway.url}/api/health", timeout=10).json()["hosts"])


def series_of_encoders(gateway: Running) -> set[str]:
    """Names of the metrics that tell of encoders by machine."""
    text = requests.get(f"{gateway.url}/metrics", timeout=10).text
    return set(re.findall(r'(?m)^(gateway_encoder\w*|gateway_host_\w+)\{[^}]*host="[^"]+"(?![^}]*role="gateway")', text))


def test_an_encoder_that_ends_leaves_no_trace_and_one_that_is_killed_leaves_none_for_long(tmp_path: Path, redis_server: RedisServer) -> None:
    client = redis.Redis.from_url(redis_server.url, decode_responses=True)
    with deployment(tmp_path / "here", redis_server.url, GATEWAY_ENCODERS="1") as here:
        gateway = here.start_ready(ROOT, "gateway")
        for number in (signal.SIGTERM, signal.SIGKILL):
            encoder = here.start_ready(ROOT, "encoder")
            wait_for(lambda: hosts(gateway)[0]["encoders"] == 1 and hosts(gateway)[0]["gateways"] == 1, 20, "for both to be shown")
            assert end_of(gateway, upload(gateway, picture(number)))["state"] == "succeeded"
            (shown,) = hosts(gateway)
            assert (shown["host"], shown["protocol"], shown["seal"] is not None) == (socket.gethostname(), list(SPOKEN), True)
            assert shown["cores"] == len(os.sched_getaffinity(0)) and len(shown["versions"]) == 1
            assert {"gateway_encoders", "gateway_encoder_cpu_seconds_total", "gateway_host_cores"} <= series_of_encoders(gateway)
            if number == signal.SIGTERM:
                encoder.stop()
                assert client.hlen(KEY_PREFIX + "encoders") == 0
            else:
                os.killpg(encoder.process.pid, number)
            wait_for(lambda: not series_of_encoders(gateway) and hosts(gateway)[0]["encoders"] == 0, SILENT_S, "for the encoder to be gone")
            assert requests.get(f"{gateway.url}/api/health/ready", timeout=10).status_code == 503
        gateway.stop()
        assert client.hlen(KEY_PREFIX + "gateways") == 0
    client.close()
