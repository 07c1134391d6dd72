"""What the gateway is made of, as CycloneDX 1.6 in JSON: the locked Python packages, and what the page ships of other people's code.

``python deploy/sbom.py`` writes ``deploy/sbom.cdx.json``, which a test compares with the locks. It holds no time and no random number, so the same
locks make the same file. Which package needs which is known for the gateway's own ones alone: the lock does not say more.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "deploy" / "sbom.cdx.json"
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*])?==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)
VENDORED = re.compile(r"^(\S+) (\S+) (\S+\.js) sha384-(\S+) (\S+)$", re.MULTILINE)
"""Name, version, file, digest in base64, licence: the form of ``frontend/vendor/VENDOR.lock``."""
Component = dict[str, Any]


def bom(root: Path = ROOT) -> dict[str, Any]:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    packages = list(_packages((root / "requirements.txt").read_text("utf-8")))
    scripts = list(_scripts((root / "frontend" / "vendor" / "VENDOR.lock").read_text("utf-8")))
    own = _component("application", project["name"], project["version"], f"pkg:generic/{project['name']}@{project['version']}")
    direct = {_normal(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]) for each in project["dependencies"]}
    needed = [each["bom-ref"] for each in packages if each["name"] in direct] + [each["bom-ref"] for each in scripts]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own | {"licenses": [{"license": {"id": project["license"]}}]}},
        "components": packages + scripts,
        "dependencies": [{"ref": own["bom-ref"], "dependsOn": needed}],
    }


def _packages(lock: str) -> Iterator[Component]:
    for name, version, marker in LOCKED.findall(lock):
        package = _component("library", _normal(name), version, f"pkg:pypi/{_normal(name)}@{version}")
        yield package | ({"properties": [{"name": "webp-gateway:marker", "value": marker}]} if marker else {})


def _scripts(lock: str) -> Iterator[Component]:
    for name, version, _file, digest, licence in VENDORED.findall(lock):
        hashes = [{"alg": "SHA-384", "content": base64.b64decode(digest).hex()}]
        yield _component("library", name, version, f"pkg:npm/{name}@{version}") | {"hashes": hashes, "licenses": [{"license": {"id": licence}}]}


def _component(kind: str, name: str, version: str, purl: str) -> Component:
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def text(root: Path = ROOT) -> str:
    return json.dumps(bom(root), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
