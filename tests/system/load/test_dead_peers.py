"""Peers that vanish without a word: no reset, no end of stream. On demand: ``./tests/run.sh load``."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

HERE, THERE = "10.213.7.1", "10.213.7.2"
CLIENT = """
import socket, sys, time
address, port, job = sys.argv[1], int(sys.argv[2]), sys.argv[3]
upgrade = ("Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n")
held = []
for path, fields in ((f"/api/jobs/{job}/events", ""), (f"/api/jobs/{job}/ws", upgrade), ("/socket.io/?EIO=4&transport=websocket", upgrade)):
    wire = socket.create_connection((address, port))
    wire.sendall(f"GET {path} HTTP/1.1\\r\\nHost: {address}\\r\\n{fields}\\r\\n".encode())
    print(wire.recv(12).decode(), flush=True)
    if "socket.io" in path:
        wire.sendall(b"\\x81\\x82\\0\\0\\0\\x0040")
    held.append(wire)
time.sleep(600)
"""


@contextmanager
def far_host() -> Iterator[tuple[list[str], list[str]]]:
    """How a command is run on another host, and how its cable is pulled out there."""
    ip = shutil.which("ip") or "/usr/sbin/ip"
    name, near, far = f"gw{os.getpid()}", f"gwn{os.getpid()}"[:15], f"gwf{os.getpid()}"[:15]

    def run(*words: str) -> None:
        subprocess.run([ip, *words], check=True, capture_output=True)

    try:
        run("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("network namespaces need root and iproute2")
    try:
        run("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        run("addr", "add", f"{HERE}/30", "dev", near)
        run("link", "set", near, "up")
        run("-n", name, "addr", "add", f"{THERE}/30", "dev", far)
        run("-n", name, "link", "set", far, "up")
        yield [ip, "netns", "exec", name], [ip, "link", "set", far, "down"]
    finally:
        run("netns", "del", name)


def connections_of(gateway: Gateway, host: str) -> int:
    count = 0
    for each in gateway.find("gunicorn"):
        try:
            count += sum(1 for one in each.net_connections("tcp") if one.raddr and one.raddr.ip == host)
        except psutil.Error:
            continue
    return count


def stopped_encoders(gateway: Gateway) -> list[psutil.Process]:
    """So that a job stays queued for as long as it takes."""
    encoders = gateway.find("celery")
    assert encoders
    for each in encoders:
        each.send_signal(signal.SIGSTOP)
    return encoders


def test_watchers_whose_cable_is_cut_are_given_up(tmp_path: Path) -> None:
    with far_host() as (there, cut), running(tmp_path / "data", API_HOST="0.0.0.0", GUNICORN_WORKERS="2") as gateway:
        encoders = stopped_encoders(gateway)
        job_id = gateway.upload(photograph(640, 480))["id"]
        client = subprocess.Popen([*there, sys.executable, "-c", CLIENT, HERE, str(gateway.port), job_id], stdout=subprocess.PIPE, text=True)
        try:
            assert client.stdout is not None
            assert [client.stdout.readline()[9:12] for _ in range(3)] == ["200", "101", "101"]
            assert connections_of(gateway, THERE) == 3
            subprocess.run([*there, *cut], check=True)
            wait_for(lambda: connections_of(gateway, THERE) == 0, 150, "for the dead watchers to be given up")
        finally:
            client.kill()
            client.wait()
            if client.stdout:
                client.stdout.close()
            for each in encoders:
                each.send_signal(signal.SIGCONT)


def test_a_plain_websocket_that_answers_no_ping_is_closed(tmp_path: Path) -> None:
    with running(tmp_path / "data", GUNICORN_WORKERS="1") as gateway:
        encoders = stopped_encoders(gateway)
        try:
            job_id = gateway.upload(photograph(640, 480))["id"]
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=90) as wire:
                fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                wire.sendall(f"GET /api/jobs/{job_id}/ws HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
                heard = b""
                while piece := wire.recv(65536):
                    heard += piece
                assert heard.startswith(b"HTTP/1.1 101") and heard.count(b"\x89\x00") >= 2, heard[-300:]
        finally:
            for each in encoders:
                each.send_signal(signal.SIGCONT)
