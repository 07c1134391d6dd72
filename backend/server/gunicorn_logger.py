"""Gunicorn's logger. Its lines go where all others go, in the same form. An access line names its request and job, and never anything of
the query: that holds file names, addresses to fetch, keys, signatures, session ids.

Gunicorn's command line overrides the settings: ``--log-level``, ``--error-logfile`` and ``--access-logfile`` decide for every line.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from backend import logs
from backend.server.peer import peer_of
from backend.settings import Settings

JOB_PATH = re.compile(r"/api/jobs/([A-Za-z0-9_-]{22})(?:/|$)")
QUIET = frozenset(("/api/health", "/api/health/live", "/api/health/ready", "/metrics"))
"""Machines ask these every few seconds. Only failures are logged."""


class GatewayLogger(Logger):  # type: ignore[misc]
    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        settings = Settings.from_environment()
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), self.LOG_LEVELS["info"])
        logs.configure(logs.Style(settings.log_format, cfg.loglevel, cfg.errorlog, cfg.accesslog, settings.log_max_bytes, settings.log_files))

    def access_log_enabled(self) -> bool:
        return self.cfg.accesslog is not None

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        if self.cfg.accesslog is None:
            return
        path, status = environ.get("PATH_INFO", ""), int(str(resp.status).split(None, 1)[0] if resp.status else 0)
        if path in QUIET and status < 400:
            return
        peer = peer_of(environ)
        fields = {
            "address": environ.get("REMOTE_ADDR", ""),
            "method": environ.get("REQUEST_METHOD", ""),
            "path": (environ.get("RAW_URI") or path).partition("?")[0],
            "status": status,
            "bytes": resp.sent or resp.response_length or 0,
            "milliseconds": round(request_time.total_seconds() * 1000, 1),
            "agent": environ.get("HTTP_USER_AGENT", "")[:200],
            "request": peer.notes.get("request", "") if peer else "",
        }
        if job := JOB_PATH.match(path):
            fields["job"] = job[1]
        shown = '{address} "{method} {path}" {status} {bytes} {milliseconds} ms "{agent}"'.format(**fields)
        self.access_log.info("%s", shown, extra={"fields": {name: value for name, value in fields.items() if value != ""}})

    def reopen_files(self) -> None:
        logs.reopen()

    def close_on_exec(self) -> None:
        """Nothing to do: all descriptors here are close-on-exec from the start."""
