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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.support.redis_server import RedisServer, binary
from tests.support.running import ROOT, Gateway, running, wait_for
from tests.system.ops.processes import workers
from tests.system.soak.figures import MAY_GROW, Figures, figures_of, growth

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
PROCESSES = 2
ROUNDS = 4
"""Of traffic, each with a pause after it."""
RETENTION_S = 20
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(int(MINUTES * 60) + 1200)]

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


def figures_at_pause(gateway: Gateway, server: redis.Redis) -> Figures:
    """Once what was sent has expired, and two looks find the same."""
    time.sleep(2 * RETENTION_S)
    seen = [figures_of(gateway, server)]

    def is_quiet() -> bool:
        time.sleep(3)
        seen.append(figures_of(gateway, server))
        return (seen[-1].keys, seen[-1].inodes, seen[-1].processes) == (seen[-2].keys, seen[-2].inodes, seen[-2].processes)

    wait_for(is_quiet, 180, "for what was sent to be gone")
    return seen[-1]


@contextmanager
def redis_and_gateway(folder: Path) -> Iterator[tuple[Gateway, redis.Redis]]:
    program = binary()
    assert program is not None, "there is no Redis"
    (folder / "redis").mkdir()
    server = RedisServer(program, folder / "redis")
    server.start()
    settings = {
        "REDIS_URL": server.url, "GUNICORN_WORKERS": "2", "GUNICORN_MAX_REQUESTS": "0", "GATEWAY_RETENTION_S": str(RETENTION_S),
        "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.1/32", "GATEWAY_FETCH_TIMEOUT_S": "10",
    }
    try:
        with redis.Redis.from_url(server.url) as client, running(folder / "data", **settings) as gateway:
            yield gateway, client
    finally:
        server.kill()


def test_a_gateway_under_mixed_traffic_stays_as_it_was(tmp_path: Path) -> None:
    with redis_and_gateway(tmp_path) as (gateway, client):
        first, pauses = {each.pid for each in workers(gateway)}, []
        for number in range(ROUNDS):
            sums = collected([begin_traffic(gateway.port, MINUTES * 60 / ROUNDS, PROCESSES * number + each) for each in range(PROCESSES)])
            pauses.append(figures_at_pause(gateway, client))
            print(dict(sums), pauses[-1], flush=True)
            faults = [line for line in gateway.log.read_text(errors="replace").splitlines() if FAULTS.search(line)]
            assert faults[:20] == []
            assert [seen for seen in sums["statuses"] if seen.endswith(" 500")] == []
            assert {each.pid for each in workers(gateway)} == first, "a worker was replaced"
        grown = growth(pauses[0], pauses[-1])
        print(grown)
        assert {name: value for name, value in grown.items() if value > MAY_GROW[name]} == {}
