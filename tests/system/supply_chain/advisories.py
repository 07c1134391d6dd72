"""The locks against known advisories, by pip-audit. What could not be looked up is told apart from what has none."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SERVICE = ("--vulnerability-service", "pypi")
"""The package index's own list."""
TIMEOUT_S = 300.0
SOCKET_TIMEOUT_S = 10


@dataclass(frozen=True)
class Audit:
    """``unchecked``: packages of which nothing is known; ``why`` the first of the reasons. ``found``: a line an advisory."""

    checked: tuple[str, ...]
    unchecked: tuple[str, ...]
    found: tuple[str, ...]
    why: str = ""


def audit(lock: Path, *service: str) -> Audit:
    """pip-audit ends with 0 where it found nothing, also where it could ask nobody: so its report is read, and not its exit code."""
    options = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json", "--timeout", str(SOCKET_TIMEOUT_S))
    command = [sys.executable, "-m", "pip_audit", *options, *(service or SERVICE), "--requirement", str(lock)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    try:
        known = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Audit((), ("all",), (), (ended.stderr.strip().splitlines() or ["no report"])[-1])
    skipped = {each["name"]: each["skip_reason"] for each in known if "skip_reason" in each}
    looked_up = [each for each in known if "skip_reason" not in each]
    found = [f"{each['name']} {each['version']}: {_told(advisory)}" for each in looked_up for advisory in each["vulns"]]
    return Audit(tuple(each["name"] for each in looked_up), tuple(skipped), tuple(found), next(iter(skipped.values()), ""))


def _told(advisory: dict[str, object]) -> str:
    names = ", ".join(map(str, [advisory["id"], *advisory.get("aliases", [])]))  # type: ignore[misc]
    return f"{names}; fixed in {', '.join(map(str, advisory['fix_versions'])) or 'no release'}"  # type: ignore[arg-type]
