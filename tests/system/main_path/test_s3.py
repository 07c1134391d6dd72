"""A whole gateway whose store is a bucket."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from tests.support.images import photograph
from tests.support.running import ROOT, running, wait_for
from tests.support.s3_server import client, credentials, make_bucket, serving

pytestmark = pytest.mark.e2e
NO_PATIENCE_S = 60


@pytest.mark.slow  # twenty seconds
def test_an_image_goes_through_a_bucket_and_is_erased_from_it(data_dir: Path) -> None:
    with serving() as endpoint:
        bucket = make_bucket(endpoint)
        settings = {"GATEWAY_STORAGE_URL": f"s3://{bucket}/images", "GATEWAY_ENCODERS": "1", "GUNICORN_WORKERS": "2"}
        with running(data_dir, **settings, **credentials(endpoint)) as gateway:
            job = gateway.upload(photograph(400, 300))
            assert gateway.ended(job["id"])["state"] == "succeeded"
            result = gateway.result(job["id"])
            assert result[8:12] == b"WEBP"
            part = requests.get(f"{gateway.url}/api/jobs/{job['id']}/result", headers={"Range": "bytes=8-11"}, timeout=30)
            assert (part.status_code, part.content) == (206, b"WEBP")
            again = requests.post(f"{gateway.url}/api/jobs/{job['id']}/retry?quality=30", timeout=30).json()
            assert gateway.ended(again["id"])["state"] == "succeeded"
            converted = requests.put(f"{gateway.url}/api/convert", data=photograph(200, 100), timeout=60)
            assert (converted.status_code, converted.content[8:12]) == (200, b"WEBP")
            for each in gateway.find("valkey-server") or gateway.find("redis-server"):
                each.send_signal(signal.SIGKILL)
            wait_for(lambda: listed(gateway.url) == [again["id"], job["id"]], NO_PATIENCE_S, "for the list to be rebuilt from the bucket")
            assert gateway.result(job["id"]) == result
            for job_id in (job["id"], again["id"]):
                assert requests.delete(f"{gateway.url}/api/jobs/{job_id}", timeout=30).status_code == 204
            asking = client(endpoint)
            wait_for(lambda: not asking.list_objects_v2(Bucket=bucket).get("Contents"), NO_PATIENCE_S, "for the bucket to be empty")
            asking.close()


def listed(url: str) -> list[str] | None:
    answer = requests.get(f"{url}/api/jobs", timeout=30)
    return [each["id"] for each in answer.json()["jobs"]] if answer.status_code == 200 else None


def test_a_bucket_that_is_not_there_stops_the_start(data_dir: Path) -> None:
    with serving() as endpoint:
        environment = {**os.environ, **credentials(endpoint), "GATEWAY_DATA_DIR": str(data_dir), "GATEWAY_STORAGE_URL": "s3://no-such-bucket"}
        said = subprocess.run([str(ROOT / "start.sh")], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 2
    assert "GATEWAY_STORAGE_URL" in said.stderr and "There is no bucket no-such-bucket" in said.stderr
