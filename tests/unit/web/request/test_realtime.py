"""What a server that holds no connections open refuses, and all else that it serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.ports.peer import KEY, Hold
from backend.web.request.peer import UnknownPeer
from backend.web.routes import operations
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]
SOCKET_IO = "/socket.io/?EIO=4&transport=polling"
LASTING = [each.path for each in operations() if each.path.endswith(("/events", "/ws"))]
QUICK = [each.path for each in operations() if each.method == "GET" and each.path not in LASTING]


class Holding(UnknownPeer):
    def __init__(self, *kinds: Hold) -> None:
        self._kinds = kinds

    def can_hold(self, kind: Hold) -> bool:
        return kind in self._kinds


def ask(web: Web, path: str, peer: Holding, **headers: str) -> TestResponse:
    return web.ask("GET", path.replace("{", "").replace("}", ""), environ_overrides={KEY: peer}, headers=headers)


@pytest.mark.parametrize("path", [*LASTING, SOCKET_IO])
def test_what_would_stay_open_is_refused_with_the_cure_in_both_languages(web: Web, problem: Check, path: str) -> None:
    for language, cure in (("en", "start it with “./start.sh gateway”"), ("zh-CN", "用“./start.sh gateway”启动")):
        body = problem(ask(web, path, Holding(), **{"Accept-Language": language}), 501, "no_realtime")
        assert cure in body["detail"]


@pytest.mark.parametrize("path", QUICK)
def test_nothing_else_is_refused(web: Web, path: str) -> None:
    assert ask(web, path, Holding()).status_code != 501


@pytest.mark.parametrize(("path", "kind"), [("/api/jobs/x/events", "streams"), ("/api/jobs/x/ws", "websockets"), (SOCKET_IO, "sessions")])
def test_each_kind_is_asked_for_by_its_own_name(web: Web, path: str, kind: Hold) -> None:
    assert ask(web, path, Holding(kind)).status_code != 501


def test_an_upgrade_of_a_session_needs_websockets(web: Web, problem: Check) -> None:
    problem(ask(web, SOCKET_IO, Holding("sessions"), Upgrade="WebSocket", Connection="Upgrade"), 501, "no_realtime")


@pytest.mark.parametrize(("kinds", "applied"), [(("streams",), "wait=30"), ((), "wait=2")])
def test_a_wait_for_news_is_short_where_it_keeps_a_worker_from_the_others(web: Web, kinds: tuple[Hold, ...], applied: str) -> None:
    job = web.upload()
    answer = ask(web, f"/api/jobs/{job['id']}", Holding(*kinds), Prefer="wait=300")
    assert answer.headers["Preference-Applied"] == applied
