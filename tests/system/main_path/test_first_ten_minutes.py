"""The examples of the first ten minutes, run as they stand there, in both languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import documents
from tests.support.images import photograph
from tests.support.running import ROOT, Gateway

pytestmark = pytest.mark.e2e
ADDRESS = "http://127.0.0.1:5000"

PAGES = ("docs/start/first-ten-minutes.md",)
EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```\w+\n(.*?)```", re.DOTALL)


def examples(page: str) -> dict[str, str]:
    return dict(EXAMPLE.findall((ROOT / page).read_text("utf-8")))


ALL = {name: text for page in PAGES for name, text in examples(page).items()}


@pytest.mark.parametrize("name", ALL)
def test_an_example_works_as_it_stands(name: str, gateway: Gateway, tmp_path: Path) -> None:
    text = ALL[name].replace(ADDRESS, gateway.url)
    (tmp_path / "cat.jpg").write_bytes(photograph(1200, 800))
    if name == "javascript":
        (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "page" / "node_modules")
        (tmp_path / "example.mjs").write_text(text)
        command = ["node", "example.mjs"]
    elif name == "python":
        command = [sys.executable, "-c", text]
    else:
        command = ["bash", "-euc", text]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "cat.webp").read_bytes()[8:12] == b"WEBP"


def test_every_way_has_its_example_and_each_is_the_same_wherever_it_stands() -> None:
    assert set(ALL) == {"convert", "job", "python", "javascript"}
    for page in PAGES:
        own = examples(page)
        assert own and own.items() <= ALL.items()
        assert own == examples(documents.twin(page))
