"""The servers that are compared: the gateway as a user starts it, and the peers, each on a free port of the loopback, one at a time."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.kit import load, machine
from bench.kit.machine import CORES

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers"
NODE_HOME = ROOT / "var" / "bench-node"
THUMBOR_HOME = ROOT / "var" / "bench-thumbor"
WORK = ROOT / "var" / "bench"
READY_S = 90.0
SETTLED_WITHIN_S = 15.0
LOOK_S = 1.0
QUIET_SHARE = 0.08
"""Of one core: beyond it a server is still starting."""
Target = Callable[[str, int | None], tuple[str, str]]
"""(file name, width) → method and path: POST takes the picture as the body, GET names a picture that the server has on its disk."""


@dataclass(slots=True)
class Server:
    name: str
    url: str
    process: subprocess.Popen[bytes]
    target: Target
    ready_at_s: float = 0.0
    """When it first answered, on the monotonic clock."""

    def family(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def settle(self) -> None:
        """Until its start is over: a server answers while others of its processes are still being loaded."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        before = machine.cpu_s(self.family())
        while time.monotonic() < deadline:
            time.sleep(LOOK_S)
            now = machine.cpu_s(self.family())
            if now - before < QUIET_SHARE * LOOK_S:
                return
            before = now


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def running(name: str, command: list[str], url: str, ready: str, target: Target, home: Path, **environment: str) -> Iterator[Server]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a benchmark that is cut off stops what it started
    log_path = WORK / "logs" / f"{name.replace(' ', '-')}.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + READY_S
        while not answers(url + ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start: {log_path.read_text(errors='replace')[-600:]}")
            time.sleep(0.05)
        yield Server(name, url, process, target, time.monotonic())
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the one that leads; what is left of its session after that is killed."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


@contextmanager
def folder() -> Iterator[Path]:
    WORK.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="run-", dir=WORK))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def gateway(
    _pictures: Path | None = None,
    *,
    root: Path = ROOT,
    name: str = "gateway",
    as_jobs: bool = False,
    method: str = "4",
    ready: str = "/api/health",
    **environment: str,
) -> Iterator[Server]:
    """``./start.sh`` with its defaults. ``root``: another checkout, to compare two states of this program. ``as_jobs``: by ``POST /api/jobs``,
    watched to the end and fetched, and not by ``/api/convert``."""
    port = free_port()
    with folder() as home:
        settings = {"API_PORT": str(port), "GATEWAY_DATA_DIR": str(home / "data"), "GATEWAY_LOG_LEVEL": "warning", **environment}

        def target(_file: str, width: int | None) -> tuple[str, str]:
            kind, path = (load.JOB, "/api/jobs") if as_jobs else ("POST", "/api/convert")
            return kind, f"{path}?quality=80&method={method}" + (f"&width={width}" if width else "")

        with running(name, [str(root / "start.sh")], f"http://127.0.0.1:{port}", ready, target, root, **settings) as server:
            _wait_for_encoders(server)
            yield server


def _wait_for_encoders(server: Server) -> None:
    """A first conversion: until its answer, the encoders may still be starting."""
    import urllib.error

    bmp = b"BM" + (58).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    bmp += (1).to_bytes(4, "little") * 2 + (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24) + bytes(4)
    request = urllib.request.Request(server.url + "/api/convert", data=bmp, method="POST")
    try:
        urllib.request.urlopen(request, timeout=60).read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"the gateway does not convert: {error.read()[:300]!r}") from error


@contextmanager
def flask_pillow(_pictures: Path | None = None, *, kind: str = "sync", same_work: bool = False) -> Iterator[Server]:
    """What people write first. As many processes as cores; with gthread, sixteen threads each. ``same_work``: it minds rotation and colours too."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(CORES), "--worker-class", kind]
    command += ["--threads", "16"] if kind == "gthread" else []
    command += ["--timeout", "120", "--log-level", "error", "flask_pillow:app"]

    def target(_file: str, width: int | None) -> tuple[str, str]:
        asked = [*([f"width={width}"] if width else []), *(["same=1"] if same_work else [])]
        return "POST", "/convert" + (f"?{'&'.join(asked)}" if asked else "")

    with running(f"Flask + Pillow, {kind}", command, f"http://127.0.0.1:{port}", "/health", target, PEERS) as server:
        yield server


@contextmanager
def sharp(_pictures: Path | None = None) -> Iterator[Server]:
    port = free_port()

    def target(_file: str, width: int | None) -> tuple[str, str]:
        return "POST", "/convert" + (f"?width={width}" if width else "")

    command = ["node", str(PEERS / "sharp_server.mjs")]
    with running("sharp", command, f"http://127.0.0.1:{port}", "/health", target, PEERS, PORT=str(port), NODE_HOME=str(NODE_HOME)) as server:
        yield server


@contextmanager
def ipx(pictures: Path) -> Iterator[Server]:
    port = free_port()

    def target(file: str, width: int | None) -> tuple[str, str]:
        return "GET", f"/f_webp,q_80{f',w_{width}' if width else ''}/{file}"

    command = ["node", str(PEERS / "ipx_server.mjs")]
    environment = {"PORT": str(port), "NODE_HOME": str(NODE_HOME), "PICTURES": str(pictures)}
    with running("ipx", command, f"http://127.0.0.1:{port}", "/health", target, PEERS, **environment) as server:
        yield server


@contextmanager
def thumbor(pictures: Path) -> Iterator[Server]:
    """As many processes as cores, no cache of results, its own defaults but for the quality and the folder of sources."""
    port = free_port()
    with folder() as home:
        config = home / "thumbor.conf"
        config.write_text(
            f"LOADER = 'thumbor.loaders.file_loader'\nFILE_LOADER_ROOT_PATH = {str(pictures)!r}\nSTORAGE = 'thumbor.storages.no_storage'\n"
            "RESULT_STORAGE = None\nQUALITY = 80\nWEBP_QUALITY = 80\nMAX_PIXELS = 200000000\nALLOW_UNSAFE_URL = True\n"
        )

        def target(file: str, width: int | None) -> tuple[str, str]:
            size = f"{width}x0/" if width else ""
            return "GET", f"/unsafe/{size}filters:format(webp):quality(80)/{file}"

        command = [str(THUMBOR_HOME / "bin" / "thumbor"), "--ip", "127.0.0.1", "--port", str(port), "--conf", str(config), "--processes", str(CORES)]
        with running("Thumbor", command, f"http://127.0.0.1:{port}", "/healthcheck", target, home) as server:
            yield server
