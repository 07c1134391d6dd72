"""The figures of the operator's page, sent to its readers once a second, and the history that is new to them.

A process collects them once for all of its readers, and only while it has one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from backend import errors
from backend.ports.history import Sample
from backend.web.request.context import WebContext
from backend.web.status.historian import EVERY_S as SAMPLE_EVERY_S
from backend.web.status.historian import newer, totals_since_ever
from backend.web.status.live_figures import LiveFigures

EVERY_S = 1.0
Send = Callable[[dict[str, Any]], None]


class LiveStatus:
    """One a process."""

    def __init__(self, web: WebContext) -> None:
        self._web = web
        self._figures = LiveFigures(web, EVERY_S)
        self._readers: dict[str, Send] = {}
        self._samples: list[Sample] = []
        self._read_at_s = 0.0
        self._sent_s = 0.0
        self._is_running = False

    def subscribe(self, name: str, send: Send) -> dict[str, Any]:
        """The figures now, with the whole ``history``. Later ones go to ``send``, with what is new of it."""
        self._readers[name] = send
        self._read_history()
        first = {**self.snapshot(), "history": newer(self._samples, 0.0)}
        if not self._is_running:
            self._is_running = True
            self._sent_s = self._newest_s()
            threading.Thread(target=self._run, name="status", daemon=True).start()
        return first

    def unsubscribe(self, name: str) -> None:
        self._readers.pop(name, None)

    def snapshot(self) -> dict[str, Any]:
        seen = self._figures.snapshot()
        newest = self._samples[-1] if self._samples else {}
        if newest.get("at", 0.0) > seen["at"] - 2 * SAMPLE_EVERY_S:
            seen["latencies"] |= _latencies_of(newest, seen["latencies"])
        if "totals" in seen:
            seen["totals"] = totals_since_ever(seen["totals"], newest.get("before", {}))
        if seen["disk"] is not None and "data_bytes" in newest:
            seen["disk"] = {**seen["disk"], "data_bytes": newest["data_bytes"]}
        return seen

    def _run(self) -> None:
        pause = threading.Event()
        while self._readers:
            pause.wait(EVERY_S)
            if self._web.context.clock() - self._read_at_s >= SAMPLE_EVERY_S / 2:
                self._read_history()
            seen = {**self.snapshot(), "history": newer(self._samples, self._sent_s)}
            self._sent_s = self._newest_s()
            for send in list(self._readers.values()):
                send(seen)
        self._figures.forget()
        self._is_running = False

    def _newest_s(self) -> float:
        return float(self._samples[-1]["at"]) if self._samples else 0.0

    def _read_history(self) -> None:
        """While Redis is away, what was read last is shown."""
        try:
            self._samples = self._web.context.history.samples()
            self._read_at_s = self._web.context.clock()
        except errors.BackendUnavailable:
            return


def _latencies_of(sample: Sample, seen: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Those that a process does not know yet, since it has begun to look just now."""
    unknown = [name for name, found in seen.items() if found is None and sample.get(name)]
    return {name: {"p50": sample[name][0], "p95": sample[name][1]} for name in unknown}
