"""``method=auto`` through the whole gateway: less effort while a queue is long, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.images import photograph
from tests.support.running import Gateway, running

pytestmark = pytest.mark.e2e
ONE_ENCODER = {"GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1"}
SIDES = [(1200 + 16 * number, 900) for number in range(8)]


def send(gateway: Gateway, pictures: list[bytes], **options: Any) -> list[dict[str, Any]]:
    """All in one request; the jobs at their end."""
    files = [("file", (f"{number}.jpg", each)) for number, each in enumerate(pictures)]
    answer = requests.post(f"{gateway.url}/api/jobs", files=files, params=options, timeout=60)
    assert answer.status_code == 202, answer.text[:300]
    return [gateway.ended(each["id"]) for each in answer.json()["jobs"]]


def test_a_long_queue_gets_less_effort_and_an_idle_gateway_gives_the_bytes_of_the_default(tmp_path: Path) -> None:
    pictures = [photograph(*sides) for sides in SIDES]
    with running(tmp_path / "data", **ONE_ENCODER) as gateway:
        busy = send(gateway, pictures, method="auto")
        assert {each["state"] for each in busy} == {"succeeded"} and {each["options"]["method"] for each in busy} == {"auto"}
        methods = {each["result"]["method"] for each in busy}
        assert methods == {2, 4}, "some were taken while others waited, and the last while none did"
        for job in busy:
            assert ("quality" in job["result"]) is (job["result"]["method"] == 2)
        eased = next(number for number, each in enumerate(busy) if each["result"]["method"] == 2)

        idle, fixed = (gateway.ended(gateway.upload(pictures[eased], method=each)["id"]) for each in ("auto", 4))
        assert idle["result"]["method"] == 4 and "method" not in fixed["result"]
        assert gateway.result(idle["id"]) == gateway.result(fixed["id"])
        assert busy[eased]["result"]["sha256"] != fixed["result"]["sha256"]


def test_a_number_is_kept_in_the_longest_queue(tmp_path: Path) -> None:
    pictures = [photograph(*sides) for sides in SIDES[:4]]
    with running(tmp_path / "data", **ONE_ENCODER) as gateway:
        for method in (4, 1):
            jobs = send(gateway, pictures, method=method)
            alone = [gateway.ended(gateway.upload(each, method=method)["id"]) for each in pictures]
            assert [each["result"]["sha256"] for each in jobs] == [each["result"]["sha256"] for each in alone]
            assert not any("method" in each["result"] for each in jobs)


def test_equal_images_are_encoded_once_whatever_the_effort_and_what_it_was_is_told_of_each(tmp_path: Path) -> None:
    picture = photograph(*SIDES[0])
    others = [photograph(*sides) for sides in SIDES[1:5]]
    with running(tmp_path / "data", **ONE_ENCODER, GATEWAY_SHARE_RESULTS="on") as gateway:
        *ended, _one, _two, _three, _four = send(gateway, [picture, picture, *others], method="auto")
        later = gateway.ended(gateway.upload(picture, method="auto")["id"])
        assert len({(each["result"]["sha256"], each["result"]["method"]) for each in (*ended, later)}) == 1
        fixed = gateway.ended(gateway.upload(picture)["id"])
        assert "method" not in fixed["result"], "a job that asks for a number is other work"


def test_a_restart_keeps_what_was_told(tmp_path: Path) -> None:
    with running(tmp_path / "data", **ONE_ENCODER) as gateway:
        job = send(gateway, [photograph(640, 480), photograph(600, 480)], method="auto", widths="320,160", formats="webp,jpeg")[1]
        told = [(each["format"], each.get("method")) for each in job["results"]]
        assert told == [("webp", 4), ("webp", 4), ("jpeg", None), ("jpeg", None)]
        gateway.stop()
        gateway.start()
        assert gateway.job(job["id"])["results"] == job["results"]
