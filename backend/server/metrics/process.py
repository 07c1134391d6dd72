"""What a worker measures of itself once a second: connections by kind, memory, processor time, the loop's delays."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections import Counter

from backend.server.connection import Connection, Connections
from backend.server.metrics.loop_lag import BUCKETS_MS, lag
from backend.server.metrics.shared_counters import counters
from backend.server.socketio import sessions

KINDS = ("http", "socketio", "polling", "websocket", "sse")
"""``http`` is every connection that is none of the others. ``polling`` counts Socket.IO sessions, which hold a connection only now and then."""
STARTED_S = time.time()


class ProcessMetrics:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._cpu_s = 0.0
        self._lag_counts = [0] * len(BUCKETS_MS)
        self._lag_sum_ms = 0.0

    def update(self) -> None:
        kinds = Counter(kind_of(each) for each in self._connections.all)
        kinds["polling"] = sessions.installed.polling_count() if sessions.installed is not None else 0
        for kind in KINDS:
            counters.set(f"sockets:{kind}", kinds[kind])
        counters.set("resident_bytes", resident_bytes())
        counters.set("started_at", STARTED_S)
        self._add_cpu()
        self._add_lag()

    def _add_cpu(self) -> None:
        used_s = sum(os.times()[:2])
        counters.add("cpu_s", used_s - self._cpu_s)
        self._cpu_s = used_s

    def _add_lag(self) -> None:
        for bound_ms, now, before in zip(BUCKETS_MS, lag.counts, self._lag_counts, strict=True):
            if now > before:
                counters.add(f"loop_delay:le:{bound_ms / 1000}", now - before)
        counters.add("loop_delay:sum", (lag.sum_ms - self._lag_sum_ms) / 1000)
        self._lag_counts, self._lag_sum_ms = list(lag.counts), lag.sum_ms


def kind_of(connection: Connection) -> str:
    if connection.websocket is not None:
        ours = sessions.installed
        return "socketio" if ours is not None and connection.websocket.path == ours.path else "websocket"
    return "sse" if connection.is_event_stream else "http"


def resident_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
