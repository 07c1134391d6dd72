"""The detectors themselves: a test that leaves something behind must fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEAKS = {
    "child process": "import subprocess; subprocess.Popen(['sleep', '5'])",
    "open file": "import os; os.dup(1)",
    "temporary file": "import tempfile; tempfile.mkdtemp()",
    "thread": "import threading; threading.Timer(1, int).start()",
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_test_that_leaves_something_behind_fails(kind: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\nfrom tests.conftest import LEAKS_END_WITHIN_S\nimport tests.conftest\ntests.conftest.LEAKS_END_WITHIN_S = 0.1\n")
    (tmp_path / "test_leaky.py").write_text(f"def test_leaky():\n    {LEAKS[kind]}\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60)
    assert said.returncode == 1, said.stdout + said.stderr
    assert f"left behind by this test: {kind}" in said.stdout
