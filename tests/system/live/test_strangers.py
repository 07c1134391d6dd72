"""Nobody sees another key's jobs: every route and event, asked by a stranger, answers as if the job did not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
import websocket

from tests.support.images import photograph
from tests.support.running import Gateway, running, wait_for

pytestmark = pytest.mark.e2e
ALICE, BOB = "alice-0123456789", "bob-9876543210"
ROUTES = [
    ("GET", "/api/jobs/{job}"),
    ("POST", "/api/jobs/{job}/cancel"),
    ("POST", "/api/jobs/{job}/retry"),
    ("DELETE", "/api/jobs/{job}"),
    ("GET", "/api/jobs/{job}/result"),
    ("HEAD", "/api/jobs/{job}/result"),
    ("GET", "/api/jobs/{job}/source"),
    ("GET", "/api/jobs/{job}/events"),
    ("GET", "/api/batches/{batch}"),
    ("GET", "/api/batches/{batch}/events"),
    ("GET", "/api/batches/{batch}/archive.zip"),
    ("POST", "/api/batches/{batch}/cancel"),
]


class Locked(Gateway):
    """A gateway that asks for keys, with one job and one batch of Alice's."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, GATEWAY_API_KEYS=f"{ALICE},{BOB}", GUNICORN_WORKERS="2")

    def ask(self, method: str, path: str, key: str | None) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return requests.request(method, self.url + path, headers=headers, timeout=20)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    gateway = Locked(tmp_path_factory.mktemp("locked") / "data")
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def ids(locked: Locked) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {ALICE}", "Prefer": "wait=20"}
    image = photograph(640, 480)
    job = requests.post(f"{locked.url}/api/jobs", data=image, headers=headers, timeout=30).json()
    parts = [("file", (f"{number}.jpg", image, "image/jpeg")) for number in range(2)]
    batch = requests.post(f"{locked.url}/api/jobs", files=parts, headers=headers, timeout=30).json()
    return {"job": job["id"], "batch": batch["id"]}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_strangers_job_looks_like_one_that_does_not_exist(locked: Locked, ids: dict[str, str], method: str, path: str) -> None:
    real = locked.ask(method, path.format(**ids), BOB)
    unknown = locked.ask(method, path.format(job="A" * 22, batch="A" * 22), BOB)
    assert real.status_code == unknown.status_code == 404
    if method != "HEAD":
        assert {**real.json(), "instance": ""} == {**unknown.json(), "instance": ""}


@pytest.mark.parametrize("key", [None, "wrong-key-0000", ALICE[:-1]])
@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("POST", "/api/jobs"), ("POST", "/api/convert")])
def test_without_a_right_key_every_route_is_refused_in_the_same_way(
    locked: Locked, ids: dict[str, str], method: str, path: str, key: str | None
) -> None:
    refused = locked.ask(method, path.format(**ids), key)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"].startswith("Bearer")
    if method != "HEAD":
        assert refused.json()["code"] == "unauthorized"


def test_the_owner_sees_her_own(locked: Locked, ids: dict[str, str]) -> None:
    assert locked.ask("GET", f"/api/jobs/{ids['job']}", ALICE).status_code == 200
    assert locked.ask("GET", f"/api/jobs/{ids['job']}/result", ALICE).status_code == 200
    assert locked.ask("GET", f"/api/batches/{ids['batch']}", ALICE).json()["total"] == 2


def test_socket_io_asks_for_a_key_at_connect(locked: Locked) -> None:
    for auth in (None, {}, {"key": "wrong-key-0000"}, {"key": 7}):
        client = socketio.Client(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(locked.url, auth=auth, wait_timeout=5)
        client.disconnect()


def test_socket_io_shows_a_strangers_job_as_unknown(locked: Locked, ids: dict[str, str]) -> None:
    client = socketio.Client(reconnection=False)
    heard: list[Any] = []
    client.on("*", lambda *what: heard.append(what))
    client.connect(locked.url, auth={"key": BOB})
    try:
        for event, message in (("subscribe", {"job": ids["job"]}), ("subscribe", {"batch": ids["batch"]}), ("cancel", {"job": ids["job"]})):
            answer = client.call(event, message)
            assert (answer["ok"], answer["error"]["code"]) == (False, "not_found")
    finally:
        client.disconnect()
    assert heard == []


def test_a_plain_websocket_of_a_stranger_is_refused(locked: Locked, ids: dict[str, str]) -> None:
    for header, status in (([f"Authorization: Bearer {BOB}"], 404), ([], 401)):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(f"{locked.url.replace('http', 'ws')}/api/jobs/{ids['job']}/ws", header=header, timeout=10)
        assert refused.value.status_code == status


ORIGINS = ["https://elsewhere.example", "http://127.0.0.1:1", "null", "http://localhost.evil.example", "file://"]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_foreign_page_cannot_open_a_session(gateway: Gateway, origin: str, transport: str) -> None:
    address = f"{gateway.url}/socket.io/?EIO=4&transport={transport}"
    if transport == "polling":
        assert requests.get(address, headers={"Origin": origin}, timeout=10).status_code == 403
    else:
        with pytest.raises(websocket.WebSocketBadStatusException):
            websocket.create_connection(address.replace("http", "ws", 1), origin=origin, timeout=10)
    assert requests.get(address.replace(transport, "polling"), headers={"Origin": gateway.url}, timeout=10).status_code == 200


def test_named_origins_may_call_from_their_pages(tmp_path: Path) -> None:
    friend = "https://friend.example"
    with running(tmp_path / "data", GATEWAY_ALLOWED_ORIGINS=friend, GUNICORN_WORKERS="1") as gateway:
        wait_for(lambda: requests.get(f"{gateway.url}/api/health", timeout=5).status_code == 200, 10)
        answer = requests.get(f"{gateway.url}/api/capabilities", headers={"Origin": friend}, timeout=10)
        assert answer.headers["Access-Control-Allow-Origin"] == friend and "Location" in answer.headers["Access-Control-Expose-Headers"]
        assert (
            "Access-Control-Allow-Origin"
            not in requests.get(f"{gateway.url}/api/capabilities", headers={"Origin": "https://no.example"}, timeout=10).headers
        )
        for origin in (friend, gateway.url):
            assert requests.get(f"{gateway.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}, timeout=10).status_code == 200
