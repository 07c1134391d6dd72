"""The README's examples, run as they stand there, in both languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.images import photograph
from tests.e2e.running import ROOT, Gateway

pytestmark = pytest.mark.e2e
ADDRESS = "http://127.0.0.1:5000"


def example(readme: str, name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    assert found, f"{readme} has no example {name}"
    return found[1]


@pytest.mark.parametrize("name", ["convert", "job", "python", "javascript"])
def test_an_example_of_the_readme_works_as_it_stands(name: str, gateway: Gateway, tmp_path: Path) -> None:
    text = example("README.md", name).replace(ADDRESS, gateway.url)
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


@pytest.mark.parametrize("name", ["convert", "job", "python", "javascript"])
def test_both_readmes_have_the_same_examples(name: str) -> None:
    assert example("README.md", name) == example("README.zh-CN.md", name)
