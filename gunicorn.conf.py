"""Gunicorn's configuration, made from the same settings as everything else.

``gunicorn --config gunicorn.conf.py run:application`` works by itself. The command line overrides this file; this file overrides Gunicorn's
defaults. Without ``REDIS_URL`` and without a supervisor, the master starts an embedded Redis and encoders too (``on_starting``). With
``REDIS_URL``, and as a role of ``./start.sh``, it is a gateway alone.

The master loads the application once, and its workers share it (``backend/server/preload``). SIGHUP executes the master anew, for new code and new
settings (``backend/server/reexec``). ``preload_app`` must stay off: it would start the application, with its connections, in the master.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from backend import texts
from backend.errors import SettingsError
from backend.server import preload, reexec
from backend.server.import_filter import without_clients
from backend.settings import Settings, problem_lines
from backend.settings.role_environment import encoder_environment
from backend.start_block import address
from backend.supervisor import ControllingTerminal
from backend.terminal import is_terminal, say
from backend.texts import operator

try:
    _settings = Settings.from_environment()
except SettingsError as wrong:
    print("\n".join(problem_lines(wrong)), file=sys.stderr)
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
sendfile = False  # gevent's copies 8 KiB at a time; the application sends 256 KiB blocks
control_socket_disable = True
backlog = _settings.backlog
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
logger_class = "backend.server.gunicorn_logger.GatewayLogger"
loglevel = _settings.log_level
errorlog = _settings.log_style["error"]
accesslog = _settings.log_style["access"]
proc_name = "webp-gateway"
if os.access("/dev/shm", os.W_OK):
    worker_tmp_dir = "/dev/shm"  # for the heartbeat's file: a slow disk must not make a worker look dead


TERMINAL = ControllingTerminal()
WORKERS_DIR = "GATEWAY_WORKERS_DIR"
COMPANIONS_GRACE_S = 15
SHOWN = {
    "GUNICORN_WORKERS": "workers",
    "GUNICORN_WORKER_CONNECTIONS": "worker_connections",
    "GUNICORN_TIMEOUT": "timeout",
    "GUNICORN_GRACEFUL_TIMEOUT": "graceful_timeout",
    "GUNICORN_KEEPALIVE": "keepalive",
    "GUNICORN_MAX_REQUESTS": "max_requests",
    "GUNICORN_MAX_REQUESTS_JITTER": "max_requests_jitter",
    "GUNICORN_BACKLOG": "backlog",
}
ASGI_CLASSES = ("asgi", "uvicorn")
SHORT_BYTES = 40  # a unix socket in it has a path of at most 100 bytes


def on_starting(server):
    """Without a supervisor, make the folder that the workers share (their sockets, and counts that outlive a worker), and start the companions."""
    if server.cfg.preload_app:
        server.log.error("preload_app cannot be used: connections belong to one process. Leave it off; memory is shared without it.")
        sys.exit(2)
    if any(word in server.cfg.worker_class_str.lower() for word in ASGI_CLASSES):
        server.log.error("run:app is a WSGI application: worker class %s cannot serve it. Leave -k out.", server.cfg.worker_class_str)
        sys.exit(2)
    server.companions = []
    reexec.handle_reload_last(server)
    if reexec.adopt(server):
        return
    if "GATEWAY_RUN_DIR" not in os.environ:
        folder = tempfile.gettempdir()
        os.environ[WORKERS_DIR] = tempfile.mkdtemp(prefix="webp-gateway-", dir=folder if len(folder) <= SHORT_BYTES else "/tmp")

    _log_values(server)
    if _settings.redis_url and os.environ.get("GATEWAY_SUPERVISED", "no") == "no":
        watch = [sys.executable, "-c", _LAUNCH, _ROOT, "watch-redis", str(os.getpid())]
        server.companions.append(os.posix_spawn(sys.executable, watch, os.environ, setsid=True))
    if _settings.redis_url is None and "GATEWAY_SUPERVISED" not in os.environ and not getattr(sys, "frozen", False):
        command = [sys.executable, "-c", _LAUNCH, _ROOT, "companions", str(os.getpid())]
        own = encoder_environment(os.environ, has_bucket=_settings.has_bucket)
        server.companions.append(os.posix_spawn(sys.executable, command, own, setsid=True))


_LAUNCH = "import sys; sys.path.insert(0, sys.argv[1]); from backend.cli import main; sys.exit(main(sys.argv[2:]))"
_LOAD = "import sys; sys.path.insert(0, sys.argv[1]); from gevent import monkey; monkey.patch_all(); from backend import app; app.make_ahead()"
_ROOT = str(Path(__file__).resolve().parent)


def when_ready(server):
    """Load what the workers share, and tell somebody who started a role on a terminal, where Gunicorn's own lines are not shown."""
    if preload.suits(server):
        preload.import_once(_load)
    if reexec.replace_workers(server):
        return
    if os.environ.get("GATEWAY_SUPERVISED") != "1" and is_terminal(sys.stdout):
        say(texts.text("start.listening", operator.language(), address=address(_settings)))


def _load():
    with without_clients():
        from backend import app
    app.make_ahead()


def on_reload(server):
    """SIGHUP also comes when the terminal is closed: then it is the end."""
    if TERMINAL.is_gone():
        os.kill(os.getpid(), signal.SIGTERM)
    _log_values(server)
    if preload.suits(server) and not getattr(sys, "frozen", False):
        if preload.runs([sys.executable, "-c", _LOAD, _ROOT]):
            reexec.execute_again(server)
        else:
            server.log.error("the new code cannot be loaded; the workers that follow have the old one")


def _log_values(server):
    """The values in effect, whether from the command line, the environment or the defaults."""
    values = " ".join(f"{name}={getattr(server.cfg, attribute)}" for name, attribute in SHOWN.items())
    server.log.info("%s worker_class=%s bind=%s", values, server.cfg.worker_class_str, ",".join(map(str, server.cfg.bind)))


def on_exit(server):
    for companions in getattr(server, "companions", ()):
        _stop(companions)
    if WORKERS_DIR in os.environ:
        shutil.rmtree(os.environ[WORKERS_DIR], ignore_errors=True)


def _stop(process):
    """SIGTERM, then SIGKILL. Gunicorn may have reaped the process already, as it does with every child of the master."""
    try:
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + COMPANIONS_GRACE_S
        while not os.waitpid(process, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                os.kill(process, signal.SIGKILL)
            time.sleep(0.05)
    except (ProcessLookupError, ChildProcessError):
        pass


def pre_exec(server):
    """SIGUSR2 after ``python -m gunicorn`` must use ``-m`` again: run as a script, ``__main__.py`` would put gunicorn's ``http`` before Python's."""
    arguments = server.START_CTX["args"]
    if len(arguments) > 1 and os.path.basename(arguments[1]) == "__main__.py":
        arguments[1:2] = ["-m", "gunicorn"]
