"""Docker's own parser on compose.yaml, hadolint on the Dockerfile, and what both promise about their containers."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.settings import Settings
from tests.support.running import ROOT

Tool = Callable[[str], str]
SERVICES = ("redis", "gateway", "encoder", "nginx", "prometheus", "grafana")
NEEDED = ("backend/app.py", "frontend/index.html", "requirements.txt", "start.sh", "run.py", "gunicorn.conf.py")
NOT_NEEDED = ("tests/conftest.py", ".git/config", "var/store/x", ".venv/bin/python", "backend/__pycache__/app.cpython-313.pyc", ".env", "docs/x.md")


@pytest.fixture(scope="module")
def compose(tool: Tool) -> dict[str, Any]:
    """compose.yaml as Docker reads it."""
    command = [tool("docker-compose"), "-f", str(ROOT / "compose.yaml"), "config", "--format", "json"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    return dict(json.loads(told.stdout))


@pytest.fixture
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"])


def test_compose_has_every_part(services: dict[str, Any]) -> None:
    assert sorted(services) == sorted(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_enclosed_watched_and_started_again(name: str, services: dict[str, Any]) -> None:
    service = services[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in ("", "0", "root") and not service.get("privileged")
    assert service["restart"] == "unless-stopped" and service["healthcheck"]["test"][0] == "CMD"
    limits = service["deploy"]["resources"]["limits"]
    assert int(limits["memory"]) > 0 and limits["pids"] > 0
    assert "build" in service or not service["image"].endswith((":latest", service["image"].split(":")[0]))


def test_only_the_proxy_is_open_to_others(services: dict[str, Any]) -> None:
    everywhere = [name for name, each in services.items() for port in each.get("ports", []) if port.get("host_ip") != "127.0.0.1"]
    assert everywhere == ["nginx"]


@pytest.mark.parametrize("name", ["gateway", "encoder"])
def test_the_settings_of_a_role_are_accepted_and_leave_room_for_its_graceful_end(name: str, services: dict[str, Any]) -> None:
    settings = Settings.from_environment({key: str(value) for key, value in services[name]["environment"].items()})
    patience = {"gateway": settings.graceful_timeout_s, "encoder": settings.encode_timeout_s}[name]
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", services[name]["stop_grace_period"])
    assert found and int(found[1] or 0) * 60 + int(found[2] or 0) > patience


def test_nginxs_configuration_in_the_container_is_one(compose: dict[str, Any], tool: Tool, tmp_path: Path) -> None:
    """The container's own command, with this machine's paths, and nginx's own check instead of its start."""
    moved = {
        "$$": "$",
        "/tmp/": f"{tmp_path}/",
        "/etc/nginx/gateway.conf": str(ROOT / "deploy/nginx.conf"),
        "/etc/nginx/main.conf": f"{tmp_path}/main.conf",
        "/dev/stdout": f"{tmp_path}/access.log",
        "gateway:5000": "127.0.0.1:5000",
        "exec nginx": f"sed -i 's#/var/cache/webp-gateway#{tmp_path}/cache#' {tmp_path}/gateway.conf; exec {tool('nginx')} -t",
    }
    script, main = compose["services"]["nginx"]["command"][-1], compose["configs"]["nginx-main"]["content"]
    for old, new in moved.items():
        script, main = script.replace(old, new), main.replace(old, new)
    (tmp_path / "main.conf").write_text(main)
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "GATEWAY_NAME": "images.example.org"}
    told = subprocess.run(["sh", "-ec", script], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    site = (tmp_path / "gateway.conf").read_text("utf-8")
    assert "images.example.org" in site and re.findall(r"^ +listen (\S+?)[ ;]", site, re.MULTILINE) == ["8080", "[::]:8080"] * 2


def test_hadolint_finds_nothing_in_the_dockerfile(tool: Tool) -> None:
    told = subprocess.run([tool("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60, check=False)
    assert (told.returncode, told.stdout) == (0, "")


@pytest.mark.parametrize(("path", "is_in"), [*((each, True) for each in NEEDED), *((each, False) for each in NOT_NEEDED)])
def test_the_build_gets_what_runs_and_nothing_else(path: str, is_in: bool) -> None:
    """Docker's rule: the last pattern that matches the path or a folder above it decides."""
    found = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!").removeprefix("**/")
        above = [path, *map(str, Path(path).parents)] if not line.startswith("**/") else Path(path).parts
        if line and not line.startswith("#") and any(fnmatch.fnmatch(each, pattern) for each in above if each != "."):
            found = line.startswith("!")
    assert found == is_in
