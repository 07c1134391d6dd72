"""The operator's page: readable by all, figures only for watchers; what they are reckoned from."""

from __future__ import annotations

import threading
from typing import Any

from backend.web.request.context import KEY
from backend.web.socketio.live_status import LiveStatus
from backend.web.status.live_figures import quantiles
from tests.fakes.waiting import until
from tests.unit.web.conftest import Web


def live_status(web: Web) -> LiveStatus:
    return LiveStatus(web.app.extensions[KEY])


def test_the_page_itself_holds_no_figures_and_speaks_the_readers_language(web: Web) -> None:
    web.finished()
    for language, heading in (("en", "The gateway at work"), ("zh-CN", "网关运行状态")):
        page = web.get("/status", headers={"Accept-Language": language})
        assert heading in page.text and '<p class="tile-now"></p>' in page.text
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_watcher_sees_jobs_by_state_and_later_changes_until_it_goes(web: Web) -> None:
    figures = live_status(web)
    told: list[dict[str, Any]] = []
    web.finished()
    seen = figures.subscribe("one", told.append)
    assert seen["jobs"]["succeeded"] == 1 and seen["queue"]["waiting"] == 0 and seen["redis"] is True
    web.upload()
    until(lambda: told and told[-1]["queue"]["waiting"] == 1)
    figures.unsubscribe("one")
    until(lambda: not [each for each in threading.enumerate() if each.name == "status"])
    assert figures.snapshot()["totals"]["created"] == 2


def test_latencies_are_of_what_was_added_since_then() -> None:
    before = {0.1: 100.0, 1.0: 100.0, float("inf"): 100.0}
    now = {0.1: 100.0, 1.0: 110.0, float("inf"): 110.0}
    assert quantiles(now, before) == {"p50": 0.55, "p95": 0.955}
    assert quantiles(now, now) is None
    assert quantiles({}, {}) is None
    assert quantiles({1.0: 0.0, float("inf"): 4.0}, {}) == {"p50": 1.0, "p95": 1.0}
