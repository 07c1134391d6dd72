"""Processes of two releases on one Redis and one data folder, each started by its own code as the upgrade guide says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import requests

from tests.support.running import ENDED, ROOT, free_port, wait_for

READY_S = 40.0
STOP_S = 40.0
ROLES = {
    "gateway": ["-m", "gunicorn", "--config", "gunicorn.conf.py", "run:app"],
    "encoder": ["-m", "backend.cli", "encoder"],
}
"""What ``start.sh`` becomes for these roles, in every release: its virtual environment is the tests' own."""


def archive(commit: str, folder: Path) -> Path | None:
    """The code of a commit in a folder; None where the clone has no such commit."""
    if subprocess.run(["git", "-C", str(ROOT), "cat-file", "-e", f"{commit}^{{commit}}"], check=False, capture_output=True).returncode:
        return None
    folder.mkdir(parents=True)
    parts = ["backend", "frontend", "run.py", "gunicorn.conf.py"]
    packed = subprocess.run(["git", "-C", str(ROOT), "archive", commit, *parts], check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


class Running:
    """One role of one release."""

    def __init__(self, role: str, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.role, self.process, self.log = role, process, log
        self.url = f"http://127.0.0.1:{port}"

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def has_ended(self) -> bool:
        return self.process.poll() is not None


class Deployment:
    """A Redis and a data folder, on which roles of any release run."""

    def __init__(self, folder: Path, redis_url: str, **environment: str) -> None:
        self.folder, self.redis_url, self.environment = folder, redis_url, environment
        self.running: list[Running] = []
        self._numbers = count()

    def start(self, release: Path, role: str, **environment: str) -> Running:
        port, number = free_port(), next(self._numbers)
        run_dir = self.folder / f"run{number}"
        run_dir.mkdir(parents=True, mode=0o700)
        own = {"REDIS_URL": self.redis_url, "GATEWAY_DATA_DIR": str(self.folder / "data"), "API_PORT": str(port)}
        own |= {"GATEWAY_RUN_DIR": str(run_dir), "TMPDIR": str(run_dir)}
        fixed = {"GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "2", "GATEWAY_SHARE_RESULTS": "off", "GATEWAY_LOG_FORMAT": "text", "LC_ALL": "C.UTF-8"}
        log = self.folder / f"{number}-{role}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *ROLES[role]],
                cwd=release,
                env={**os.environ, "GATEWAY_SUPERVISED": "no", **fixed, **own, **self.environment, **environment},
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.running.append(Running(role, process, log, port))
        return self.running[-1]

    def start_ready(self, release: Path, role: str, **environment: str) -> Running:
        started = self.start(release, role, **environment)
        wait_for(lambda: started.has_ended() or is_ready(started), READY_S, started.said())
        assert not started.has_ended(), started.said()
        return started

    def stop_all(self) -> None:
        """In order, and every process that may be left. Gateways first: what they still take in waits in the store."""
        for each in sorted(self.running, key=lambda one: one.role == "encoder"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.stop()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait()
        self.running = []


def is_ready(started: Running) -> bool:
    if started.role == "encoder":
        return re.search(r"celery@.* ready\.", started.said()) is not None
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{started.url}/api/health/live", timeout=2).status_code == 200
    return False


@contextlib.contextmanager
def deployment(folder: Path, redis_url: str, **environment: str) -> Iterator[Deployment]:
    made = Deployment(folder, redis_url, **environment)
    try:
        yield made
    finally:
        made.stop_all()


def upload(gateway: Running, image: bytes, **options: object) -> str:
    response = requests.post(f"{gateway.url}/api/jobs", data=image, params={name: str(value) for name, value in options.items()}, timeout=30)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def end_of(gateway: Running, job_id: str, within_s: float = 40.0) -> dict[str, object]:
    def look() -> dict[str, object] | None:
        with contextlib.suppress(requests.RequestException):
            response = requests.get(f"{gateway.url}/api/jobs/{job_id}", timeout=10)
            if response.status_code == 200 and response.json()["state"] in ENDED:
                return dict(response.json())
        return None

    return dict(wait_for(look, within_s, f"for job {job_id} to end"))
