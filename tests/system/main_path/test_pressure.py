"""A gateway that can take no more says so before it reads, and every kind of client gets to hear it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import photograph
from tests.support.running import ROOT, Gateway, running, wait_for

pytestmark = pytest.mark.e2e
BODY_BYTES = 60 << 20


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Its encoders stand still and its queue has no place left."""
    with running(tmp_path_factory.mktemp("full") / "data", GATEWAY_ENCODERS="1", GATEWAY_MAX_QUEUED_JOBS="1") as gateway:
        stopped = gateway.find("celery")
        assert stopped
        for each in stopped:
            each.suspend()
        try:
            gateway.upload(photograph(64, 48))
            yield gateway
        finally:
            for each in stopped:
                each.resume()


def curl(gateway: Gateway, file: Path, *more: str) -> tuple[int, dict[str, Any], int]:
    """Status, problem and the bytes of the body that curl sent."""
    said = file.with_suffix(".json")
    command = ["curl", "-sS", "-X", "POST", "-T", file, *more, "-o", said, "-w", "%{http_code} %{size_upload}", f"{gateway.url}/api/jobs"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    status, sent = done.stdout.split()
    return int(status), json.loads(said.read_text()), int(sent)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.png"
    with file.open("wb") as out:
        out.truncate(BODY_BYTES)
    return file


def test_curl_that_asks_first_sends_nothing_to_a_full_gateway(full: Gateway, large: Path) -> None:
    status, problem, sent = curl(full, large, "--expect100-timeout", "60", "-H", "Expect: 100-continue")
    assert (status, problem["code"], sent) == (503, "queue_full", 0)


def test_curl_that_does_not_ask_reads_the_refusal_after_sixty_megabytes(full: Gateway, large: Path) -> None:
    status, problem, _ = curl(full, large, "-H", "Expect:")
    assert (status, problem["code"]) == (503, "queue_full")


def test_a_script_in_a_browser_reads_the_refusal_and_not_a_broken_connection(full: Gateway) -> None:
    node, modules = shutil.which("node"), ROOT / "tests" / "page" / "node_modules" / "playwright-core"
    if node is None or not modules.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node or tests/page/node_modules/playwright-core is missing")
    command = [node, str(Path(__file__).with_name("post.mjs")), full.url, str(BODY_BYTES)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    said = json.loads(done.stdout)
    assert (said.get("status"), said.get("code")) == (503, "queue_full"), said
    assert 1 <= int(said["retry"]) <= 60


def test_a_refused_upload_leaves_nothing_and_costs_no_memory(full: Gateway, large: Path) -> None:
    workers = [each for each in full.find("gunicorn") if not each.children()]
    before = sum(each.memory_info().rss for each in workers)
    for _ in range(3):
        assert curl(full, large, "-H", "Expect:")[0] == 503
    assert sum(each.memory_info().rss for each in workers) - before < 20 << 20
    assert list((full.data_dir / "store" / "incoming").iterdir()) == []


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(gateway: Gateway, large: Path) -> None:
    large.write_bytes(photograph(64, 48) + bytes(8 << 20))
    incoming = gateway.data_dir / "store" / "incoming"
    command = ["curl", "-sS", "-X", "POST", "-T", large, "--limit-rate", "1M", "-H", "Expect:", f"{gateway.url}/api/jobs"]
    sender = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: any(each.stat().st_size > 1 << 20 for each in incoming.iterdir()), 60, "for bytes to arrive")
    sender.kill()
    sender.wait()
    wait_for(lambda: not list(incoming.iterdir()), 60, "for the half upload to go")
