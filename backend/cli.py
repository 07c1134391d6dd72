"""The commands behind ``start.sh``: run everything, run one role, check, ask for health, make a key. ``usage`` lists them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import __version__, key_command, preflight, redis_role, start_block, texts, usage
from backend.data_folder import lock_data_folder
from backend.errors import BackendUnavailable, CannotStart, SettingsError
from backend.installation.lock import release_inherited
from backend.settings import Settings, problem_lines
from backend.settings.role_environment import encoder_environment, redis_environment
from backend.start_block import address
from backend.supervisor import Role, Supervisor, die_with_parent, end_leftovers
from backend.terminal import has_colour, is_terminal, say
from backend.texts import operator

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 60.0
HEALTH_TIMEOUT_S = 5.0
ENCODER_GRACE_S = 5.0
REDIS_GRACE_S = 5.0
MASTER_MARGIN_S = 3.0
ASK_AGAIN_S = 0.5
Command = Callable[[Settings, list[str]], int]
CELERY = (
    "import sys, types; sys.modules['click_repl'] = types.SimpleNamespace(register_repl=lambda *_: None); from celery.__main__ import main; main()"
)
"""Celery's command without its interactive shell, which loads prompt_toolkit: 7 MiB, and a quarter of a second of each start."""
ENCODER_NICENESS = 5
"""Encoding takes every core it gets; the gateway's few milliseconds must not wait for it."""


def main(arguments: list[str]) -> int:
    """The exit code: 2 where the settings are wrong, 1 where something else stands in the way."""
    commands: dict[str, Command] = {
        "up": run_everything,
        "companions": run_companions,
        "check": check,
        "encoder": become_encoder,
        "redis": become_redis,
        "health": tell_health,
        "watch-redis": watch_redis,
    }
    if not arguments or arguments[0] not in (*commands, "key"):
        answered = usage.answer(arguments or usage.HELP[:1], key_command.help_text)
        return 2 if answered is None else answered
    try:
        if arguments[0] == "key":
            return key_command.run(arguments[1:])
        return commands[arguments[0]](Settings.from_environment(), arguments[1:])
    except SettingsError as error:
        say("\n".join(problem_lines(error)))
        return 2
    except CannotStart as error:
        say(operator.text(f"start.{error.reason}", **error.params))
        return error.exit_code


def run_everything(settings: Settings, _: list[str]) -> int:
    """All roles on this machine, until SIGTERM or Ctrl-C."""
    begun_s = time.monotonic()
    with lock_data_folder(settings):
        release_inherited()
        groups = settings.run_dir / "groups"
        if end_leftovers(groups):
            say(texts.text("start.leftovers_ended", operator.language()))
        preflight.check(settings, "all", say)
        say(
            texts.text(
                "start.begins",
                operator.language(),
                version=__version__,
                workers=settings.workers,
                encoders=settings.encoders,
                folder=settings.data_dir,
            )
        )
        supervisor = Supervisor(roles(settings), children_environment(settings), say, groups)
        watch = begin_redis_watch(settings)
        supervisor.is_waiting = lambda: watch is not None and watch.poll() is None
        return supervisor.run(lambda: is_ready(settings), lambda: announce(settings, time.monotonic() - begun_s), READY_WITHIN_S)


