"""Two gateways on two hosts behind an nginx that is not sticky: every Socket.IO client works, whichever transports it takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis
import requests
import socketio

from backend.adapters.redis.client import KEY_PREFIX, connect
from backend.adapters.redis.presence import RedisPresence
from backend.adapters.redis.scripts import Scripts
from tests.support.images import photograph
from tests.support.redis_server import RedisServer
from tests.support.running import ENDED, ROOT, Gateway, free_port, wait_for
from tests.system.deploy.proxied import serving
from tests.system.ops.processes import gunicorn_master

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # python-socketio leaves broken sockets
]
SITE = """
map $http_upgrade $connection_header {{ default upgrade; '' close; }}
upstream gateways {{ {servers} }}
server {{
    listen 80;
    location / {{
        proxy_pass http://gateways;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_header;
        proxy_buffering off;
    }}
}}
"""
ROUNDS = 8


@dataclass
class World:
    gateways: list[Gateway]
    url: str
    server: RedisServer

    def finished_job(self) -> str:
        job = self.gateways[0].upload(photograph(320, 240))["id"]
        self.gateways[0].ended(job)
        return str(job)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, redis_binary: str, tool: Callable[[str], str]) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hosts")
    server = RedisServer(redis_binary, tmp_path_factory.mktemp("r"))
    server.start()
    gateways = []
    try:
        for name in ("a", "b"):
            settings = {"REDIS_URL": server.url, "GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1", "GATEWAY_PROXY_HOPS": "1"}
            gateway = Gateway(folder / name, **settings, GATEWAY_STORAGE_URL=f"file://{folder}/store", GATEWAY_LOG_FORMAT="json")
            gateway.environment["GATEWAY_PEER_ADDRESS"] = f"127.0.0.1:{gateway.port}"
            gateway.start()
            gateways.append(gateway)
        servers = " ".join(f"server 127.0.0.1:{each.port};" for each in gateways)
        (folder / "nginx").mkdir()
        with serving(tool("nginx"), SITE.format(servers=servers), folder / "nginx", "/api/health/live") as url:
            yield World(gateways, url, server)
    finally:
        for each in gateways:
            each.stop()
        server.kill()


def scripts(world: World, transports: str) -> dict[str, Any]:
    environment = {**os.environ, "GATEWAY_URL": world.url, "JOBS": world.finished_job(), "COUNT": str(ROUNDS), "TRANSPORTS": transports}
    command = ["node", str(ROOT / "tests/system/live/between_hosts.mjs")]
    said = subprocess.run(command, cwd=ROOT / "tests" / "page", env=environment, capture_output=True, text=True, timeout=120, check=True)
    return dict(json.loads(said.stdout))


def followed(url: str, job_id: str, transports: list[str] | None) -> bool:
    """Whether a python client sees the job's end."""
    client = socketio.Client(reconnection=False)
    ended = threading.Event()
    client.on("job", lambda job: ended.set() if job["state"] in ENDED else None)
    client.connect(url, wait_timeout=20, transports=transports)
    try:
        if client.call("subscribe", {"job": job_id}, timeout=20)["job"]["state"] in ENDED:
            ended.set()
        return ended.wait(30)
    finally:
        client.disconnect()


@pytest.mark.parametrize("transports", ["polling", "polling,websocket", "websocket"])
def test_the_official_javascript_client_works_each_time(transports: str, world: World) -> None:
    told = scripts(world, transports)
    assert (told["connected"], told["ended"], told["errors"]) == (ROUNDS, ROUNDS, [])
    if transports != "polling":
        assert set(told["transports"]) == {"websocket"}


@pytest.mark.parametrize("transports", [["polling"], None, ["websocket"]])
def test_the_official_python_client_works_each_time(transports: list[str] | None, world: World) -> None:
    job = world.finished_job()
    assert [followed(world.url, job, transports) for _ in range(ROUNDS)] == [True] * ROUNDS


