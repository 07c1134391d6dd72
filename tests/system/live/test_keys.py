"""The file of keys at a real gateway with several workers: made by the command, changed while it runs, and what that does to open connections."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
import websocket

from tests.support.images import photograph
from tests.support.running import Gateway, wait_for
from tests.system.ops.processes import workers

pytestmark = pytest.mark.e2e
Connect = Callable[..., socketio.Client]
COUNTS_WITHIN_S = 5.0
"""What the documentation states. A busy machine gets as much again."""
BUSY_S = 5.0


class Keyed(Gateway):
    """A gateway with a file of keys, each made by ``./start.sh key``."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.toml"
        super().__init__(folder / "data", GATEWAY_API_KEYS_FILE=str(self.file), GUNICORN_WORKERS="3", GATEWAY_ENCODERS="1")

    def make(self, name: str, *options: str) -> str:
        command = [self.program, "key", name, "--file", self.file.name, *options]
        said = subprocess.run(command, cwd=self.file.parent, capture_output=True, text=True, timeout=300, check=True)
        return said.stdout.strip()

    def ask(self, key: str, path: str, method: str = "GET", **given: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}", **given.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=40, **given)

    def counts_everywhere(self, key: str, status: int) -> None:
        """Every worker answers so: many new connections in a row do."""
        within_s = COUNTS_WITHIN_S + BUSY_S
        wait_for(lambda: all(self.ask(key, "/api/jobs").status_code == status for _ in range(20)), within_s, f"for {status}")

    def write(self, text: str) -> None:
        """Another file in its place, as a careful editor does."""
        other = self.file.with_suffix(".new")
        other.write_text(text)
        other.rename(self.file)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    gateway = Keyed(tmp_path_factory.mktemp("keyed"))
    gateway.make("first", "--role", "operator")
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def connect(keyed: Keyed) -> Iterator[Connect]:
    """A Socket.IO client with this key. When the server closes it, the official client forgets its own socket; so that is closed here."""
    held: list[Any] = []

    def make(key: str, on_end: Callable[[], None]) -> socketio.Client:
        client = socketio.Client(reconnection=False)
        client.on("disconnect", lambda *_: on_end())
        client.connect(keyed.url, auth={"key": key}, transports=["websocket"])
        held.append(client.eio.ws)
        return client

    yield make
    for each in held:
        each.shutdown()


def polling_session(gateway: Gateway, key: str) -> str:
    """The address of a Socket.IO session by long polling, connected with this key (Engine.IO 4, Socket.IO 5)."""
    address = f"{gateway.url}/socket.io/?EIO=4&transport=polling"
    address += f"&sid={json.loads(requests.get(address, timeout=10).text[1:])['sid']}"
    assert requests.post(address, data="40" + json.dumps({"key": key}), timeout=10).text == "OK"
    assert requests.get(address, timeout=10).text.startswith("40{")
    return address


def answers(gateway: Keyed, key: str) -> int:
    with contextlib.suppress(requests.ConnectionError):
        return gateway.ask(key, "/api/jobs").status_code
    return 0


def test_a_key_that_is_added_counts_in_every_worker_without_a_restart(keyed: Keyed) -> None:
    before = {each.pid for each in keyed.find("gunicorn")}
    key = keyed.make("added")
    keyed.counts_everywhere(key, 200)
    assert {each.pid for each in keyed.find("gunicorn")} == before