def begin_redis_watch(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Where Redis is somebody else's: it may be wrong, or not be there yet."""
    if settings.redis_url is None:
        return None
    from backend import redis_watch

    return redis_watch.begin()


def watch_redis(settings: Settings, arguments: list[str]) -> int:
    from backend import redis_watch

    return redis_watch.watch(settings.broker_url, settings.key_prefix, int(arguments[0]))


def is_ready(settings: Settings) -> bool:
    return get_json(settings, "/api/health/ready") is not None


def announce(settings: Settings, seconds: float) -> None:
    """The start's last words: on a terminal a block, elsewhere one line."""
    for line in start_block.lines(settings, f"{seconds:.1f}", is_terminal=is_terminal(sys.stderr), has_colour=has_colour(sys.stderr)):
        say(line)


def run_companions(settings: Settings, arguments: list[str]) -> int:
    """Redis and encoders for a Gunicorn that was started by itself, until it ends. ``arguments`` holds its process id.

    While another gateway has the data folder, its Redis and encoders serve; ours wait, as after SIGUSR2, to follow when it goes.
    """
    master = int(arguments[0])
    die_with_parent()
    os.chdir(ROOT)
    while os.getppid() == master:
        try:
            with lock_data_folder(settings, master):
                companions = [Role(each.name, [sys.executable, "-m", "backend.cli", each.name], each.grace_s) for each in roles(settings)[:-1]]
                supervisor = Supervisor(companions, {**children_environment(settings), "GATEWAY_DATA_DIR": str(settings.data_dir)}, say)
                return supervisor.run(lambda: True, lambda: None, READY_WITHIN_S)
        except CannotStart:
            time.sleep(ASK_AGAIN_S)
    return 0


def check(settings: Settings, arguments: list[str]) -> int:
    preflight.check(settings, arguments[0], say)
    return 0


def become_encoder(settings: Settings, _: list[str]) -> int:
    """Replace this process by the Celery worker. It is a little less important than the gateway, so that health and progress stay quick."""
    if "GATEWAY_SUPERVISED" not in os.environ:
        begin_redis_watch(settings)
    os.nice(ENCODER_NICENESS)
    celery = [sys.executable, "-c", CELERY, "--app", "backend.encoder", "--quiet", "worker"]
    bounds = f"{settings.encoders},{settings.encoders_min}"
    options = ["--pool", "prefork", "--autoscale", bounds, "--queues", "encode", "--loglevel", settings.log_level]
    quiet = ["--without-gossip", "--without-mingle"]
    own = encoder_environment(os.environ, has_bucket=settings.has_bucket)
    os.execve(sys.executable, celery + options + quiet, {**own, "AUTOSCALE_KEEPALIVE": str(settings.encoders_idle_s)})


def become_redis(settings: Settings, _: list[str]) -> int:
    """Replace this process by the Redis server. Where it listens, ``REDIS_URL`` says; without one it has one private socket."""
    binary = preflight.find_redis()
    settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (settings.data_dir / "logs").mkdir(parents=True, exist_ok=True)
    configuration = redis_role.configuration(settings, redis_role.place_of(settings)).encode()
    reader, writer = os.pipe()
    os.write(writer, configuration)  # some hundred bytes, which a pipe holds
    os.close(writer)
    os.dup2(reader, 0)
    os.execve(binary, [binary, "/dev/stdin"], redis_environment(os.environ))  # at "-" it would say so, past every log


def tell_health(settings: Settings, arguments: list[str]) -> int:
    if arguments == ["encoder"]:
        return tell_encoders_health(settings)
    if arguments:
        raise CannotStart("no_such_health", asked=" ".join(arguments))
    body = get_json(settings, "/api/health")
    say(json.dumps(body, ensure_ascii=False) if body else operator.text("start.not_healthy", address=address(settings)))
    return 0 if body else 1


def tell_encoders_health(settings: Settings) -> int:
    """Whether encoders of this machine have sent a heartbeat in the last seconds."""
    from backend.adapters.redis import client as redis_client
    from backend.adapters.redis.live_state import live_state

    client = redis_client.connect(settings.broker_url)
    try:
        here = [each for each in live_state(client, prefix=settings.key_prefix)["presence"].encoders() if each["host"] == socket.gethostname()]
    except BackendUnavailable:
        say(operator.text("start.encoders_unknown"))
        return 1
    finally:
        client.close()
    say(json.dumps(here) if here else operator.text("start.no_encoders"))
    return 0 if here else 1


def roles(settings: Settings) -> list[Role]:
    start = str(ROOT / "start.sh")
    embedded = [Role("redis", [start, "redis"], REDIS_GRACE_S)] if settings.redis_url is None else []
    return [
        *embedded,
        Role("encoder", [start, "encoder"], ENCODER_GRACE_S),
        Role("gateway", [start, "gateway"], settings.graceful_timeout_s + MASTER_MARGIN_S),
    ]


def children_environment(settings: Settings) -> dict[str, str]:
    """Temporary files of the children lie in the run folder too, so that what a killed process leaves is cleared at the stop."""
    temporary = settings.run_dir / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "GATEWAY_SUPERVISED": "1", "GATEWAY_RUN_DIR": str(settings.run_dir), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


def get_json(settings: Settings, path: str) -> dict[str, Any] | None:
    """The JSON of a ``200`` from this machine's gateway, else None. No proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address(settings) + path, timeout=HEALTH_TIMEOUT_S) as response:
            return dict(json.load(response))
    except (OSError, ValueError, urllib.error.URLError):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
