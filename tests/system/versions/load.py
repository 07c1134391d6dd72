"""A load of many clients on several gateways of several releases, and what has become of each image."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle

import requests
from PIL import Image

from tests.system.versions.releases import Running, end_of

CLIENTS = 8
GIVEN_UP_S = 60.0
OPTIONS: tuple[dict[str, str], ...] = ({}, {"quality": "60", "width": "90"}, {"lossless": "true"}, {"rotate": "90", "method": "2"})
"""All releases know them."""


def picture(number: int) -> bytes:
    """A different one for each number."""
    buffer = io.BytesIO()
    noise = random.Random(number)
    Image.frombytes("RGB", (160, 120), noise.randbytes(160 * 120 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Told:
    """``accepted``: id of each job that was answered with 202 → its options. ``converted``: the answers of ``/api/convert``, by status."""

    accepted: dict[str, dict[str, str]] = field(default_factory=dict)
    converted: Counter[int] = field(default_factory=Counter)


def send(gateways: Sequence[Running], count: int, first: int = 0) -> Told:
    """``count`` jobs over all gateways in turns, and a fourth as many conversions beside them."""
    told, work = Told(), zip(range(first, first + count), cycle(gateways))

    def ask(number: int, gateway: Running) -> None:
        wanted = OPTIONS[number % len(OPTIONS)]
        answer = requests.post(f"{gateway.url}/api/jobs", data=picture(number), params=wanted, timeout=GIVEN_UP_S)
        assert answer.status_code == 202, answer.text
        told.accepted[answer.json()["id"]] = wanted
        if number % 4 == 0:
            found = requests.post(f"{gateway.url}/api/convert", data=picture(-1 - number), params=wanted, timeout=GIVEN_UP_S)
            told.converted[found.status_code] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda each: ask(*each), work))
    return told


def check_all(gateways: Sequence[Running], told: Told, within_s: float = GIVEN_UP_S) -> None:
    """Each job has succeeded once, every gateway says so, and its result is a WebP file as asked for."""
    assert set(told.converted) <= {200}, told.converted
    for (job_id, wanted), gateway in zip(told.accepted.items(), cycle(gateways)):
        for asked in gateways:
            job = end_of(asked, job_id, within_s)
            assert job["state"] == "succeeded", job
        result = requests.get(f"{gateway.url}/api/jobs/{job_id}/result", timeout=GIVEN_UP_S)
        with Image.open(io.BytesIO(result.content)) as shown:
            assert (shown.format, shown.width) == ("WEBP", {"90": 120}.get(wanted.get("rotate", ""), int(wanted.get("width", 160))))


