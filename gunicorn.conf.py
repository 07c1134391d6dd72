"""Gunicorn's configuration, from the same environment as everything else. ``gunicorn --config gunicorn.conf.py run:application``
works by itself; the command line overrides this file, this file overrides Gunicorn's defaults.

No ``preload_app``: the arbiter would be patched for gevent after it has begun to wait for signals, and never notice a dead worker.
"""

import os
import shutil
import sys
import tempfile

from backend.errors import SettingsError
from backend.settings import Settings

try:
    _settings = Settings.from_environment()
except SettingsError as wrong:
    print("\n".join(wrong.problems), file=sys.stderr)
    sys.exit(2)



def _address(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


bind = [_address(_settings.host, _settings.port), *([_address(*_settings.metrics_bind)] if _settings.metrics_bind else [])]
workers = _settings.workers
worker_class = "backend.server.worker.BoundedGeventWebSocketWorker"
worker_connections = _settings.worker_connections
timeout = _settings.timeout_s
graceful_timeout = _settings.graceful_timeout_s
keepalive = _settings.keepalive_s
max_requests = _settings.max_requests
max_requests_jitter = _settings.max_requests_jitter
preload_app = False
control_socket_disable = True
backlog = 2048
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
logger_class = "backend.server.log.GatewayLogger"
loglevel = _settings.log_level
errorlog = _settings.log_style["error"]
accesslog = _settings.log_style["access"]
proc_name = "webp-gateway"


WORKERS_DIR = "GATEWAY_WORKERS_DIR"
SHORT_BYTES = 40  # a unix socket in it has a path of at most 100 bytes


def on_starting(server):
    """Without a supervisor, the workers share a folder of this master's: sockets among them, and counts that outlive each of them."""
    if server.cfg.preload_app:
        server.log.error("preload_app cannot be used with gevent: dead workers would not be replaced. Leave it off.")
        sys.exit(2)
    if "GATEWAY_RUN_DIR" not in os.environ:
        folder = tempfile.gettempdir()
        os.environ[WORKERS_DIR] = tempfile.mkdtemp(prefix="webp-gateway-", dir=folder if len(folder) <= SHORT_BYTES else "/tmp")


def on_exit(server):
    if WORKERS_DIR in os.environ:
        shutil.rmtree(os.environ[WORKERS_DIR], ignore_errors=True)
