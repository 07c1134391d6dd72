"""Equal bytes with equal options, through the whole gateway: one encode, one stored result, and a job for each client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.images import photograph
from tests.support.running import Gateway, running

pytestmark = pytest.mark.e2e


def stored_results(gateway: Gateway) -> set[int]:
    """The inodes of all results in the store."""
    return {each.stat().st_ino for each in (gateway.data_dir / "store" / "jobs").glob("*/*/result-*")}


def test_equal_uploads_are_encoded_once_and_erased_one_by_one(tmp_path: Path) -> None:
    with running(tmp_path / "data", GATEWAY_SHARE_RESULTS="on", GUNICORN_WORKERS="2") as gateway:
        image = photograph(3000, 2000)
        with ThreadPoolExecutor(8) as pool:
            jobs = list(pool.map(lambda number: gateway.upload(image, filename=f"{number}.jpg"), range(8)))
        ended = [gateway.ended(each["id"]) for each in jobs]
        assert {each["state"] for each in ended} == {"succeeded"}
        assert len({each["id"] for each in ended}) == 8 and len({each["result"]["sha256"] for each in ended}) == 1
        assert len(stored_results(gateway)) == 1
        assert gateway.upload(image)["state"] == "succeeded"
        other = gateway.ended(gateway.upload(image, quality=30)["id"])
        assert other["result"]["sha256"] != ended[0]["result"]["sha256"]
        for each in ended[:-1]:
            assert requests.delete(f"{gateway.url}/api/jobs/{each['id']}", timeout=10).status_code == 204
        assert len(gateway.result(ended[-1]["id"])) == ended[-1]["result"]["bytes"]


def test_a_key_learns_nothing_of_another_keys_work(tmp_path: Path) -> None:
    keys = "the-key-of-one,the-key-of-two"
    with running(tmp_path / "data", GATEWAY_SHARE_RESULTS="on", GUNICORN_WORKERS="1", GATEWAY_API_KEYS=keys) as gateway:
        image = photograph(640, 480)
        for key in keys.split(","):
            headers = {"Authorization": f"Bearer {key}", "Prefer": "wait=20"}
            made = requests.post(f"{gateway.url}/api/jobs", data=image, headers=headers, timeout=30)
            assert made.status_code == 200
            again = requests.post(f"{gateway.url}/api/jobs", data=image, headers={"Authorization": f"Bearer {key}"}, timeout=30)
            assert again.json()["state"] == "succeeded"
        assert len(stored_results(gateway)) == 2
        assert requests.post(f"{gateway.url}/api/jobs", data=image, timeout=30).status_code == 401
