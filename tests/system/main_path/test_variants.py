"""Several results of one image, on a real gateway: told one by one, delivered while the rest is made, stopped in the middle, and read by others."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
import pyvips
import requests
from PIL import Image

from tests.support import drawn
from tests.support.running import Gateway
from tests.unit.codec.conftest import saved

pytestmark = pytest.mark.e2e
PHOTOGRAPH = saved(drawn.painted((1600, 1200)), "JPEG", quality=92)
SLOW = {"widths": "1600,800,100", "formats": "webp,avif", "speed": 3}
"""The AVIFs take seconds; the WebPs are there long before."""


def upload(gateway: Gateway, source: bytes, **asked: Any) -> dict[str, Any]:
    answer = requests.post(f"{gateway.url}/api/jobs", params={"filename": "my cat.jpg", **asked}, data=source, timeout=60)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def states(gateway: Gateway, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Every state that a subscriber is told of, to the end."""
    with requests.get(gateway.url + job["links"]["events"], stream=True, timeout=90) as stream:
        lines = stream.iter_lines(decode_unicode=True)
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_each_is_told_when_it_is_there_and_read_by_others_as_it_says(gateway: Gateway) -> None:
    job = upload(gateway, PHOTOGRAPH, widths="1200,600,150", formats="avif,webp,jpeg,png", speed=8)
    told = states(gateway, job)
    counts = [len(each["results"]) for each in told]
    assert counts == sorted(counts) and counts[-1] == 12 and len(set(counts)) > 4
    assert [each["seq"] for each in told] == sorted({each["seq"] for each in told})
    assert all(each["result"] is None for each in told[:-1]) and told[-1]["state"] == "succeeded"
    percents = [each["progress"] for each in told]
    assert percents == sorted(percents)
    for each in told[-1]["results"]:
        data = requests.get(gateway.url + each["url"], timeout=30).content
        assert (len(data), hashlib.sha256(data).hexdigest()) == (each["bytes"], each["sha256"])
        read = pyvips.Image.new_from_buffer(data, "") if each["format"] != "avif" else None
        with Image.open(io.BytesIO(data)) as image:
            sides = (read.width, read.height) if read else image.size
            assert (image.format.lower(), *sides) == (each["format"], each["width"], each["height"])  # type: ignore[union-attr]
    assert list(told[-1]["srcset"]) == ["avif", "webp", "jpeg", "png"]
    for candidates in told[-1]["srcset"].values():
        addresses = [each.split(" ") for each in candidates.split(", ")]
        assert [width for _, width in addresses] == ["150w", "600w", "1200w"]
        for address, width in addresses:
            with Image.open(io.BytesIO(requests.get(gateway.url + address, timeout=30).content)) as image:
                assert f"{image.width}w" == width
    with zipfile.ZipFile(io.BytesIO(requests.get(gateway.url + job["links"]["archive"], timeout=30).content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(f"my cat-{w}w.{e}" for w in (1200, 600, 150) for e in ("avif", "webp", "jpg", "png"))


def test_one_is_delivered_while_the_rest_is_made_and_stays_after_a_cancel(gateway: Gateway) -> None:
    job = upload(gateway, PHOTOGRAPH, **SLOW)
    address = gateway.url + job["links"]["result"]
    first = requests.get(address, params={"width": 100, "format": "webp"}, headers={"Prefer": "wait=20"}, timeout=30)
    assert first.status_code == 200
    running = requests.get(gateway.url + job["links"]["self"], timeout=30).json()
    assert running["state"] == "running" and running["results"] and running["result"] is None
    waiting = requests.get(address, params={"width": 1600, "format": "avif"}, timeout=30)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "not_ready")
    requests.post(gateway.url + job["links"]["cancel"], timeout=30)
    ended = gateway.ended(job["id"])
    assert ended["state"] == "cancelled" and ended["results"]
    again = requests.get(address, params={"width": 100, "format": "webp"}, timeout=30)
    assert again.content == first.content
    gone = requests.get(address, params={"width": 1600, "format": "avif"}, timeout=30)
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")


def test_equal_jobs_share_one_encode_and_each_has_all_results(gateway: Gateway) -> None:
    jobs = [upload(gateway, PHOTOGRAPH, widths="700,90", formats="avif,webp", quality=31) for _ in range(3)]
    ended = [gateway.ended(each["id"]) for each in jobs]
    digests = [[each["sha256"] for each in job["results"]] for job in ended]
    assert digests[0] == digests[1] == digests[2] and len(digests[0]) == 4
    requests.delete(gateway.url + ended[0]["links"]["self"], timeout=30)
    for each in ended[1]["results"]:
        assert hashlib.sha256(requests.get(gateway.url + each["url"], timeout=30).content).hexdigest() == each["sha256"]


def test_a_retry_makes_one_of_several_and_several_of_one(gateway: Gateway) -> None:
    several = gateway.ended(upload(gateway, PHOTOGRAPH, widths="300,200")["id"])
    one = requests.post(f"{gateway.url}{several['links']['self']}/retry?width=120", timeout=30).json()
    assert "results" not in gateway.ended(one["id"])
    more = requests.post(f"{gateway.url}{several['links']['self']}/retry", json={"widths": [50, 60], "formats": ["png", "jpeg"]}, timeout=30).json()
    made = [(each["format"], each["width"]) for each in gateway.ended(more["id"])["results"]]
    assert made == [("png", 50), ("png", 60), ("jpeg", 50), ("jpeg", 60)]


def test_resumable_uploads_ask_for_several_too(gateway: Gateway) -> None:
    encoded = ",".join(f"{name} {value}" for name, value in (("filename", "Y2F0LmpwZw=="), ("widths", "MTAwLDUw"), ("formats", "d2VicCxqcGVn")))
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(PHOTOGRAPH)), "Upload-Metadata": encoded}
    headers["Content-Type"] = "application/offset+octet-stream"
    answer = requests.post(f"{gateway.url}/api/uploads", headers=headers, data=PHOTOGRAPH, timeout=30)
    assert answer.status_code == 201, answer.text
    job_id = answer.headers["Link"].split("/api/jobs/")[1].split(">")[0]
    assert len(gateway.ended(job_id)["results"]) == 4
