"""Images by URL through the whole gateway; and hostile addresses in a network namespace whose loopback has a canary."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.images import photograph
from tests.support.running import ENDED, ROOT, Gateway, running, wait_for

pytestmark = pytest.mark.e2e
PHOTO = photograph(2400, 1600)


class Server(http.server.BaseHTTPRequestHandler):
    """``/slow/…`` drips, ``/slower/…`` even more, ``/to?URL`` redirects, ``/gone`` breaks off, everything else is the photograph."""

    def do_GET(self) -> None:
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.end_headers()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Disposition", "attachment; filename*=UTF-8''%E5%9B%BE.jpg")
        self.send_header("Content-Length", str(len(PHOTO)))
        self.end_headers()
        if self.path == "/gone":
            self.wfile.write(PHOTO[:5000])
            return
        for at in range(0, len(PHOTO), len(PHOTO) // 20):
            self.wfile.write(PHOTO[at : at + len(PHOTO) // 20])
            if self.path.startswith("/slow"):
                time.sleep(0.5 if self.path.startswith("/slower/") else 0.1)  # the server under test is the other one

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def another_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def order(gateway: Gateway, url: str, **options: Any) -> requests.Response:
    return requests.post(f"{gateway.url}/api/jobs", json={"url": url, **options}, timeout=30)


def test_images_are_fetched_with_progress_and_fail_with_reasons(tmp_path: Path) -> None:
    with another_server() as there, running(tmp_path / "data", GUNICORN_WORKERS="2", GATEWAY_FETCH_ALLOWED_NETWORKS="127.0.0.0/8") as gateway:
        job = order(gateway, f"{there}/slow/cat.jpg", quality=70).json()
        seen = []
        while (now := gateway.job(job["id"]))["state"] not in ENDED:
            seen.append((now["state"], now["progress"]))
        assert now["state"] == "succeeded" and now["source"]["filename"] == "图.jpg" and now["source"]["bytes"] == len(PHOTO)
        assert any(state == "queued" and 0 < progress <= 10 for state, progress in seen)
        assert [progress for _, progress in seen] == sorted(progress for _, progress in seen)
        assert requests.get(f"{gateway.url}/api/jobs/{job['id']}/source", timeout=10).content == PHOTO
        assert gateway.ended(order(gateway, f"{there}/to?{there}/cat.jpg").json()["id"])["state"] == "succeeded"
        for path in ("/missing", "/gone", f"/to?{there.replace('127.0.0.1', '[::1]')}/", "/to?ftp://127.0.0.1/x"):
            ended = gateway.ended(order(gateway, there + path).json()["id"])
            assert (ended["state"], ended["error"]["code"]) == ("failed", "bad_request"), path


@pytest.mark.slow
def test_a_download_survives_the_worker_that_made_it(tmp_path: Path) -> None:
    with another_server() as there, running(tmp_path / "data", GUNICORN_WORKERS="2", GATEWAY_FETCH_ALLOWED_NETWORKS="127.0.0.0/8") as gateway:
        job = order(gateway, f"{there}/slow/cat.jpg").json()
        wait_for(lambda: gateway.job(job["id"])["progress"] > 0, 10)
        kill_workers(gateway)
        assert gateway.ended(job["id"], 60)["state"] == "succeeded"


def kill_workers(gateway: Gateway) -> None:
    for each in gateway.find("gunicorn"):
        if not each.children():
            each.kill()


@pytest.mark.slow
def test_a_download_over_which_two_workers_died_fails(tmp_path: Path) -> None:
    with another_server() as there, running(tmp_path / "data", GUNICORN_WORKERS="1", GATEWAY_FETCH_ALLOWED_NETWORKS="127.0.0.0/8") as gateway:
        job = order(gateway, f"{there}/slower/cat.jpg").json()
        for progress in (1, 2):
            wait_for(lambda least=progress: gateway.job(job["id"])["progress"] >= least, 40)
            kill_workers(gateway)
        ended = gateway.ended(job["id"], 40)
        assert (ended["state"], ended["error"]["code"]) == ("failed", "internal") and "2 times" in ended["error"]["detail"]


def test_a_worker_that_ends_as_it_should_hands_its_downloads_to_another(tmp_path: Path) -> None:
    """At once: a lease that runs out would take ten seconds."""
    with another_server() as there, running(tmp_path / "data", GUNICORN_WORKERS="1", GATEWAY_FETCH_ALLOWED_NETWORKS="127.0.0.0/8") as gateway:
        job = order(gateway, f"{there}/slow/cat.jpg").json()
        for _ in range(3):
            wait_for(lambda: gateway.job(job["id"])["progress"] > 0, 10)
            (worker,) = [each for each in gateway.find("gunicorn") if not each.children()]
            worker.send_signal(signal.SIGTERM)
            worker.wait(10)
        assert gateway.ended(job["id"], 8)["state"] == "succeeded"


def test_by_default_nothing_of_this_machine_is_asked(gateway: Gateway) -> None:
    with another_server() as there:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"):
            answer = order(gateway, there.replace("127.0.0.1", host))
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), host


HOSTILE = """
import json, socket, sys, threading
from gevent import monkey
monkey.patch_all()
from gevent.pool import Pool
from backend import errors
from backend.adapters.http.sources import HttpSources, Rules
from tests.unit.core.test_addresses import HOSTILE

