"""Results that would be larger than their source, on a real gateway: what a user sees of them, in every place where a result is told of."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
import requests

from tests.support import drawn
from tests.support.running import Gateway
from tests.unit.codec.conftest import saved

pytestmark = pytest.mark.e2e
SCREENSHOT = saved(drawn.screenshot((900, 600)), "PNG")
TIGHT = saved(drawn.painted((480, 320)), "JPEG", quality=12)
"""Compressed so hard that no WebP of quality 80 is smaller."""


def parts(*files: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", each) for each in files]


def test_a_screenshot_becomes_small_without_loss(gateway: Gateway) -> None:
    plain = gateway.ended(gateway.upload(saved(drawn.terminal((900, 600)), "PNG"), quality=95)["id"])["result"]
    job = gateway.ended(gateway.upload(SCREENSHOT, lossless="auto", quality="auto")["id"])
    assert job["options"]["lossless"] == "auto"
    assert job["result"]["lossless"] is True
    assert "quality" not in job["result"]
    assert job["result"]["saved_percent"] > 50
    assert "lossless" not in plain


def test_a_larger_result_is_said_to_be_larger_everywhere(gateway: Gateway) -> None:
    job = gateway.ended(gateway.upload(TIGHT)["id"])
    assert job["result"]["larger_than_source"] is True
    assert job["result"]["saved_percent"] < 0
    stream = requests.get(f"{gateway.url}/api/jobs/{job['id']}/events", timeout=30)
    data = next(line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: "))
    assert json.loads(data)["result"]["larger_than_source"] is True
    converted = requests.put(f"{gateway.url}/api/convert", data=TIGHT, timeout=60)
    assert "larger_than_source" in converted.headers["X-Result"].split(", ")


def test_never_larger_answers_with_the_images_own_file(gateway: Gateway) -> None:
    answer = requests.post(
        f"{gateway.url}/api/jobs?never_larger=true", files=parts(("a.jpg", TIGHT), ("b/../a.JPEG", TIGHT), ("c.png", SCREENSHOT)), timeout=60
    )
    batch = answer.json()
    jobs = [gateway.ended(each["id"]) for each in batch["jobs"]]
    for job in jobs[:2]:
        result = job["result"]
        assert (result["original"], result["format"], result["bytes"], result["saved_percent"]) == (True, "jpeg", len(TIGHT), 0.0)
        assert "larger_than_source" not in result
        assert result["sha256"] == hashlib.sha256(TIGHT).hexdigest()
    address = f"{gateway.url}/api/jobs/{jobs[0]['id']}/result"
    whole = requests.get(address, timeout=30)
    assert (whole.content, whole.headers["Content-Type"]) == (TIGHT, "image/jpeg")
    assert whole.headers["ETag"] == f'"{hashlib.sha256(TIGHT).hexdigest()}"'
    assert 'filename="a.jpg"' in whole.headers["Content-Disposition"]
    part = requests.get(address, headers={"Range": "bytes=2-9"}, timeout=30)
    assert (part.status_code, part.content) == (206, TIGHT[2:10])
    assert requests.get(address, headers={"If-None-Match": whole.headers["ETag"]}, timeout=30).status_code == 304
    archive = zipfile.ZipFile(io.BytesIO(requests.get(f"{gateway.url}/api/batches/{batch['id']}/archive.zip", timeout=30).content))
    assert archive.namelist() == ["a.jpg", "a.JPEG" if "a.JPEG" in archive.namelist() else "a (2).JPEG", "c.webp"]
    assert archive.read("a.jpg") == TIGHT
    assert requests.delete(f"{gateway.url}/api/jobs/{jobs[0]['id']}", timeout=30).status_code == 204
    assert requests.get(address, timeout=30).status_code in (404, 410)
    assert gateway.result(jobs[1]["id"]) == TIGHT


def test_convert_answers_with_it_too(gateway: Gateway) -> None:
    answer = requests.put(f"{gateway.url}/api/convert?never_larger=true&filename=cat.jpg", data=TIGHT, timeout=60)
    assert (answer.content, answer.headers["Content-Type"]) == (TIGHT, "image/jpeg")
    assert answer.headers["X-Result"].startswith("saved_percent=0.0, original")
    assert 'filename="cat.jpg"' in answer.headers["Content-Disposition"]
    smaller = requests.put(f"{gateway.url}/api/convert?never_larger=true&width=200", data=TIGHT, timeout=60)
    assert smaller.headers["Content-Type"] == "image/webp"


def test_a_small_file_is_not_blown_up_to_a_target(gateway: Gateway) -> None:
    usual = gateway.ended(gateway.upload(TIGHT)["id"])["result"]["bytes"]
    result = gateway.ended(gateway.upload(TIGHT, target_bytes=10 * usual)["id"])["result"]
    assert (result["bytes"], result["quality"], result["target_met"]) == (usual, 80, True)


def test_capabilities_tell_of_the_new_values(gateway: Gateway) -> None:
    options = requests.get(f"{gateway.url}/api/capabilities", timeout=30).json()["options"]
    assert options["lossless"] == {"anyOf": [{"type": "boolean"}, {"const": "auto"}], "default": False, "x-formats": ["webp"]}
    assert options["never_larger"] == {"type": "boolean", "default": False}
    refused = requests.put(f"{gateway.url}/api/convert?lossless=auto&near_lossless=60", data=TIGHT, timeout=30)
    assert (refused.status_code, refused.json()["option"]) == (422, "lossless")
