"""Gunicorn's life under steady load: reloads, more and fewer workers, recycling, killed workers and encoders. Nobody who retries notices."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for
from tests.system.ops.processes import gunicorn_master, pool, workers
from tests.system.ops.steady import IMAGES, WORKERS, Client, busy, judge, settled

pytestmark = [
    pytest.mark.e2e,
    # python-engineio leaves the sockets of broken connections to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]


def reload(gateway: Gateway, client: Client) -> None:
    before = {each.pid for each in workers(gateway)}
    gunicorn_master(gateway).send_signal(signal.SIGHUP)
    settled(gateway, gone=before)
    busy(client, 1)


def more_and_fewer(gateway: Gateway, client: Client) -> None:
    master = gunicorn_master(gateway)
    master.send_signal(signal.SIGTTIN)
    settled(gateway, WORKERS + 1)
    busy(client, 1)
    master.send_signal(signal.SIGTTOU)
    settled(gateway, WORKERS)
    busy(client, 1)


def kill_a_worker(gateway: Gateway, client: Client) -> None:
    victim = workers(gateway)[0]
    victim.kill()
    settled(gateway, gone={victim.pid})
    busy(client)


def kill_an_encoder(gateway: Gateway, client: Client) -> None:
    victim = pool(gateway)[0]
    victim.kill()
    wait_for(lambda: victim.pid not in {each.pid for each in pool(gateway)}, 60, "for the next encoder")
    busy(client)


def lived(data_dir: Path, *acts: Callable[[Gateway, Client], None], **given: str) -> None:
    with running(data_dir, GUNICORN_WORKERS=str(WORKERS), GATEWAY_ENCODERS="2", GUNICORN_GRACEFUL_TIMEOUT="10", **given) as gateway:
        with Client(gateway) as client:
            busy(client)
            for act in acts:
                act(gateway, client)
        print(f"{len(client.jobs)} jobs, retries: {dict(client.retries)}")
        judge(gateway, client)


@pytest.mark.slow
def test_a_reload_more_and_fewer_workers_a_killed_worker_and_a_killed_encoder_lose_nothing(data_dir: Path) -> None:
    lived(data_dir, reload, more_and_fewer, kill_a_worker, kill_an_encoder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_reloads(data_dir: Path) -> None:
    lived(data_dir, *[reload] * 20)


@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.5, 4.0])
def test_a_stop_right_after_a_reload_is_not_lost(after_s: float, data_dir: Path) -> None:
    """While the master looks at the new code, while it executes itself, and while it loads the new code."""
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1") as gateway:
        gunicorn_master(gateway).send_signal(signal.SIGHUP)
        time.sleep(after_s)
        assert gateway.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_times_more_and_fewer_workers(data_dir: Path) -> None:
    lived(data_dir, *[more_and_fewer] * 10)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_recycled_workers_with_a_worker_and_an_encoder_killed_in_turn(data_dir: Path) -> None:
    def for_a_while(gateway: Gateway, client: Client) -> None:
        kill_a_worker(gateway, client)
        busy(client, 40)
        kill_an_encoder(gateway, client)
        busy(client, 40)

    def recycled(gateway: Gateway, client: Client) -> None:
        seen = {each.pid for each in workers(gateway)}

        def is_so() -> bool:
            seen.update(each.pid for each in workers(gateway))
            return len(seen) >= WORKERS + 6

        wait_for(is_so, 180, "for six recycled workers")

    lived(data_dir, recycled, for_a_while, recycled, GUNICORN_MAX_REQUESTS="50", GUNICORN_MAX_REQUESTS_JITTER="5")


@pytest.mark.slow
def test_a_worker_whose_loop_is_stuck_is_replaced_and_a_long_encode_is_not_taken_for_it(data_dir: Path) -> None:
    """SIGSTOP is as stuck as can be. The encode, meanwhile, takes far longer than the timeout, with its client waiting."""
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1", GUNICORN_TIMEOUT="3") as gateway:
        long = gateway.upload(photograph(4000, 3000), method=6, quality=100)["id"]
        stuck, well = workers(gateway)
        os.kill(stuck.pid, signal.SIGSTOP)
        wait_for(lambda: not psutil.pid_exists(stuck.pid) or stuck.status() == psutil.STATUS_ZOMBIE, 40, "for the stuck worker to be killed")
        wait_for(lambda: len(workers(gateway)) == 2, 40, "for the next one")
        assert well.is_running() and well.pid in {each.pid for each in workers(gateway)}
        assert gateway.ended(long, 90)["state"] == "succeeded"


def children(process: psutil.Process) -> int:
    try:
        return len(process.children())
    except psutil.NoSuchProcess:
        return 0


@pytest.mark.slow
def test_a_new_binary_takes_over_by_usr2_while_the_old_one_leaves(data_dir: Path) -> None:
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1") as gateway:
        before = [gateway.upload(image)["id"] for image in IMAGES]
        old = gunicorn_master(gateway)
        old.send_signal(signal.SIGUSR2)
        new = wait_for(lambda: next((each for each in old.children() if children(each) >= 2), None), 60, "for the second master")
        assert gateway.ended(gateway.upload(IMAGES[0])["id"])["state"] == "succeeded", "both serve"
        new.send_signal(signal.SIGTERM)
        wait_for(lambda: not new.is_running() or new.status() == psutil.STATUS_ZOMBIE, 40, "for the second master to go: a way back")
        after = gateway.upload(IMAGES[1])["id"]
        assert [gateway.ended(each)["state"] for each in [*before, after]] == ["succeeded"] * 4
