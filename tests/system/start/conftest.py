"""A fresh copy of the gateway in which nothing is installed, and a package index that hands out one small wheel as slowly as a test wants."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from tests.support.running import ROOT

PACKAGE = "gateway_sample"
WHEEL = f"{PACKAGE}-1.0-py3-none-any.whl"


def wheel() -> bytes:
    files = {
        f"{PACKAGE}.py": "",
        f"{PACKAGE}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n",
        f"{PACKAGE}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{PACKAGE}-1.0.dist-info/RECORD": f"{PACKAGE}.py,,\n",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()


@dataclass
class Index:
    """PEP 503. The wheel is handed out while ``free`` is set; ``asked`` says that somebody wants it."""

    url: str = ""
    status: int = 200
    fetched: list[str] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if self.status != 200:
            return self.status, "text/plain", b""
        if not path.endswith(".whl"):
            return 200, "text/html", f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode()
        self.asked.set()
        self.free.wait()
        self.fetched.append(path)
        return 200, "application/octet-stream", wheel()


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A job in the background of a shell ignores SIGINT, and what it starts would too; a person's terminal does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def index() -> Iterator[Index]:
    here = Index()
    here.free.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = here.answer(self.path)
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # Its pip was killed.

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield here
    finally:
        here.free.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Clone:
    folder: Path
    index: Index
    environment: dict[str, str] = field(default_factory=dict)

    def whole_environment(self, **given: str) -> dict[str, str]:
        own = {
            "PIP_INDEX_URL": self.index.url,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
            "PIP_CONFIG_FILE": os.devnull,
            "LANG": "en_US.UTF-8",
            "no_proxy": "127.0.0.1",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "LC_"))}
        return {**kept, **own, **self.environment, **given}

    def begin(self, *arguments: str, **given: str) -> subprocess.Popen[str]:
        command = [str(self.folder / "start.sh"), *arguments]
        environment = self.whole_environment(**given)
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: str, **given: str) -> tuple[int, str]:
        """Exit code, and what was said on standard error."""
        process = self.begin(*arguments, **given)
        said = process.communicate(timeout=150)[1]
        return process.returncode, said

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    def has_package(self) -> bool:
        program = [str(self.venv / "bin" / "python"), "-c", f"import {PACKAGE}"]
        return subprocess.run(program, check=False, capture_output=True).returncode == 0


@pytest.fixture
def clone(tmp_path: Path, index: Index) -> Clone:
    """With one locked package instead of all, so that a first start takes a few seconds."""
    return make_clone(tmp_path / "web p gateway", index)


def make_clone(folder: Path, index: Index) -> Clone:
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "backend", folder / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "start.sh", folder)
    digest = hashlib.sha256(wheel()).hexdigest()
    (folder / "requirements.txt").write_text(f"{PACKAGE.replace('_', '-')}==1.0 \\\n    --hash=sha256:{digest}\n")
    return Clone(folder, index)


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """Afterwards no process runs that was started in the folder."""
    yield
    left = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(each.info["cmdline"] or [])]
    assert left == []
