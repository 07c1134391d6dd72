"""The upload page in real Chromium: the page's own browser tests, driven against the running gateway."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.e2e.running import ROOT, Gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]


def test_the_page_does_its_work_in_chromium(gateway: Gateway) -> None:
    environment = {**os.environ, "GATEWAY_URL": gateway.url}
    command = ["node", "--test", "--test-reporter=spec", "browser.test.mjs"]
    said = subprocess.run(command, cwd=ROOT / "tests" / "page", env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-2000:]
    assert "skipped 0" in said.stdout, said.stdout[-2000:]