def test_a_key_that_is_removed_loses_its_requests_its_sockets_and_its_streams(keyed: Keyed, connect: Connect) -> None:
    without = keyed.file.read_text()
    key = keyed.make("removed")
    keyed.counts_everywhere(key, 200)
    busy = [keyed.ask(key, "/api/jobs?lossless=true&method=6", "POST", data=photograph(3000, 2000)).json() for _ in range(6)]
    job = busy[-1]["id"]
    ends: dict[str, float] = {}

    def noted(name: str) -> None:
        ends[name] = time.monotonic()

    assert connect(key, lambda: noted("socketio")).call("subscribe", {"job": job})["ok"]
    address = polling_session(keyed, key)
    plain = websocket.create_connection(f"{keyed.url.replace('http', 'ws')}/api/jobs/{job}/ws", header=[f"Authorization: Bearer {key}"], timeout=30)

    def read_plain() -> None:
        while True:
            opcode, data = plain.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                assert int.from_bytes(data[:2]) in (1008, 1000)
                noted("ws")
                return

    def read_events(path: str, name: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        with requests.Session() as session, session.get(keyed.url + path, headers=headers, stream=True, timeout=40) as response:
            for _ in response.iter_content(1024):
                pass
        noted(name)

    def poll() -> None:
        while "41" not in requests.get(address, timeout=40).text.split("\x1e"):
            pass
        noted("polling")

    def wait_long() -> None:
        response = keyed.ask(key, f"/api/jobs/{job}", headers={"Prefer": "wait=30", "If-None-Match": f'W/"{busy[-1]["seq"]}"'})
        if response.status_code == 401:
            noted("wait")

    reads = [(poll, ()), (read_plain, ()), (read_events, (f"/api/jobs/{job}/events", "sse")), (wait_long, ())]
    threads = [threading.Thread(target=call, args=arguments, daemon=True) for call, arguments in reads]
    for each in threads:
        each.start()
    time.sleep(0.5)
    keyed.write(without)
    removed = time.monotonic()
    wait_for(lambda: len(ends) == 5, COUNTS_WITHIN_S + BUSY_S, f"for all of them to end: {ends}")
    print({name: round(at - removed, 2) for name, at in ends.items()})
    keyed.counts_everywhere(key, 401)
    for each in threads:
        each.join(10)
    plain.shutdown()


def test_a_key_that_expires_is_told_so_and_its_socket_ends(keyed: Keyed, connect: Connect) -> None:
    ends_at = time.gmtime(time.time() + 8)
    key = keyed.make("guest", "--expires", time.strftime("%Y-%m-%dT%H:%M:%SZ", ends_at))
    keyed.counts_everywhere(key, 200)
    client = connect(key, lambda: None)
    keyed.counts_everywhere(key, 401)
    assert "expired" in keyed.ask(key, "/api/jobs").json()["detail"]
    wait_for(lambda: not client.connected, COUNTS_WITHIN_S + BUSY_S, "for the socket to end")


def test_a_broken_file_changes_nothing_and_is_told_in_log_and_metrics(keyed: Keyed) -> None:
    """A worker that begins meanwhile has the earlier keys too."""
    whole = keyed.file.read_text()
    key = keyed.make("kept", "--role", "operator")
    keyed.counts_everywhere(key, 200)
    for broken in (whole + "[keys.bob]\njobs = 5\n", "", whole.replace("sha256", "sha265")):
        keyed.write(broken)
        wait_for(lambda: "gateway_api_keys_stale 1.0" in keyed.ask(key, "/metrics").text, COUNTS_WITHIN_S + BUSY_S)
        for each in workers(keyed):
            each.kill()
        wait_for(lambda: answers(keyed, key) == 200, 40, "for a worker that began without a usable file")
        assert keyed.ask(key, "/api/jobs").status_code == 200 and requests.get(f"{keyed.url}/api/jobs", timeout=10).status_code == 401
    log = keyed.log.read_text()
    assert "GATEWAY_API_KEYS_FILE has changed and cannot be used" in log and "keys.bob.sha256" in log
    keyed.write(whole)
    keyed.counts_everywhere(key, 401)


def test_no_key_stands_in_a_log_or_in_a_process(keyed: Keyed) -> None:
    """Only digests are held. A key that was sent may still be in a buffer, so another is looked for: one that nobody sent."""
    key = keyed.make("unsent")
    time.sleep(COUNTS_WITHIN_S)
    assert key not in keyed.log.read_text() and key not in keyed.file.read_text()
    for each in keyed.find("gunicorn"):
        assert key not in json.dumps([each.cmdline(), each.environ()])
