"""Two tenants and an operator at one real gateway, and what each of them was told, as dictionaries. ``Judge`` reads every answer with these.

Nothing here asks the gateway what is whose: a thing belongs to the one whose request made it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import socketio
from PIL import Image

from tests.support.running import Gateway, wait_for

TENANTS = ("alice", "bob")
OPERATOR = "olga"
EVERYBODY = (*TENANTS, OPERATOR)
COLOURS = {"alice": (200, 30, 30), "bob": (30, 30, 200), "olga": (30, 200, 30), "shared": (128, 128, 128)}
SIDE = 16
RATE_A_DAY = 1_000_000
RELOADED_WITHIN_S = 15.0
"""Stated: two seconds. The machine may be busy."""
FIGURES = ("queue", "oldest_queued_seconds", "encoders", "pid", "loop_delay_ms", "watched_jobs")
TUS = {"Tus-Resumable": "1.0.0"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}


def picture(whose: str, number: int) -> bytes:
    """A few bytes whose colour tells whose it is."""
    out = io.BytesIO()
    image = Image.new("RGB", (SIDE + number, SIDE), COLOURS[whose])
    image.save(out, "PNG")
    return out.getvalue()


def is_of(result: bytes, owner: str) -> bool:
    with Image.open(io.BytesIO(result)) as image:
        seen = image.convert("RGB").getpixel((3, 3))
    assert isinstance(seen, tuple)
    return any(all(abs(a - b) < 24 for a, b in zip(seen, COLOURS[each], strict=True)) for each in (owner, "shared"))


@dataclass
class Held:
    """What one key made. ``jobs``: id → whether its end is known. ``parts``: partial uploads that are complete."""

    jobs: dict[str, bool] = field(default_factory=dict)
    batches: dict[str, list[str]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    once: dict[str, str] = field(default_factory=dict)
    left: int | None = None
    """Of its rate, as it was told last."""


class World:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.toml"
        self.keys = {name: f"key-of-{name}-{secrets.token_urlsafe(12)}" for name in EVERYBODY}
        self.roles = {name: "operator" if name == OPERATOR else "client" for name in EVERYBODY}
        self.state = dict.fromkeys(EVERYBODY, "valid")
        self.held = {name: Held() for name in EVERYBODY}
        self.owner_of: dict[str, str] = {}
        self.sockets: dict[str, Socket] = {}
        self.steps = self.changed_at = 0
        self.write()
        rules = {"GUNICORN_WORKERS": "3", "GATEWAY_ENCODERS": "1", "GATEWAY_SHARE_RESULTS": "on", "GUNICORN_MAX_REQUESTS": "0"}
        self.gateway = Gateway(folder / "data", GATEWAY_API_KEYS_FILE=str(self.file), GATEWAY_MAX_QUEUED_JOBS="100000", **rules)
        self.gateway.start()
        self.judge = Judge(self)

    def close_sockets(self) -> None:
        while self.sockets:
            self.sockets.popitem()[1].close()

    # Keys

    def write(self) -> None:
        """The file as ``state`` and ``roles`` say it, put in the earlier one's place."""
        tables = ['[keys.nobody]\nsha256 = "' + "0" * 64 + '"\n']
        for name, state in self.state.items():
            if state != "removed":
                digest = hashlib.sha256(self.keys[name].encode()).hexdigest()
                expires = "expires = 2020-01-01\n" if state == "expired" else ""
                tables.append(f'[keys.{name}]\nsha256 = "{digest}"\nrole = "{self.roles[name]}"\nrate = "{RATE_A_DAY}/day"\n{expires}')
        other = self.file.with_suffix(".new")
        other.write_text("".join(tables))
        other.rename(self.file)

    def reload(self, name: str) -> None:
        """Until every worker has the new file: each that is asked by a new connection says the same, many times."""
        self.write()
        expected = self.expected_figures(name)
        wait_for(lambda: all(self.ask(name, "GET", "/metrics").status_code == expected for _ in range(12)), RELOADED_WITHIN_S, "for the new keys")
        socket = self.sockets.get(name)
        if socket is not None and (self.state[name] != "valid" or (socket.reads_figures and expected == 403)):
            wait_for(lambda: not socket.client.connected, RELOADED_WITHIN_S, "for the socket to be closed")
            self.sockets.pop(name).close()

    def expected_figures(self, name: str) -> int:
        return 401 if self.state[name] != "valid" else 200 if self.roles[name] == "operator" else 403

    def valid(self, names: Iterable[str] = EVERYBODY) -> list[str]:
        return [name for name in names if self.state[name] == "valid"]

    # Requests

    def ask(self, who: str, method: str, path: str, **given: Any) -> requests.Response:
        """By a new connection, so by any worker. ``who``: a key's name, or ``""`` for none, or any text for a wrong key."""
        key = self.keys.get(who, who)
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **given.pop("headers", {})}
        with requests.Session() as session:
            response = session.request(method, self.gateway.url + path, headers=headers, timeout=60, allow_redirects=False, **given)
        if hasattr(self, "judge"):
            self.judge.read(who, response)
        return response

    def take(self, name: str, job_id: str) -> None:
        self.owner_of[job_id] = name
        self.held[name].jobs.setdefault(job_id, False)

    def socket(self, name: str) -> Socket:
        if name not in self.sockets:
            self.sockets[name] = Socket(self, name)
        return self.sockets[name]


