"""The shipped nginx configuration, run by a real nginx."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.e2e.images import photograph
from tests.e2e.running import ROOT, Gateway, free_port, running, wait_for
from tests.live.test_many import javascript_clients, python_clients

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # python-socketio leaves broken sockets
]


@contextmanager
def nginx(gateway: Gateway, folder: Path) -> Iterator[str]:
    """The address of a real nginx with ``deploy/nginx.conf``, its ports and paths put in."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(binary).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("nginx is missing")
        pytest.skip("nginx is not installed")
    port = free_port()
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = site.replace("127.0.0.1:5000", f"127.0.0.1:{gateway.port}").replace("listen 80;", f"listen 127.0.0.1:{port};")
    site = re.sub(r"\n\s*listen \[::\]:80;", "", site)
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nworker_processes 1;\nevents {{ worker_connections 4096; }}\n"
    whole += f"http {{\naccess_log off;\n{places}{site}\n}}\n"
    (folder / "nginx.conf").write_text(whole)
    process = subprocess.Popen([binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/api/health"), 10, "for nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def test_default_clients_of_each_kind_work_through_the_shipped_nginx_configuration(tmp_path: Path) -> None:
    with running(tmp_path / "data", GUNICORN_WORKERS="5") as gateway, nginx(gateway, tmp_path) as url:
        ids = [gateway.upload(photograph(4000, 3000), method=6)["id"] for _ in range(6)]
        found = javascript_clients(gateway, url, ids, 100)
        assert {name: found[name] for name in ("connected", "upgraded", "ended")} == {"connected": 100, "upgraded": 100, "ended": 100}, found
        assert python_clients(url, ids, 100) == [(True, True)] * 100


def test_an_upload_streams_through_nginx_and_the_numbers_stay_inside(gateway: Gateway, tmp_path: Path) -> None:
    with nginx(gateway, tmp_path) as url:
        image = photograph(1200, 800)
        converted = requests.put(f"{url}/api/convert?quality=80", data=image, timeout=30)
        assert converted.status_code == 200 and converted.content[8:12] == b"WEBP"
        too_large = requests.post(f"{url}/api/jobs", data=bytes(70_000_000), timeout=60)
        assert too_large.status_code in (413, 415) and too_large.headers["Content-Type"] == "application/problem+json"
        assert requests.get(f"{url}/metrics", timeout=5).status_code == 404
