"""Processes die in the midst of a batch of ten; all ten jobs end correctly by themselves."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.images import photograph, pillows_webp
from tests.support.running import Gateway, codec_children, is_supervised, running, wait_for

pytestmark = pytest.mark.e2e


def codec_child(gateway: Gateway) -> psutil.Process:
    return next(iter(wait_for(lambda: codec_children(gateway), 20, "for a codec child")))


def celery_master(gateway: Gateway) -> psutil.Process:
    return next(each for each in gateway.find("celery") if is_supervised(each))


def celery_pool_process(gateway: Gateway) -> psutil.Process:
    return next(each for each in celery_master(gateway).children() if "celery" in " ".join(each.cmdline()))


def gateway_worker(gateway: Gateway) -> psutil.Process:
    master = next(each for each in gateway.find("gunicorn") if is_supervised(each))
    return master.children()[0]


def gunicorn_master(gateway: Gateway) -> psutil.Process:
    return next(each for each in gateway.find("gunicorn") if is_supervised(each))


def redis_server(gateway: Gateway) -> psutil.Process:
    return gateway.find("redis.sock")[0]


def kill(victim: Callable[[Gateway], psutil.Process], gateway: Gateway) -> None:
    """A child may have ended by itself before the signal came; then the next one is hit."""

    def hit() -> bool:
        try:
            victim(gateway).send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return False
        return True

    wait_for(hit, 20)


@pytest.mark.parametrize(
    "victim",
    [
        codec_child,
        gateway_worker,
        redis_server,
        *(pytest.param(each, marks=pytest.mark.slow) for each in (celery_pool_process, celery_master, gunicorn_master)),
    ],
    ids=lambda each: each.__name__,
)
def test_a_batch_of_ten_survives_the_death_of_a(victim: Callable[[Gateway], psutil.Process], data_dir: Path) -> None:
    images = [photograph(1800, 1200, seed) for seed in range(2)]
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="2") as gateway:
        ids = [gateway.upload(images[number % 2])["id"] for number in range(10)]
        wait_for(lambda: gateway.health()["queue"]["running"] == 2, 20)
        kill(victim, gateway)
        for number, job_id in enumerate(ids):
            assert gateway.ended(job_id, 60)["state"] == "succeeded"
            assert gateway.result(job_id) == pillows_webp(images[number % 2])
        wait_for(lambda: gateway.health()["status"] == "ok", 20, "for health")
        assert gateway.health()["queue"] == {"queued": 0, "running": 0}
