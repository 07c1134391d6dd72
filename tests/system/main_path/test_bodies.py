"""Large images, in forms and alone, sent as fast as loopback allows or slowly: whatever stands in them, each arrives byte for byte."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator

import pytest
import requests
from PIL import Image

from tests.support.running import Gateway

pytestmark = pytest.mark.e2e
BOUNDARY = "----boundary7MA4YWxkTrZu0gW"
MARK = b"--" + BOUNDARY.encode()
MB = 1_000_000
SLOW_BYTES_PER_S = 10 * MB


def image(more: bytes) -> bytes:
    """A small PNG and what follows it, which a decoder never reaches."""
    drawn = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(drawn, "PNG")
    return drawn.getvalue() + more


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


CONTENTS = {
    "noise": noise(12 * MB),
    "line breaks": b"\r\n" * (5 * MB),
    "the mark without a line break": noise(3 * MB) + MARK + noise(3 * MB, 2) + MARK * 5000,
    "a longer mark": noise(3 * MB) + b"\r\n" + MARK + b"0\r\n" + noise(4 * MB, 2) + (b"\r\n" + MARK + b"!") * 50_000,
    "half a mark at every turn": (noise(4 * MB) + b"\r\n" + MARK[:-3]) * 3,
    "ends in a line break": noise(6 * MB) + b"\r\n",
    "ends in dashes": noise(6 * MB) + b"\r\n--",
}


def part(name: str, content: bytes, filename: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    return MARK + f'\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"


class OfLength:
    """A body that comes in pieces, whose length is told."""

    def __init__(self, pieces: Iterator[bytes], size_bytes: int) -> None:
        self._pieces, self._size_bytes = pieces, size_bytes

    def __len__(self) -> int:
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


def slowly(body: bytes) -> Iterator[bytes]:
    """In pieces of any size, below the rate from which on a sender is a fast one."""
    dice, begun_s, sent = random.Random(len(body)), time.monotonic(), 0
    while sent < len(body):
        size = dice.choice((dice.randrange(1, 3000), dice.randrange(1, 400_000)))
        yield body[sent : sent + size]
        sent += size
        time.sleep(max(0.0, begun_s + sent / SLOW_BYTES_PER_S - time.monotonic()))


def posted(gateway: Gateway, path: str, *parts: bytes, is_slow: bool = False) -> requests.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    body = b"".join(parts) + MARK + b"--\r\n"
    return requests.post(gateway.url + path, OfLength(slowly(body), len(body)) if is_slow else body, headers=headers, timeout=60)


def source_of(gateway: Gateway, job: dict[str, str]) -> bytes:
    return requests.get(f"{gateway.url}/api/jobs/{job['id']}/source", timeout=60).content


@pytest.mark.parametrize("is_slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize("name", CONTENTS)
def test_a_large_image_in_a_form_is_what_was_sent(gateway: Gateway, name: str, is_slow: bool) -> None:
    sent = image(CONTENTS[name])
    answer = posted(gateway, "/api/jobs", part("file", sent, "a.png"), part("quality", b"33"), is_slow=is_slow)
    assert answer.status_code == 202, answer.text
    assert answer.json()["options"]["quality"] == 33
    assert source_of(gateway, answer.json()) == sent


@pytest.mark.parametrize("is_slow", [False, True], ids=["fast", "slow"])
def test_several_images_in_one_form_are_told_apart(gateway: Gateway, is_slow: bool) -> None:
    sent = [image(noise(size, seed)) for seed, size in enumerate((5 * MB, 1000, 3 * MB, 0, 2 * MB))]
    parts = [part("file", each, f"{number}.png") for number, each in enumerate(sent)]
    answer = posted(gateway, "/api/jobs", *parts, part("quality", b"20"), is_slow=is_slow)
    assert answer.status_code == 202, answer.text
    jobs = answer.json()["jobs"]
    assert [each["source"]["filename"] for each in jobs] == [f"{number}.png" for number in range(5)]
    assert [source_of(gateway, each) for each in jobs] == sent


def test_a_form_that_breaks_off_in_the_midst_of_a_large_image_makes_no_job(gateway: Gateway) -> None:
    answer = requests.post(
        gateway.url + "/api/jobs",
        part("file", image(noise(5 * MB)), "a.png"),
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_raw_image_whose_first_bytes_come_alone_is_known_all_the_same(gateway: Gateway) -> None:
    """A slow sender's bytes go past whoever looks at the beginning, once that is in."""
    sent = image(noise(2 * MB))

    def body() -> Iterator[bytes]:
        yield sent[:3]
        time.sleep(0.1)
        yield from slowly(sent[3:])

    answer = requests.post(f"{gateway.url}/api/jobs", OfLength(body(), len(sent)), headers={"Content-Type": "image/png"}, timeout=60)
    assert answer.status_code == 202, answer.text
    assert source_of(gateway, answer.json()) == sent
