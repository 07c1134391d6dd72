"""A disk that really fills up: uploads are refused with 507, reading goes on, and once there is room everything goes on by itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.images import photograph, pillows_webp
from tests.support.running import ROOT, Gateway, free_port, running, wait_for

pytestmark = pytest.mark.e2e
DISK_BYTES = 64 << 20
TUS, OFFSET_TYPE = {"Tus-Resumable": "1.0.0"}, {"Content-Type": "application/offset+octet-stream"}
RULES = {"GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1", "GATEWAY_RETENTION_S": "86400"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own. Only root may mount one: elsewhere this cannot be shown, and the floor of free space is tested without."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system of its own can only be mounted as root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave_bytes: int) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * (1 << 16)):
            pass
    with filler.open("r+b") as file:
        file.truncate(max(0, filler.stat().st_size - leave_bytes))
    return filler


def post(gateway: Gateway, data: bytes) -> requests.Response:
    return requests.post(f"{gateway.url}/api/jobs", data=data, timeout=30)


def post_form(gateway: Gateway, data: bytes) -> requests.Response:
    return requests.post(f"{gateway.url}/api/jobs", files=[("file", (f"{number}.jpg", data)) for number in range(2)], timeout=30)


def create(gateway: Gateway, size_bytes: int) -> requests.Response:
    answer = requests.post(f"{gateway.url}/api/uploads", headers={**TUS, "Upload-Length": str(size_bytes)}, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer


def create_with_bytes(gateway: Gateway, data: bytes) -> requests.Response:
    return requests.post(f"{gateway.url}/api/uploads", data=data, headers={**TUS, **OFFSET_TYPE, "Upload-Length": str(len(data))}, timeout=30)


def patch(url: str, offset: int, data: bytes) -> requests.Response:
    return requests.patch(url, data=data, headers={**TUS, **OFFSET_TYPE, "Upload-Offset": str(offset)}, timeout=30)


@pytest.mark.parametrize("floor_bytes", [0, 16 << 20], ids=["without a floor", "with a floor"])
def test_a_full_disk_refuses_uploads_serves_what_is_there_and_recovers_by_itself(small_disk: Path, floor_bytes: int) -> None:
    image, big = photograph(640, 480), photograph(2400, 1800)
    with running(small_disk / "data", GATEWAY_MIN_FREE_BYTES=str(floor_bytes), **RULES) as gateway:
        known = gateway.upload(image)["id"]
        gateway.ended(known)
        begun = gateway.url + create(gateway, len(big)).headers["Location"]
        filler = fill(small_disk, floor_bytes - (1 << 20) if floor_bytes else 0)
        for way in (post, post_form, create_with_bytes, lambda gateway, data: patch(begun, 0, data)):
            refused = way(gateway, big)
            assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert gateway.job(known)["state"] == "succeeded"
        assert gateway.result(known) == pillows_webp(image)
        store = small_disk / "data" / "store"
        assert not [each for each in (store / "incoming").iterdir() if each.is_file() and each.stat().st_size], "a refused upload is left"
        filler.unlink()
        again = wait_for(lambda: each if (each := post(gateway, big)).status_code == 202 else None, 30)
        assert gateway.result(gateway.ended(again.json()["id"])["id"]) == pillows_webp(big)
        offset = int(requests.head(begun, headers=TUS, timeout=10).headers["Upload-Offset"])
        resumed = patch(begun, offset, big[offset:])
        assert resumed.status_code == 204, resumed.text
        job_id = resumed.headers["Link"].split("/")[3].split(">")[0]
        assert gateway.result(gateway.ended(job_id)["id"]) == pillows_webp(big)


def test_a_start_on_a_full_disk_ends_with_one_clear_sentence(small_disk: Path) -> None:
    fill(small_disk, 0)
    given = {**os.environ, "GATEWAY_DATA_DIR": str(small_disk / "data"), "API_PORT": str(free_port()), "GATEWAY_MIN_FREE_BYTES": "0"}
    ended = subprocess.run([str(ROOT / "start.sh")], env=given, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1 and len(ended.stderr.strip().splitlines()) == 1
    assert "There is no disk space left" in ended.stderr and "没有可用空间" in ended.stderr


def test_a_disk_that_is_full_even_for_how_a_job_ended_loses_no_job(small_disk: Path) -> None:
    with running(small_disk / "data", GATEWAY_MIN_FREE_BYTES="0", **RULES) as gateway:
        slow = gateway.upload(photograph(3000, 2000), method=6)["id"]
        wait_for(lambda: gateway.job(slow)["state"] == "running", 30)
        filler = fill(small_disk, 0)
        wait_for(lambda: gateway.job(slow)["stage"] == "store" or gateway.job(slow)["state"] == "failed" or "full" in gateway.log.read_text(), 60)
        filler.unlink()
        job = gateway.ended(slow, 90)
        assert job["state"] == "succeeded" or job["error"]["code"] == "storage_full"
