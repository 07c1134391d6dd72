"""Everything that may happen to a gateway, together, for minutes under load: no client that retries notices, no job is lost or doubled, and each
watcher has each change once.

Twenty reloads, ten times more and fewer workers, every worker recycled after fifty requests, log files opened anew, a second master beside the
first, and each minute a killed worker and a killed encoder, some of them in the midst of a reload.
"""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.support.running import Gateway, running, wait_for
from tests.system.ops.figures import scraped
from tests.system.ops.processes import gunicorn_master, pool, workers
from tests.system.ops.steady import WORKERS, Client, busy, judge, settled

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    # python-engineio leaves the sockets of broken connections to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
ROUNDS = 20
ROUND_S = 11.0
ROUNDS_A_MINUTE = 5


class Weather:
    """What an operator and bad luck do to it; each act ends when the gateway has its workers again."""

    def __init__(self, gateway: Gateway, seed: int) -> None:
        self.gateway = gateway
        self.random = random.Random(seed)
        self.killed_workers = self.killed_encoders = 0

    def reload(self, *, kill: bool) -> None:
        """``kill``: a worker dies while it is under way."""
        before = {each.pid for each in workers(self.gateway)}
        gunicorn_master(self.gateway).send_signal(signal.SIGHUP)
        if kill:
            wait_for(lambda: {each.pid for each in workers(self.gateway)} - before, 60, "for the first new worker")
            self.kill_a_worker()
        settled(self.gateway, gone=before)

    def more_and_fewer(self) -> None:
        master = gunicorn_master(self.gateway)
        master.send_signal(signal.SIGTTIN)
        settled(self.gateway, WORKERS + 1)
        master.send_signal(signal.SIGTTOU)
        settled(self.gateway)

    def kill_a_worker(self) -> None:
        self.random.choice(workers(self.gateway)).kill()
        self.killed_workers += 1

    def kill_an_encoder(self) -> None:
        self.random.choice(pool(self.gateway)).kill()
        self.killed_encoders += 1

    def reopen_the_logs(self) -> None:
        log = self.gateway.data_dir / "logs" / "access.log"
        aside = log.with_suffix(".moved")
        log.rename(aside)
        gunicorn_master(self.gateway).send_signal(signal.SIGUSR1)
        wait_for(lambda: log.exists() and log.stat().st_size > 0, 30, "for lines in the new file")

    def second_master(self) -> None:
        """A new binary beside the old one, and back again; its workers take a part of the load meanwhile."""
        old = gunicorn_master(self.gateway)
        old.send_signal(signal.SIGUSR2)
        new = wait_for(lambda: next((each for each in old.children() if _is_master(each)), None), 60, "for the second master's workers")
        until = time.monotonic() + ROUND_S / 4
        wait_for(lambda: time.monotonic() > until, ROUND_S, "while both serve")
        new.send_signal(signal.SIGTERM)
        wait_for(lambda: not new.is_running() or new.status() == psutil.STATUS_ZOMBIE, 60, "for the second master to go")
        settled(self.gateway)


def _is_master(process: psutil.Process) -> bool:
    try:
        return len([each for each in process.children() if each.memory_info().rss > 40 << 20]) >= WORKERS
    except psutil.NoSuchProcess:
        return False


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [1])
def test_nobody_who_retries_notices_anything_of_all_this(data_dir: Path, seed: int) -> None:
    given = {
        "GUNICORN_WORKERS": str(WORKERS),
        "GUNICORN_GRACEFUL_TIMEOUT": "10",
        "GUNICORN_MAX_REQUESTS": "50",
        "GUNICORN_MAX_REQUESTS_JITTER": "10",
        "GATEWAY_ENCODERS": "2",
        "GATEWAY_LOG_DIR": str(data_dir / "logs"),
    }
    with running(data_dir, **given) as gateway:
        weather = Weather(gateway, seed)
        met: set[int] = set()
        with Client(gateway) as client:
            busy(client)
            begun = time.monotonic()
            for number in range(ROUNDS):
                minute, tenth = divmod(number, ROUNDS_A_MINUTE)
                weather.reload(kill=tenth == 1 and minute % 2 == 1)
                if tenth == 1 and minute % 2 == 0:
                    weather.kill_a_worker()
                if tenth == 2:
                    weather.kill_an_encoder()
                if tenth == 3:
                    weather.reopen_the_logs()
                if number == ROUNDS // 2:
                    weather.second_master()
                if number % 2:
                    settled(gateway)
                    weather.more_and_fewer()
                busy(client, 1)
                until = begun + (number + 1) * ROUND_S
                wait_for(lambda until=until: met.update(each.pid for each in workers(gateway)) or time.monotonic() > until, 60)
                assert not client.faults, client.faults[:5]
        minutes = (time.monotonic() - begun) / 60
        kills = f"{weather.killed_workers} workers and {weather.killed_encoders} encoders killed"
        print(f"{len(client.jobs)} jobs in {minutes:.1f} min, {len(met)} workers met, {kills}, retries: {dict(client.retries)}")
        assert weather.killed_workers >= minutes - 1 and weather.killed_encoders >= minutes - 1
        judge(gateway, client)
        said = gateway.log.read_text() + (gateway.data_dir / "logs" / "error.log").read_text()
        assert "<Greenlet" not in said and "was sent SIGUSR1" not in said, "a connection was dropped, or a worker died of a signal to reopen its log"
        assert scraped(gateway).get("gateway_jobs_ended_total{code=,state=succeeded}") == len(client.jobs)
