"""Keys with a role, limits and an expiry; and what a key that may do less is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask_socketio import SocketIO
from flask_socketio.test_client import SocketIOTestClient
from werkzeug.test import TestResponse

from backend.core.api_keys import ApiKey, KeyTable, digest_of, new_key
from backend.core.client_limits import ClientLimits
from backend.ports.peer import KEY as PEER
from backend.web.request import auth
from backend.web.request.context import KEY
from backend.web.socketio.handlers import SocketIOHandlers
from tests.fakes.peer import MemoryPeer
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
ALICE, BOB, OLGA = "key-of-alice", "key-of-bob", "key-of-olga"
FIGURES = {"queue", "oldest_queued_seconds", "encoders", "pid", "loop_delay_ms", "watched_jobs"}
PATHS = ("/api/health", "/api/health/ready", "/api/health/live")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Tenants(Web):
    """Alice has limits of her own, Bob's key ends in a minute, Olga is the operator."""

    def __init__(self, **rules: Any) -> None:
        self.table = KeyTable()
        facts = {"pid": 7, "loop_delay_ms": 0.1, "watched_jobs": 3}
        super().__init__(web_rules={"api_keys": self.table, "process_health": lambda: facts, **rules})
        alice = ApiKey(digest_of(ALICE), "alice", own_limits={"jobs": 7}, rate_limit=(2, 60))
        bob = ApiKey(digest_of(BOB), "bob", expires_at=self.here.context.clock() + 60)
        self.keys_are(alice, bob, ApiKey(digest_of(OLGA), "olga", role="operator"))
        self.table.are_set = True

    def keys_are(self, *keys: ApiKey) -> None:
        self.table.replace(keys)


@pytest.fixture
def tenants() -> Any:
    web = Tenants()
    yield web
    web.here.close()


def test_figures_of_everybodys_work_are_the_operators(tenants: Tenants, problem: Check) -> None:
    assert tenants.get("/metrics", headers=bearer(OLGA)).status_code == 200
    told = problem(tenants.get("/metrics", headers=bearer(ALICE)), 403, "unauthorized")
    assert "operator" in told["detail"]
    problem(tenants.get("/metrics"), 401, "unauthorized")
    problem(tenants.get("/metrics", headers=bearer("wrong-key")), 401, "unauthorized")


@pytest.mark.parametrize("path", PATHS)
def test_health_tells_figures_to_the_operator_and_how_it_is_to_everybody(tenants: Tenants, path: str) -> None:
    for headers in ({}, bearer(ALICE), bearer("wrong-key")):
        assert not FIGURES & set(tenants.get(path, headers=headers).json or ())
    told = tenants.get(path, headers=bearer(OLGA)).json or {}
    assert told["version"] and {"pid", "watched_jobs"} <= FIGURES & set(told)


def test_health_tells_figures_at_the_metrics_port() -> None:
    web = Tenants(metrics_port=9102)
    for port, is_told in ((9102, True), (5000, False)):
        assert ("queue" in (web.get("/api/health", environ_base={PEER: MemoryPeer(listener_port=port)}).json or {})) is is_told
    web.here.close()


def test_without_keys_everybody_reads_the_figures(web: Web) -> None:
    assert "queue" in (web.get("/api/health").json or {}) and web.get("/metrics").status_code == 200


def test_keys_of_a_plain_list_read_the_figures_as_ever() -> None:
    web = Web(keys=("a-secret-key",))
    assert "queue" in (web.get("/api/health", headers=bearer("a-secret-key")).json or {})
    assert "queue" not in (web.get("/api/health").json or {})


def test_an_operators_key_reads_nobodys_images(tenants: Tenants) -> None:
    job = tenants.upload(Authorization=f"Bearer {ALICE}")
    for path in ("", "/result", "/source", "/events"):
        assert tenants.get(f"/api/jobs/{job['id']}{path}", headers=bearer(OLGA)).status_code == 404


def test_an_expired_key_is_refused_and_told_so(tenants: Tenants, problem: Check) -> None:
    problem(tenants.get(f"/api/jobs/{'A' * 22}", headers=bearer(BOB)), 404, "not_found")
    tenants.here.clock.advance(60)
    told = problem(tenants.get("/api/jobs", headers=bearer(BOB)), 401, "unauthorized")
    assert "expired" in told["detail"]


def test_only_a_key_that_cannot_be_one_is_called_mistyped(tenants: Tenants, problem: Check) -> None:
    real = new_key(bytes(20))
    mistyped = problem(tenants.get("/api/jobs", headers=bearer(real[:-1] + "!")), 401, "unauthorized")
    unknown = problem(tenants.get("/api/jobs", headers=bearer(real)), 401, "unauthorized")
    assert "mistyped" in mistyped["detail"] and "mistyped" not in unknown["detail"]