PUBLIC, NAMES = "93.184.216.34", "93.184.216.35"
reached = []

def canary(family, address):
    server = socket.create_server((address, 80), family=family)
    while True:
        connection, _ = server.accept()
        reached.append(address)
        connection.close()

def web():
    server = socket.create_server((PUBLIC, 80))
    while True:
        connection, _ = server.accept()
        asked = connection.recv(4096).decode().split()[1]
        if asked.startswith("/to/"):
            answer = f"302 Found\\r\\nLocation: {asked[4:]}"
        elif asked.startswith("/chain/"):
            answer = "302 Found\\r\\nLocation: " + (f"/chain/{int(asked[7:]) - 1}" if asked != "/chain/0" else "http://127.0.0.1/")
        else:
            answer = "200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
        connection.sendall(f"HTTP/1.1 {answer}\\r\\n\\r\\n".encode())
        connection.close()

def names():
    "Answers rebind.test with the public address first and with loopback ever after; both.test with both; inside.test with loopback."
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((NAMES, 53))
    times = {}
    while True:
        query, sender = server.recvfrom(512)
        end = query.index(b"\\0", 12)
        name = query[13:end]
        wants_v4 = query[end + 2] == 1
        times[name] = times.get(name, 0) + wants_v4
        if name.startswith(b"both"):
            found = [PUBLIC, "127.0.0.1"]
        elif name.startswith(b"inside") or (name.startswith(b"rebind") and times[name] > 1):
            found = ["127.0.0.1"]
        else:
            found = [PUBLIC]
        found = found if wants_v4 else []
        records = b"".join(b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4" + socket.inet_aton(each) for each in found)
        server.sendto(query[:2] + b"\\x85\\x80\\0\\1" + len(found).to_bytes(2, "big") + b"\\0\\0\\0\\0" + query[12 : end + 5] + records, sender)

for target, arguments in ((canary, (socket.AF_INET, "127.0.0.1")), (canary, (socket.AF_INET6, "::1")), (web, ()), (names, ())):
    threading.Thread(target=target, args=arguments, daemon=True).start()

def ask(url):
    try:
        sources.check(url)
        download = sources.open(url)
        body = b"".join(download.chunks())
        download.close()
        return body.decode()
    except errors.BadRequest as error:
        return error.as_record().get("variant") or "bad_request"

sources = HttpSources(Rules(timeout_s=5))
said = {"plain": ask(f"http://{PUBLIC}/"), "named": ask("http://good.test/"), "before": ask("http://rebind.test/")}
hosts = [f"[{each}]" if ":" in each else each for each in HOSTILE]
hosts += ["localhost", "2130706433", "0x7f000001", "017700000001", "127.1", "0", "0x7f.0.0.1", "inside.test", "both.test", "rebind.test"]
urls = [f"http://{host}/" for host in hosts] + [f"http://{PUBLIC}/to/http://{host}/" for host in hosts]
urls += ["http://good.test/chain/3", "http://good.test/chain/9", "http://good.test@127.0.0.1/", "http://127.0.0.1#@good.test/", "http://127.0.0.1\\\\@good.test/"]
urls += ["file:///etc/passwd", "gopher://127.0.0.1/", "http://good.test:0/", "http:///", "http://127.0.0.1:80\\r\\nX: y/", "//127.0.0.1/", "http://[fe80::1%25lo]/"]
answers = dict(zip(urls, Pool(40).map(ask, urls)))  # each that cannot be reached takes a second
print(json.dumps({"said": said, "answers": answers, "reached": reached}))
"""
SET_UP = """
set -e
ip link set lo up
ip addr add 93.184.216.34/32 dev lo
ip addr add 93.184.216.35/32 dev lo
echo 'nameserver 93.184.216.35' > {folder}/resolv.conf
mount --bind {folder}/resolv.conf /etc/resolv.conf
exec {python} {folder}/hostile.py
"""


def test_no_hostile_address_name_or_redirect_reaches_this_machines_loopback(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    can = unshare and subprocess.run([unshare, "-n", "-m", "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0
    if not can:
        if os.environ.get("CI") == "true":
            pytest.fail("network namespaces are missing")
        pytest.skip("network namespaces need root and iproute2")
    (tmp_path / "hostile.py").write_text(HOSTILE)
    script = SET_UP.format(folder=tmp_path, python=sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([str(unshare), "-n", "-m", "sh", "-c", script], env=environment, cwd=ROOT, capture_output=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    report = json.loads(ended.stdout)
    assert report["said"] == {"plain": "hello", "named": "hello", "before": "hello"}
    assert len(report["answers"]) > 140 and "hello" not in report["answers"].values(), report["answers"]
    assert report["reached"] == []
