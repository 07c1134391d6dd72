"""The number of encoders follows the load between two bounds, and nothing is lost on the way."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil
import pytest

from tests.support.images import photograph, pillows_webp
from tests.support.running import running, wait_for, zygotes
from tests.system.ops.figures import scraped
from tests.system.ops.processes import pool

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_encoders_come_with_the_load_and_go_when_it_has_gone(data_dir: Path) -> None:
    given = {"GATEWAY_ENCODERS": "3", "GATEWAY_ENCODERS_MIN": "1", "GATEWAY_ENCODERS_IDLE_S": "2"}
    images = [photograph(1800, 1200, seed) for seed in range(2)]
    with running(data_dir, GUNICORN_WORKERS="1", **given) as gateway:
        assert len(pool(gateway)) == 1
        for turn in (1, 2):
            ids = [gateway.upload(images[number % 2])["id"] for number in range(12)]
            wait_for(lambda: len(pool(gateway)) == 3, 30, "for three encoders")
            wait_for(lambda: gateway.health()["encoders"]["count"] == 3, 30, "for three encoders to be there")
            many = pool(gateway)
            for number, job_id in enumerate(ids):
                assert gateway.ended(job_id)["state"] == "succeeded"
                assert gateway.result(job_id) == pillows_webp(images[number % 2])
            wait_for(lambda: len(pool(gateway)) == 1, 60, "for one encoder")
            wait_for(lambda: gateway.health()["encoders"]["count"] == 1, 30, "for one encoder to be there")
            gone = [each for each in many if each not in pool(gateway)]
            assert len(gone) == 2
            wait_for(lambda gone=gone: not any(each.is_running() for each in gone), 30, "for them to be gone")
            wait_for(lambda: 1 <= len(zygotes(gateway)) <= 2, 30, "for their codecs to go with them; one encoder has one more for small jobs")
            seen = scraped(gateway)
            assert seen["gateway_encoder_starts_total{reason=start}"] + seen.get("gateway_encoder_starts_total{reason=scale}", 0) == 1 + 2 * turn
            assert seen["gateway_encoders_lost_total"] == 0
            assert "gateway_encoder_starts_total{reason=restart}" not in seen


def test_an_encoder_that_was_killed_is_replaced_and_counted(data_dir: Path) -> None:
    with running(data_dir, GUNICORN_WORKERS="1", GATEWAY_ENCODERS="1") as gateway:
        wait_for(lambda: scraped(gateway).get("gateway_encoder_starts_total{reason=start}") == 1, 30)
        begun = psutil.Process(pool(gateway)[0].ppid()).create_time()
        wait_for(lambda: time.time() - begun > 20, 40, "for its start-up to be over")
        before = pool(gateway)[0]
        before.kill()
        wait_for(lambda: scraped(gateway).get("gateway_encoder_starts_total{reason=restart}") == 1, 60, "for the next encoder")
        assert gateway.ended(gateway.upload(photograph(640, 480))["id"])["state"] == "succeeded"
        assert scraped(gateway)["gateway_encoder_resident_bytes{host=" + socket.gethostname() + "}"] > 20 << 20