@pytest.mark.parametrize("place", ["?key=", "?api_key=", "?access_token=", "?token=", "?authorization=Bearer+"])
def test_a_key_in_an_address_is_no_key(tenants: Tenants, place: str) -> None:
    """Addresses are logged by whatever they pass."""
    assert tenants.get(f"/api/jobs{place}{ALICE}").status_code == 401
    tenants.client.set_cookie("key", ALICE)
    assert tenants.get("/api/jobs").status_code == 401


def test_a_key_has_its_own_rate_and_limits(tenants: Tenants) -> None:
    answers = [tenants.post("/api/jobs", data=image(), headers=bearer(ALICE)) for _ in range(3)]
    assert [each.status_code for each in answers] == [202, 202, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=2;w=60'
    assert "RateLimit" not in tenants.post("/api/jobs", data=image(), headers=bearer(BOB)).headers
    for key, limits in ((ALICE, ClientLimits(jobs=7)), (BOB, ClientLimits())):
        with tenants.app.test_request_context(headers=bearer(key)):
            assert auth.client_limits() == limits


def test_a_keys_own_share_is_what_it_gets(tenants: Tenants, problem: Check) -> None:
    tenants.keys_are(ApiKey(digest_of(BOB), "bob", own_limits={"jobs": 2}), ApiKey(digest_of(OLGA), "olga"))
    first = [tenants.post("/api/jobs", data=image(), headers=bearer(BOB)).status_code for _ in range(2)]
    assert first == [202, 202]
    problem(tenants.post("/api/jobs", data=image(), headers=bearer(BOB)), 429, "quota_exceeded")
    assert tenants.post("/api/jobs", data=image(), headers=bearer(OLGA)).status_code == 202


def test_a_stream_ends_when_its_key_is_taken_away(tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.web.routes.job_events.TICK_S", 0.01)
    job = tenants.upload(Authorization=f"Bearer {ALICE}")
    response = tenants.client.get(f"/api/jobs/{job['id']}/events", headers=bearer(ALICE))
    pieces = iter(response.response)
    assert "retry" in str(next(pieces)) and job["id"] in str(next(pieces))
    tenants.keys_are()
    assert tenants.here.encode()
    assert list(pieces) == [], "what changed meanwhile is not told either"
    response.close()


def test_a_wait_that_outlives_its_key_ends_in_a_refusal(tenants: Tenants, problem: Check) -> None:
    job = tenants.upload(Authorization=f"Bearer {ALICE}")

    def take_away(*_: Any, **__: Any) -> Any:
        tenants.keys_are()
        return tenants.here.context.jobs.find(job["id"])

    object.__setattr__(tenants.app.extensions[KEY], "follower", type("Waiting", (), {"wait": take_away, "wait_for_end": take_away})())
    problem(tenants.get(f"/api/jobs/{job['id']}", headers={**bearer(ALICE), "Prefer": "wait=5", "If-None-Match": 'W/"1"'}), 401, "unauthorized")


# Socket.IO


@pytest.fixture
def connect(tenants: Tenants) -> Any:
    """A client of this key, and the handlers."""
    socketio = SocketIO(tenants.app, async_mode="threading", manage_session=False)
    handlers = SocketIOHandlers(socketio, tenants.app.extensions[KEY])
    handlers.install()

    def make(key: object) -> tuple[SocketIOTestClient, SocketIOHandlers]:
        return socketio.test_client(tenants.app, auth={"key": key}), handlers

    return make


@pytest.mark.parametrize("key", ["", "wrong-key", 7, None, "\ud800", ["key-of-alice"]])
def test_a_socket_without_a_right_key_is_refused(connect: Any, key: object) -> None:
    assert not connect(key)[0].is_connected()


def test_the_status_is_told_to_the_operators_socket_alone(connect: Any) -> None:
    alice, _ = connect(ALICE)
    refused = alice.emit("subscribe", {"status": True}, callback=True)
    assert (refused["ok"], refused["error"]["status"], refused["error"]["code"]) == (False, 403, "unauthorized")
    olga, _ = connect(OLGA)
    assert olga.emit("subscribe", {"status": True}, callback=True)["status"]["queue"]
    olga.disconnect()


def test_a_socket_is_closed_when_its_key_ends_or_is_taken_away(tenants: Tenants, connect: Any) -> None:
    alice, handlers = connect(ALICE)
    bob, _ = connect(BOB)
    handlers.disconnect_refused()
    assert alice.is_connected() and bob.is_connected()
    tenants.here.clock.advance(60)
    refused = bob.emit("subscribe", {"job": "A" * 22}, callback=True)
    assert refused["error"]["code"] == "unauthorized", "before it is closed"
    handlers.disconnect_refused()
    assert alice.is_connected() and not bob.is_connected()
    tenants.keys_are()
    handlers.disconnect_refused()
    assert not alice.is_connected()


def test_an_operator_who_becomes_a_client_is_sent_no_more_figures(tenants: Tenants, connect: Any) -> None:
    olga, handlers = connect(OLGA)
    olga.emit("subscribe", {"status": True}, callback=True)
    tenants.keys_are(ApiKey(digest_of(OLGA), "olga"))
    handlers.disconnect_refused()
    assert not olga.is_connected()
