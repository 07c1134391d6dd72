"""The list of what the gateway is made of matches the locks, and is CycloneDX as its own library understands it."""

from __future__ import annotations

import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip_requirements_parser import RequirementsFile

from deploy import sbom

ROOT = Path(__file__).resolve().parents[2]


def locked() -> dict[str, str]:
    """As pip's own reader of such files reads the lock."""
    found = RequirementsFile.from_file(str(ROOT / "requirements.txt"))
    assert not found.invalid_lines
    return {canonicalize_name(each.name): each.get_pinned_version for each in found.requirements}


def test_it_is_up_to_date() -> None:
    assert sbom.FILE.read_text("utf-8") == sbom.text(), "run: python deploy/sbom.py"


def test_it_lists_every_locked_package_and_what_the_page_ships() -> None:
    components = json.loads(sbom.FILE.read_text("utf-8"))["components"]
    listed = {each["name"]: each["version"] for each in components if each["purl"].startswith("pkg:pypi/")}
    assert listed == locked()
    scripts = {each["name"] for each in components if each["purl"].startswith("pkg:npm/")}
    assert scripts == {line.split()[0] for line in (ROOT / "frontend/vendor/VENDOR.lock").read_text("utf-8").splitlines() if line[0] != "#"}


def test_it_names_what_the_gateway_itself_needs() -> None:
    record = json.loads(sbom.FILE.read_text("utf-8"))
    (own,) = record["dependencies"]
    needed = {each.rpartition("@")[0].removeprefix("pkg:pypi/") for each in own["dependsOn"] if each.startswith("pkg:pypi/")}
    assert needed == {
        canonicalize_name(Requirement(each).name) for each in sbom.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }


def test_it_is_valid_cyclonedx() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.FILE.read_text("utf-8")) is None
