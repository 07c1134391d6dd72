"""The examples of docs/reference/api.md, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.images import photograph
from tests.support.running import ROOT, Gateway

pytestmark = pytest.mark.e2e
ADDRESS = "http://127.0.0.1:5000"
TEXT = (ROOT / "docs/reference/api.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([\w-]+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_works_as_it_stands(name: str, gateway: Gateway, tmp_path: Path) -> None:
    text = EXAMPLES[name].replace(ADDRESS, gateway.url)
    (tmp_path / "cat.jpg").write_bytes(photograph(1200, 800))
    if name.endswith("javascript"):
        (tmp_path / "example.mjs").write_text(text)
        command = ["node", "example.mjs"]
    else:
        command = [sys.executable, "-c", text] if name.endswith("python") else ["bash", "-euo", "pipefail", "-c", text]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "cat.webp").read_bytes()[8:12] == b"WEBP"


def test_every_way_in_has_its_examples() -> None:
    assert {name.partition("-")[0] for name in EXAMPLES} == {"convert", "job", "batch", "tus"}