def test_a_session_that_nobody_has_any_more_is_answered_with_the_reason(world: World) -> None:
    answer = requests.get(f"{world.url}/socket.io/", params={"EIO": "4", "transport": "polling", "sid": f"{'0' * 16}.{'a' * 24}"}, timeout=10)
    assert answer.status_code == 400
    assert "cannot be reached from here. Connect again." in answer.json() and "请重新连接" in answer.json()


def test_an_owner_that_cannot_be_reached_or_is_not_where_it_says_is_answered_with_the_reason(world: World) -> None:
    """The second: a request that was relayed once goes no further, so no two gateways send it to and fro."""
    one, other = world.gateways
    with connect(world.server.url) as client:
        presence = RedisPresence(Scripts(client, KEY_PREFIX))
        for number, address in enumerate((f"127.0.0.1:{free_port()}", f"127.0.0.1:{other.port}", f"127.0.0.1:{one.port}")):
            boot = f"{number:016x}"
            presence.announce(f"stranger-{number}", {"boot": boot, "address": address, "host": "elsewhere"}, 20)
            query = {"EIO": "4", "transport": "polling", "sid": f"{boot}.{'a' * 24}"}
            answer = requests.get(f"{one.url}/socket.io/", params=query, timeout=10)
            assert (answer.status_code, "Connect again." in answer.text) == (400, True)
            presence.leave("gateways", f"stranger-{number}")


def handshake(url: str, **headers: str) -> str:
    answer = requests.get(f"{url}/socket.io/", params={"EIO": "4", "transport": "polling"}, headers=headers, timeout=10)
    return str(json.loads(answer.text[1:])["sid"])


def test_the_owner_sees_the_client_and_believes_no_mark_that_it_did_not_make(world: World) -> None:
    one, other = world.gateways
    address, theirs = f"{other.url}/socket.io/?EIO=4&transport=polling&sid={handshake(one.url)}", {"X-Forwarded-For": "203.0.113.9"}
    sent = requests.post(address, data="40", headers=theirs, timeout=10)
    assert (sent.status_code, sent.text) == (200, "OK")
    polled = requests.get(address, headers={**theirs, "X-Gateway-Relayed": "0" * 64 + " WyIxLjIuMy40IiwgMV0="}, timeout=15)
    assert polled.status_code == 200 and "40" in polled.text
    wait_for(lambda: "203.0.113.9" in one.log.read_text(), 10, "for the owner's access log")
    assert "1.2.3.4" not in one.log.read_text()
    with redis.Redis.from_url(world.server.url) as client:
        secret = client.get("{webp-gateway}:relay:secret")
    assert isinstance(secret, bytes) and all(secret.decode() not in each.log.read_text() for each in world.gateways)


def test_clients_come_back_by_themselves_when_gateways_are_reloaded(world: World) -> None:
    job = world.gateways[0].upload(photograph(4000, 3000), method=6)["id"]
    clients, ends = [], []
    for transports in [["polling"]] * 6 + [None, ["websocket"]] * 2:
        client, ended = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1), threading.Event()
        client.on("job", lambda told, ended=ended: ended.set() if told["state"] in ENDED else None)

        def look(client: socketio.Client = client, ended: threading.Event = ended) -> None:
            answer = client.call("subscribe", {"job": job}, timeout=20)
            if answer["ok"] and answer["job"]["state"] in ENDED:
                ended.set()

        client.on("connect", lambda look=look: client_thread(look))
        client.connect(world.url, wait_timeout=20, transports=transports)
        clients.append(client)
        ends.append(ended)
    for gateway in world.gateways:
        gunicorn_master(gateway).send_signal(signal.SIGHUP)
        time.sleep(1)  # one host after the other, as a rolling upgrade does
    try:
        wait_for(lambda: gateway.job(job)["state"] == "succeeded", 60)
        for number, each in enumerate(ends):
            assert each.wait(40), f"client {number} of {[each.is_set() for each in ends]}"
    finally:
        for client in clients:
            client.disconnect()


def client_thread(look: Callable[[], None]) -> None:
    threading.Thread(target=quietly, args=[look], daemon=True).start()


def quietly(look: Callable[[], None]) -> None:
    try:
        look()
    except socketio.exceptions.SocketIOError:
        pass  # the connection was lost meanwhile; the next one asks again
