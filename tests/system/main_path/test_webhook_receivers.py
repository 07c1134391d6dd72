"""The receivers that the guide shows, as they stand there: in Python, Node and PHP, told by a real gateway."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from backend.core import webhooks
from tests.conftest import missing
from tests.fakes.samples import image
from tests.support.running import ROOT, Gateway, free_port, running, wait_for

pytestmark = pytest.mark.e2e
KEYS = [os.urandom(32), os.urandom(32)]
SECRETS = [f"whsec_{base64.b64encode(key).decode()}" for key in KEYS]
GUIDE = (ROOT / "docs" / "guides" / "webhooks.md").read_text("utf-8")
LANGUAGES = {"python": "receiver.py", "js": "receiver.mjs", "php": "receiver.php"}


def command(language: str, folder: Path, port: int) -> list[str]:
    path = folder / LANGUAGES[language]
    block = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert block is not None
    path.write_text(block[1], "utf-8")
    if language == "python":
        return [sys.executable, "-m", "flask", "--app", str(path), "run", "--port", str(port)]
    program = shutil.which({"js": "node"}.get(language, language)) or missing(f"{language} is not installed")
    if language == "js":
        (folder / "node_modules").symlink_to(ROOT / "tests" / "page" / "node_modules")
        return [program, str(path)]
    return [program, "-S", f"127.0.0.1:{port}", str(path)]


@contextmanager
def receiving(language: str, folder: Path, secret: str) -> Iterator[tuple[str, Path]]:
    """Its address, and what it says."""
    port, said = free_port(), folder / f"{language}.log"
    seen = {"SEEN_DB": str(folder / "seen.sqlite"), "SEEN_FILE": str(folder / "seen.txt")}
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port), **seen}
    with said.open("w") as log:
        process = subprocess.Popen(command(language, folder, port), env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            wait_for(lambda: answers(port), 20, f"for the receiver in {language}: {said.read_text()}")
            yield f"http://127.0.0.1:{port}/hook", said
        finally:
            process.terminate()
            process.wait(10)


def answers(port: int) -> bool:
    try:
        return requests.post(f"http://127.0.0.1:{port}/hook", data=b"{}", timeout=2).status_code == 400
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"GATEWAY_WEBHOOK_SECRET": ",".join(SECRETS), "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "GUNICORN_WORKERS": "1"}
    with running(tmp_path_factory.mktemp("telling") / "data", **settings) as started:
        yield started


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receiver_of_the_guide_takes_what_is_genuine_once_and_refuses_the_rest(telling: Gateway, tmp_path: Path, language: str) -> None:
    """It knows the older of two secrets, which are being exchanged."""
    with receiving(language, tmp_path, SECRETS[1]) as (url, said):
        job = telling.upload(image("png", 32, 24), webhook_url=url)["id"]
        log = f"{telling.url}/api/webhooks/deliveries?job={job}"
        wait_for(lambda: requests.get(log, timeout=5).json()["deliveries"] or None, 30)
        (delivery,) = wait_for(lambda: [each for each in requests.get(log, timeout=5).json()["deliveries"] if each["state"] == "delivered"], 30)
        assert requests.post(telling.url + delivery["links"]["resend"], timeout=5).status_code == 202
        wait_for(lambda: len(requests.get(log, timeout=5).json()["deliveries"][0]["tries"]) == 2, 20)
        assert [each["status"] for each in requests.get(log, timeout=5).json()["deliveries"][0]["tries"]] == [204, 204]
        assert said.read_text().count(f"job.succeeded {job}") == 1, "the second was passed over"
        body, now = b'{"type":"job.failed","timestamp":"","data":{"id":"forged"}}', time.time()
        forged = {
            "another secret": webhooks.signed_headers([os.urandom(32)], "msg_a", now, body),
            "too old": webhooks.signed_headers(KEYS, "msg_b", now - 400, body),
            "another id": {**webhooks.signed_headers(KEYS, "msg_c", now, body), "webhook-id": "msg_d"},
            "none": {},
        }
        for why, headers in forged.items():
            assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 400, why
        assert "forged" not in said.read_text()
        assert requests.post(url, data=body, headers=webhooks.signed_headers(KEYS, "msg_e", now, body), timeout=5).status_code == 204
