"""The detectors themselves: a test that leaves something behind must fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEAKS = {
    "child process": "import subprocess; subprocess.Popen(['sleep', '1'], stdout=-3, stderr=-3)",
    "open file": "import os; os.dup(1)",
    "temporary file": "import tempfile; tempfile.mkdtemp()",
    "thread": "import threading; threading.Timer(1, int).start()",
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_test_that_leaves_something_behind_fails(kind: str, tmp_path: Path) -> None:
    conftest = "import tests.conftest\nfrom tests.conftest import *\ntests.conftest.LEAKS_END_WITHIN_S = 0.1\n"
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_leaky.py").write_text(f"def test_leaky():\n    {LEAKS[kind]}\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path / 'base'}",
        "--rootdir",
        str(tmp_path),
        "-c",
        "/dev/null",
        str(tmp_path),
    ]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    said = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert said.returncode == 1, said.stdout + said.stderr
    assert f"left behind by this test: {kind}" in said.stdout
