"""The benchmarks run on pictures that they make or are given, and the commands of the pages run as they stand there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.kit import pictures
from tests.conftest import missing
from tests.support.fresh_clone import copy_of_the_tree, environment_of_this_tree
from tests.support.images import photograph
from tests.support.page_blocks import blocks, marked
from tests.support.running import ROOT, Gateway

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
PAGE = "docs/internals/codec.md"
INTERPRETER = "tests/.venv/bin/python"
PARTS = {
    "bench.latency": "--rounds 5",
    "bench.ingest": "--rounds 1 --mib 4",
    "bench.layouts": "--seconds 1 --rounds 1 --clients 4 --watchers 10",
    "bench.slow_uploads": "--way raw --count 4 --mb 2 --seconds 3 --workers 2",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    root = copy_of_the_tree(tmp_path / "copy")
    (root / ".venv").symlink_to(environment_of_this_tree())
    return root


def ran(root: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if name != "BENCH_PICTURES"}
    done = subprocess.run(command, cwd=root, env={**given, **environment}, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done


def small_pictures(root: Path) -> None:
    """Where the page's first command makes large ones: it finds these and leaves them."""
    made = root / "var" / "bench" / "pictures"
    for kind, (extension, sizes, save) in pictures.KINDS.items():
        (made / kind).mkdir(parents=True)
        for name in sizes:
            save(made / kind / f"{name}.{extension}", (480, 320))


def test_the_commands_of_the_codecs_page_run_one_after_the_other(copy: Path) -> None:
    if shutil.which("gif2webp") is None:
        missing("gif2webp is not installed")
    small_pictures(copy)
    script = "\n".join(each.text for each in marked(PAGE, "bench")).replace(INTERPRETER, sys.executable)
    before = (copy / "backend/codec/progress/curves.json").read_text("utf-8")
    ran(copy, "bash", "-euo", "pipefail", "-c", script)
    assert (copy / "backend/codec/progress/curves.json").read_text("utf-8") != before


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_on_a_fresh_clone(part: str, copy: Path) -> None:
    """Nobody gave it photographs: it makes its own."""
    ran(copy, sys.executable, "-m", part, *PARTS[part].split())


def test_the_pages_estimates_are_measured(gateway: Gateway, tmp_path: Path) -> None:
    """The command of ``docs/internals/estimates.md``, on one picture."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "cat.jpg").write_bytes(photograph(640, 480))
    (command,) = (each.text.split("#")[0] for each in blocks("docs/internals/estimates.md") if "estimates.mjs" in each.text)
    script = f"{command.replace('http://127.0.0.1:5000', gateway.url).strip()} {tmp_path / 'one'}"
    assert "cat.jpg" in ran(ROOT, "bash", "-euc", script, GIVEN_ONLY="1").stdout
