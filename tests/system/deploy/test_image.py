"""The Dockerfile really built and run: by Buildah and Podman, on a base that debootstrap makes, since no registry of images is needed then.

On demand: it needs root, debootstrap, buildah, podman and runc, and takes two minutes. The base is Debian 12 with its own Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import missing
from tests.support.images import photograph
from tests.support.running import ROOT, free_port, wait_for
from tests.system.deploy.proxied import status

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(900)]
Tool = Callable[[str], str]
BASE, IMAGE = "localhost/bookworm-python", "localhost/webp-gateway"
USER = "10001"


class Containers:
    """Buildah and Podman with a storage of their own."""

    def __init__(self, folder: Path, tool: Tool) -> None:
        if os.geteuid() != 0:
            missing("root is needed to make an image's base")
        self.names = [tool(name) for name in ("debootstrap", "buildah", "podman", "runc")][1:]
        self.storage = ["--root", f"{folder}/storage", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]

    def run(self, name: str, *words: str, check: bool = True) -> str:
        program = next(each for each in self.names if each.endswith(name))
        more = ["--cgroup-manager", "cgroupfs", "--runtime", "runc"] if name == "podman" else []
        command = [program, *self.storage, *more, *words]
        told = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env={**os.environ, "BUILDAH_ISOLATION": "chroot"})
        assert told.returncode == 0 or not check, told.stderr[-3000:]
        return told.stdout.strip()


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> Iterator[Containers]:
    """With the image built."""
    folder = tmp_path_factory.mktemp("image")
    found = Containers(folder, tool)
    root = folder / "rootfs"
    command = [tool("debootstrap"), "--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm", str(root), *mirror()]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    for trusted in ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf"):
        if Path("/", trusted).exists():
            shutil.copy(Path("/", trusted), root / trusted)
    base = found.run("buildah", "from", "scratch")
    found.run("buildah", "copy", "-q", base, str(root), "/")
    found.run("buildah", "commit", "-q", base, BASE)
    found.run("buildah", "bud", "--pull-never", "--format", "docker", "--build-arg", f"BASE={BASE}", "-t", IMAGE, str(ROOT))
    yield found
    found.run("podman", "rm", "--all", "--force", check=False)
    shutil.rmtree(folder, ignore_errors=True)


def mirror() -> list[str]:
    """Where this machine gets Debian's packages, if that is not debootstrap's own default."""
    for path in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")):
        text = path.read_text() if path.exists() else ""
        found = re.search(r"^(?:deb\s+(?:\[.*?\]\s+)?(\S+)\s+bookworm\s|URIs:\s*(\S+)\nSuites:\s*bookworm\b)", text, re.MULTILINE)
        if found:
            return [found[1] or found[2]]
    return []


def test_the_image_runs_read_only_without_root_or_capabilities_and_fully_sealed(containers: Containers) -> None:
    port = free_port()
    enclosed = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "host"]
    bounds = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    given = ["-e", f"API_PORT={port}", "-e", "API_HOST=127.0.0.1", "-e", "GATEWAY_SANDBOX=require", "-e", "GUNICORN_WORKERS=2"]
    name = containers.run("podman", "run", "-d", *enclosed, *bounds, *given, IMAGE)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: status(f"{url}/api/health") == 200, 120, "for the container to be well")
    seal = requests.get(f"{url}/api/health", timeout=30).json()["encoders"]["seal"]
    assert (seal["level"], seal["seccomp"], seal["escapes"]) == (3, True, [])
    converted = requests.post(f"{url}/api/convert", data=photograph(800, 600), timeout=60)
    assert converted.status_code == 200 and converted.content[8:12] == b"WEBP"

    def within(*words: str) -> str:
        return containers.run("podman", "exec", name, *words, check=False)

    assert within("id", "-u") == USER and within("sh", "-c", "touch /app/x || echo refused") == "refused"
    assert within("sh", "-c", "grep -E 'Seccomp:|CapEff' /proc/1/status").split() == ["CapEff:", "0000000000000000", "Seccomp:", "2"]
    assert within("sh", "-c", "./start.sh health >/dev/null 2>&1; echo $?") == "0"
    assert within("sh", "-c", "./start.sh health encoder >/dev/null 2>&1; echo $?") == "0"
    assert containers.run("podman", "healthcheck", "run", name, check=False) == "", "it says so where it is not well"
    job = requests.post(f"{url}/api/jobs", data=photograph(800, 600), headers={"Prefer": "wait=30"}, timeout=60).json()
    assert job["state"] == "succeeded"
    containers.run("podman", "restart", "-t", "40", name)
    wait_for(lambda: status(f"{url}/api/health") == 200, 120, "for the container to be well again")
    assert requests.get(f"{url}/api/jobs/{job['id']}/result", timeout=30).content[8:12] == b"WEBP", "what was acknowledged outlives a restart"
    containers.run("podman", "kill", "--signal", "KILL", name)
    containers.run("podman", "wait", name)
    containers.run("podman", "start", name)
    wait_for(lambda: status(f"{url}/api/health") == 200, 120, "for the container to be well after a kill")
    assert requests.get(f"{url}/api/jobs/{job['id']}", timeout=30).json()["state"] == "succeeded", "and a kill"
    containers.run("podman", "stop", "-t", "40", name)
    assert containers.run("podman", "inspect", name, "--format", "{{.State.ExitCode}}") == "0"


def test_the_image_asks_for_its_health_and_keeps_only_what_runs(containers: Containers) -> None:
    facts = containers.run("podman", "image", "inspect", IMAGE, "--format", "{{.HealthCheck.Test}} {{.User}}")
    assert facts == "[CMD ./start.sh health] 10001:10001"
    size, base = (int(containers.run("podman", "image", "inspect", each, "--format", "{{.Size}}")) for each in (IMAGE, BASE))
    assert size - base < 200 << 20