class Socket:
    """A tenant's Socket.IO client. All that it hears is judged."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name
        self.heard: list[Any] = []
        self.reads_figures = False
        self.client = socketio.Client(reconnection=False)
        self.client.on("*", lambda *what: self.heard.append(what))
        self.client.connect(world.gateway.url, auth={"key": world.keys[name]}, transports=["websocket"])
        self._plain = self.client.eio.ws

    def call(self, event: str, message: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.call(event, message, timeout=30)
        self._world.judge.read_text(self._name, json.dumps(answer))
        return dict(answer)

    def judge(self) -> None:
        heard, self.heard = self.heard, []
        for name, *payload in heard:
            self._world.judge.read_text(self._name, json.dumps(payload))
            assert name != "status" or self._world.roles[self._name] == "operator"
            if name in ("job", "batch"):
                assert self._world.owner_of[payload[0]["id"]] == self._name

    def close(self) -> None:
        self.client.disconnect()
        self._plain.shutdown()  # ``close`` leaves a socket that the server closed first


class Judge:
    """Finds in an answer what its reader must not see: an id, a name or a digest of somebody else, or a figure of everybody's work."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: Counter[int] = Counter()
        self._digests = [hashlib.sha256(key.encode()).hexdigest() for key in world.keys.values()]

    def read(self, reader: str, response: requests.Response) -> None:
        assert response.status_code < 500 or response.status_code in (503, 504), (reader, response.request.path_url, response.text[:300])
        self.answers[response.status_code] += 1
        kind = response.headers.get("Content-Type", "")
        text = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        if not kind.startswith(("image/", "application/zip")):
            text += "\n" + response.text
        self.read_text(reader, text)
        self._read_rate(reader, response)
        if kind.startswith("application/json") and "/api/health" in str(response.request.path_url):
            is_told = any(name in response.json() for name in FIGURES)
            assert is_told == (self._world.roles.get(reader) == "operator" and self._world.state[reader] == "valid")

    def read_text(self, reader: str, text: str) -> None:
        for token in re.findall(r"[A-Za-z0-9_-]{22,}", text):
            assert self._world.owner_of.get(token, reader) == reader, f"{reader} sees {self._world.owner_of[token]}'s {token}"
        for name in EVERYBODY:
            assert name == reader or f"{name}~" not in text, f"{reader} sees a file name of {name}"
            assert self._world.keys[name] not in text, "a key"
        assert not any(each in text for each in self._digests), "a key's digest"

    def _read_rate(self, reader: str, response: requests.Response) -> None:
        """What is left of a rate goes down by each request of its own key, and by nobody else's."""
        found = re.search(r";r=(\d+);", response.headers.get("RateLimit", ""))
        if found and reader in self._world.held:
            held, left = self._world.held[reader], int(found[1])
            assert held.left is None or left == held.left - 1 or left == RATE_A_DAY - 1, f"{reader}: {held.left} → {left}"
            held.left = left


def unknown_id() -> str:
    return secrets.token_urlsafe(16)


def comparable(response: requests.Response) -> tuple[int, dict[str, str], str]:
    """What two answers must have in common: all but the request's own number, the time, and the reader's own rate. Whether a connection is kept
    depends on whether the body had come when the refusal was written."""
    own = {"Date", "X-Request-Id", "RateLimit", "Server-Timing", "Connection"}
    headers = {name: value for name, value in response.headers.items() if name not in own}
    return response.status_code, headers, response.text.replace(response.headers["X-Request-Id"], "…")


def differences(one: requests.Response, other: requests.Response) -> list[object]:
    (status, headers, text), (its_status, its_headers, its_text) = comparable(one), comparable(other)
    pairs = [(status, its_status), (text, its_text), *((headers.get(each), its_headers.get(each)) for each in sorted({*headers, *its_headers}))]
    return [pair for pair in pairs if pair[0] != pair[1]]


def named(owner: str) -> str:
    """A file's name that tells whose it is."""
    return f"{owner}~{secrets.token_hex(4)}.png"
