"""A real nginx with the shipped configuration, and gateways of one role to stand behind it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from tests.support.running import ROOT, free_port, wait_for

CONFIGURATION = ROOT / "deploy" / "nginx.conf"
BELOW_A_PATH = ROOT / "deploy" / "nginx-prefix.conf"


@contextmanager
def nginx(binary: str, ports: Sequence[int], folder: Path) -> Iterator[str]:
    """The address of an nginx in front of gateways on ``ports``; only ports and paths of the shipped file are changed."""
    site = CONFIGURATION.read_text("utf-8")
    server = next(line for line in site.splitlines() if "server 127.0.0.1:5000" in line)
    site = site.replace(server, "\n".join(server.replace("5000", str(each)) for each in ports)).replace("/var/log/nginx", str(folder))
    with serving(binary, site.replace("/var/cache/webp-gateway", f"{folder}/cache"), folder, "/api/health/live") as address:
        yield address


@contextmanager
def nginx_of_a_layout(binary: str, script: Path, moved: Mapping[str, int], folder: Path) -> Iterator[str]:
    """As ``nginx``, with what the layout's ``sed`` script makes of the shipped file. ``moved``: ports of that, and those instead of them."""
    site = subprocess.run(["sed", "-f", str(script), str(CONFIGURATION)], capture_output=True, text=True, check=True).stdout
    site = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{moved[found[1]]}", site).replace("/var/log/nginx", str(folder))
    with serving(binary, site.replace("/var/cache/webp-gateway", f"{folder}/cache"), folder, "/api/health/live") as address:
        yield address


@contextmanager
def nginx_below_a_path(binary: str, port: int, folder: Path, *changes: tuple[str, str], certificate: Path | None = None) -> Iterator[str]:
    """The address of the gateway below ``/images`` of an nginx. ``changes``: how the operator's file differs from the shipped one. With
    ``certificate``, which has its key too, it speaks TLS alone."""
    site = BELOW_A_PATH.read_text("utf-8")
    if certificate is not None:
        changes = (*changes, ("listen 80;", f"listen 80 ssl;\nssl_certificate {certificate};\nssl_certificate_key {certificate};"))
    for before, after in changes:
        assert before in site
        site = site.replace(before, after)
    site = site.replace("127.0.0.1:5000", f"127.0.0.1:{port}").replace("server_name example.com", "server_name 127.0.0.1")
    with serving(binary, site, folder, "/images/api/health/live", certificate) as address:
        yield f"{address}/images"


@contextmanager
def serving(binary: str, site: str, folder: Path, health: str, certificate: Path | None = None) -> Iterator[str]:
    """The address of an nginx with this configuration, which listens elsewhere than it says."""
    scheme = "https" if certificate else "http"
    port = free_port()
    site = "\n".join(line for line in site.splitlines() if "listen [::]:80" not in line).replace("listen 80", f"listen 127.0.0.1:{port}")
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"user {user()};\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nworker_processes 1;\nevents {{ worker_connections 4096; }}\n"
    whole += f"http {{\naccess_log off;\n{places}{site}\n}}\n"
    (folder / "nginx.conf").write_text(whole, "utf-8")
    process = subprocess.Popen([binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])
    try:
        wait_for(lambda: status(f"{scheme}://127.0.0.1:{port}{health}", certificate) == 200, 30, "for nginx")
        yield f"{scheme}://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(10)


def user() -> str:
    """nginx's workers as whoever runs the tests, since the temporary folders are closed to others."""
    return psutil.Process().username()


def status(url: str, certificate: Path | None = None, **headers: str) -> int | None:
    """What a GET is answered with; None where nobody answers."""
    try:
        return requests.get(url, headers=headers, timeout=10, verify=str(certificate) if certificate else True).status_code
    except requests.RequestException:
        return None


@contextmanager
def gateway_role(data_dir: Path, redis_url: str, **environment: str) -> Iterator[tuple[int, psutil.Process]]:
    """Port and process of ``./start.sh gateway``: one machine of a cluster, which shares Redis and data folder with others."""
    port = free_port()
    temporary = data_dir.with_name(f"tmp-{port}")
    temporary.mkdir()
    places = {"TMPDIR": str(temporary), "API_PORT": str(port), "REDIS_URL": redis_url, "GATEWAY_DATA_DIR": str(data_dir)}
    more = {**places, "GUNICORN_WORKERS": "2", **environment}
    with data_dir.with_name(f"gateway-{port}.log").open("wb") as log:
        process = psutil.Popen(
            [str(ROOT / "start.sh"), "gateway"], env={**os.environ, **more}, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        wait_for(lambda: status(f"http://127.0.0.1:{port}/api/health/live") == 200, 60, "for the gateway")
        yield port, process
    finally:
        kill(process, signal.SIGTERM)


def kill(process: psutil.Process, number: int) -> None:
    """The process and its workers; returns when none is left."""
    if process.is_running():
        family = [process, *process.children(recursive=True)]
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        psutil.wait_procs(family, timeout=40)
        assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    process.wait(10)
