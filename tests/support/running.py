"""The whole gateway as a user starts it: ``./start.sh`` on a free port with a data folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]
READY_S = 60.0
ENDED = ("succeeded", "failed", "cancelled")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float, why: str = "") -> Any:
    """The first true value of ``what()``; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s in vain {why}"
        time.sleep(0.02)


class Gateway:
    """Equal images are encoded each by itself, so that tests which send the same image do not meet; ``GATEWAY_SHARE_RESULTS="on"`` changes that."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.program = str(ROOT / "start.sh")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.with_suffix(".log")
        self.environment = {**environment}
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: set[psutil.Process] = set()

    def start(self) -> float:
        """Seconds until it said that it is ready."""
        environment = {
            **os.environ,
            "API_PORT": str(self.port),
            "GATEWAY_DATA_DIR": str(self.data_dir),
            "GATEWAY_LOG_FORMAT": "text",
            "GATEWAY_SHARE_RESULTS": "off",
            **self.environment,
        }
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([self.program], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        offset = self.log.stat().st_size

        def said() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return b"Ready after" in self.log.read_bytes()[max(0, offset - 1) :]

        wait_for(said, READY_S, "for the gateway to be ready")
        self.family()
        return time.monotonic() - begun

    def family(self) -> list[psutil.Process]:
        """All its processes now."""
        assert self.process is not None
        found = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        self.seen.update(found)
        return found

    def find(self, *words: str) -> list[psutil.Process]:
        """Its processes whose command line has all of ``words``."""
        found = []
        for each in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if all(word in " ".join(each.cmdline()) for word in words):
                    found.append(each)
        return found

    def stop(self, number: int = signal.SIGTERM, within_s: float = 20.0) -> int:
        assert self.process is not None
        self.family()
        self.process.send_signal(number)
        code = self.process.wait(within_s)
        left = [each for each in self.seen if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        assert not left, f"processes are left: {[each.cmdline() for each in left]}"
        self.process = None
        return code

    def upload(self, image: Path | bytes, **options: Any) -> dict[str, Any]:
        data = image if isinstance(image, bytes) else image.read_bytes()
        response = requests.post(f"{self.url}/api/jobs", data=data, params=options, timeout=30)
        assert response.status_code == 202, response.text
        return dict(response.json())

    def job(self, job_id: str) -> dict[str, Any]:
        response = requests.get(f"{self.url}/api/jobs/{job_id}", timeout=10)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def ended(self, job_id: str, within_s: float = 60.0) -> dict[str, Any]:
        """The job at its end; outages of a moment are the caller's test subject and are waited out."""

        def look() -> dict[str, Any] | None:
            try:
                job = self.job(job_id)
            except (requests.RequestException, AssertionError):
                return None
            return job if job["state"] in ENDED else None

        return dict(wait_for(look, within_s, f"for job {job_id} to end"))

    def result(self, job_id: str) -> bytes:
        response = requests.get(f"{self.url}/api/jobs/{job_id}/result", timeout=30)
        assert response.status_code == 200, response.text
        return response.content

    def health(self) -> dict[str, Any]:
        return dict(json.loads(requests.get(f"{self.url}/api/health", timeout=10).text))


@contextlib.contextmanager
def running(data_dir: Path, **environment: str) -> Iterator[Gateway]:
    gateway = Gateway(data_dir, **environment)
    gateway.start()
    try:
        yield gateway
    finally:
        if gateway.process is not None:
            gateway.stop()


def is_supervised(process: psutil.Process) -> bool:
    """Whether it is the first process of a role: a child of what ``start.sh`` became."""
    parent = process.parent()
    return parent is not None and "-m backend" in " ".join(parent.cmdline())


def zygote_family(gateway: Gateway) -> list[psutil.Process]:
    """The process that has the codec loaded, and forks a zygote for each encoder process."""
    return [each for each in gateway.find("sandbox.zygote") if "is_family=True" in " ".join(each.cmdline()) and not _is_forked(each)]


def zygotes(gateway: Gateway) -> list[psutil.Process]:
    """Those of the encoder processes: forked by the family, or by themselves after that has died; not the children that they fork."""
    family = {each.pid for each in zygote_family(gateway)}
    return [each for each in gateway.find("sandbox.zygote") if each.pid not in family and not _is_disposable(each)]


def _is_forked(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        above = process.parent()
        return above is not None and "sandbox.zygote" in " ".join(above.cmdline())
    return True


def _is_disposable(process: psutil.Process) -> bool:
    """A child gives up its privileges before its order comes; a zygote never does."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "NoNewPrivs:\t1" in Path(f"/proc/{process.pid}/status").read_text()
    return True


def codec_children(gateway: Gateway) -> list[psutil.Process]:
    """The disposable children at work: what the zygotes have forked, and what is sealed (proc(5)), unlike one that waits for its order."""
    return [child for each in gateway.find("zygote") for child in _children(each) if _is_sealed(child)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    """None of one that has died since it was found."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.children()
    return []


def _is_sealed(process: psutil.Process) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "Seccomp:\t2" in Path(f"/proc/{process.pid}/status").read_text()
    return False
