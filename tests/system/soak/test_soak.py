"""An hour of mixed good and hostile traffic, on demand: ``./tests/run.sh soak``. ``SOAK_MINUTES`` makes it longer or shorter.

No answer is a 500, no worker is replaced, and nothing grows once it is warm.
"""

from __future__ import annotations

import collections
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from tests.support.redis_server import RedisServer, binary
from tests.support.running import ROOT, running, wait_for
from tests.system.ops.processes import workers
from tests.system.soak.figures import MAY_GROW, Samples, figures_of

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
PROCESSES = 2
SAMPLE_S = 10.0
RETENTION_S = 20
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(int(MINUTES * 60) + 600)]

FAULTS = re.compile(r"Traceback|unexpected|without a turn| (error|critical) ", re.IGNORECASE)
"""In the gateway's log: what an operator would have to look into."""


def begin_traffic(port: int, seconds: float, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.system.soak.traffic", str(port), str(seconds), str(seed)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def collected(processes: list[subprocess.Popen[str]]) -> dict[str, collections.Counter[str]]:
    sums: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for each in processes:
        said, _ = each.communicate()
        for name, counts in json.loads(said).items():
            sums[name].update(counts)
    return sums


def test_a_gateway_under_mixed_traffic_stays_as_it_was(tmp_path: Path) -> None:
    program = binary()
    assert program is not None, "there is no Redis"
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(program, folder)
    server.start()
    settings = {
        "REDIS_URL": server.url, "GUNICORN_WORKERS": "2", "GUNICORN_MAX_REQUESTS": "0", "GATEWAY_RETENTION_S": str(RETENTION_S),
        "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.1/32", "GATEWAY_FETCH_TIMEOUT_S": "10",
    }
    try:
        with redis.Redis.from_url(server.url) as client, running(tmp_path / "data", **settings) as gateway:
            first = {each.pid for each in workers(gateway)}
            idle = figures_of(gateway, client)
            samples, end_s = Samples(), time.monotonic() + MINUTES * 60
            traffic = [begin_traffic(gateway.port, MINUTES * 60, seed) for seed in range(PROCESSES)]
            while time.monotonic() < end_s:
                time.sleep(SAMPLE_S)
                print(samples.take(gateway, client), flush=True)
            sums, growth = collected(traffic), samples.growth()
            print(dict(sums), growth, flush=True)
            faults = [line for line in gateway.log.read_text(errors="replace").splitlines() if FAULTS.search(line)]
            assert faults[:20] == []
            assert [seen for seen in sums["statuses"] if seen.endswith(" 500")] == []
            assert {each.pid for each in workers(gateway)} == first
            assert {name: value for name, value in growth.items() if value > MAY_GROW[name]} == {}

            def is_quiet() -> bool:
                now = figures_of(gateway, client)
                return now.inodes <= idle.inodes + 50 and now.keys <= idle.keys + 50 and now.descriptors <= idle.descriptors + 100

            wait_for(is_quiet, 4 * RETENTION_S + 60, "for what was sent to be gone")
    finally:
        server.kill()
