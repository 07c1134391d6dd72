"""Autobahn's WebSocket suite, cases 1 to 7 and 10, against the worker class. On demand: ``./tests/run.sh autobahn``.

The suite runs under Python 2.7 alone; ``PYTHON27`` names one that is not on the path. It is installed once, into ``var/autobahn``. Left out:
9 (messages larger than ours may be), 12 and 13 (compression, which is not spoken).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[3] / "var" / "autobahn"
GOOD = {"OK", "INFORMATIONAL", "NON-STRICT"}


def python27() -> str:
    named = os.environ.get("PYTHON27") or shutil.which("python2.7") or ""
    pyenv = sorted(Path.home().glob(".pyenv/versions/2.7.*/bin/python"))
    for candidate in (named, *map(str, pyenv)):
        if candidate and subprocess.run([candidate, "-c", "0"], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip("Autobahn's suite needs Python 2.7 (name it with PYTHON27)")


@pytest.fixture(scope="module")
def suite() -> list[str]:
    """How the suite is called."""
    python, site = python27(), HOME / "site"
    if not (site / "bin" / "wstest").exists():
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(site), "autobahntestsuite==25.10.1"]
        subprocess.run(install, check=True, timeout=300)
        (site / "zope" / "__init__.py").touch()  # a namespace package by its .pth file, which --target leaves unread
    return [python, str(site / "bin" / "wstest")]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_autobahn_finds_no_fault_and_clean_closes(suite: list[str], start_gateway: Any, tmp_path: Path) -> None:
    gateway = start_gateway(workers=1)
    plan = {
        "outdir": str(tmp_path),
        "servers": [{"agent": "gateway", "url": f"ws://127.0.0.1:{gateway.port}/ws/echo"}],
        "cases": [f"{group}.*" for group in (1, 2, 3, 4, 5, 6, 7, 10)],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    environ = {**os.environ, "PYTHONPATH": str(HOME / "site")}
    command = [*suite, "-m", "fuzzingclient", "-s", "plan.json"]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=500)
    assert ended.returncode == 0, ended.stdout.decode()[-2000:]
    cases: dict[str, dict[str, Any]] = json.loads((tmp_path / "index.json").read_text())["gateway"]
    counts = {verdict: sum(case["behavior"] == verdict for case in cases.values()) for verdict in sorted({c["behavior"] for c in cases.values()})}
    print(f"\n{len(cases)} cases: {counts}")
    assert len(cases) >= 247
    assert {name: case for name, case in cases.items() if case["behavior"] not in GOOD} == {}
    assert {name: case for name, case in cases.items() if case["behaviorClose"] not in GOOD} == {}
    assert "Traceback" not in gateway.log
