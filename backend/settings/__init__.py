"""Every setting in one table: its variable, how its text is read, its default. What each means is in ``texts``.

Nothing else reads the environment. A wrong value or an unknown ``GATEWAY_`` name raises ``SettingsError``, which holds all problems at once;
nothing is corrected in silence. The documentation's table of settings is made from here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from backend import texts
from backend.core import host_names
from backend.core import redis_url as redis_urls
from backend.core.addresses import Network
from backend.core.client_limits import ClientLimits
from backend.core.limits import Limits
from backend.core.pauses import WEBHOOK_PAUSES_S
from backend.core.store_schemes import scheme_of
from backend.core.suggestions.likeness import nearest
from backend.errors import SettingsError, WrongSetting
from backend.settings import key_file, kinds, secret_files
from backend.settings.kinds import Kind
from backend.texts import operator

PREFIX = "GATEWAY_"
INTERNAL = {"GATEWAY_RUN_DIR", "GATEWAY_SUPERVISED", "GATEWAY_WORKERS_DIR", "GATEWAY_INSTALLATION_LOCK", "GATEWAY_IN_CONTAINER"}
"""Set by the supervisor, ``gunicorn.conf.py`` or the installation for what they start, the last by the ``Dockerfile``."""
SECRET = {"GATEWAY_SENTRY_DSN", "GATEWAY_API_KEYS", "GATEWAY_WEBHOOK_SECRET", "REDIS_URL"}
"""Left out of ``repr``: each may hold a password. Each may be given as the path of a file instead (``secret_files``)."""
FILES = secret_files.names(SECRET - {"GATEWAY_API_KEYS"})
"""``GATEWAY_API_KEYS_FILE`` is a row of its own: it may say more of a key."""
EXTRAS = {
    "sentry_dsn": ("GATEWAY_SENTRY_DSN", "sentry-sdk", "sentry_sdk"),
    "traces_endpoint": ("GATEWAY_TRACES_ENDPOINT", "opentelemetry-exporter-otlp-proto-http", "opentelemetry.exporter.otlp.proto.http"),
}
"""Settings that need a package beyond the locked ones: variable, package, module."""
SUN_PATH_BYTES = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS (``sockaddr_un.sun_path``)."""
SOCKET_NAME_BYTES = 40
MIB = 1 << 20
MOST = 10**7


def cores() -> int:
    """The cores that this process may use; 4 where that is unknown."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 4


def quarter_of_memory() -> int:
    """Bytes, within 256 MiB and 4 GiB."""
    return max(256 * MIB, min(4096 * MIB, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4))


def setting(env: str, kind: Kind, default: Any) -> Any:
    """A row of the table. ``default`` may be a function without arguments."""
    given: dict[str, Any] = {"default_factory": default} if callable(default) else {"default": default}
    return field(**given, metadata={"env": env, "kind": kind}, repr=env not in SECRET)


@dataclass(frozen=True, slots=True)
class Settings:
    """Made by ``from_environment``."""

    host: str = setting("API_HOST", kinds.host(), "127.0.0.1")
    port: int = setting("API_PORT", kinds.number(1, 65_535), 5000)
    redis_url: str | None = setting("REDIS_URL", kinds.redis_url(), None)
    workers: int = setting("GUNICORN_WORKERS", kinds.number(1, 512), lambda: 2 * cores() + 1)
    worker_connections: int = setting("GUNICORN_WORKER_CONNECTIONS", kinds.number(10, 100_000), 2000)
    timeout_s: int = setting("GUNICORN_TIMEOUT", kinds.seconds(1, MOST), 120)
    graceful_timeout_s: int = setting("GUNICORN_GRACEFUL_TIMEOUT", kinds.seconds(1, MOST), 30)
    keepalive_s: int = setting("GUNICORN_KEEPALIVE", kinds.seconds(0, 3600), 5)
    max_requests: int = setting("GUNICORN_MAX_REQUESTS", kinds.number(0, MOST), 1000)
    max_requests_jitter: int = setting("GUNICORN_MAX_REQUESTS_JITTER", kinds.number(0, MOST), 50)
    backlog: int = setting("GUNICORN_BACKLOG", kinds.number(1, 65_535), 2048)
    proxy_hops: int = setting("GATEWAY_PROXY_HOPS", kinds.number(0, 10), 0)
    peer_address: str | None = setting("GATEWAY_PEER_ADDRESS", kinds.peer_address(), None)
    data_dir: Path = setting("GATEWAY_DATA_DIR", kinds.folder(), lambda: Path("var").absolute())
    storage_url: str | None = setting("GATEWAY_STORAGE_URL", kinds.storage_url(), None)
    encoders: int = setting("GATEWAY_ENCODERS", kinds.number(1, 512), cores)
    given_encoders_min: int | None = setting("GATEWAY_ENCODERS_MIN", kinds.number(1, 512), None)
    encoders_idle_s: int = setting("GATEWAY_ENCODERS_IDLE_S", kinds.seconds(1, 86_400), 60)
    max_upload_bytes: int = setting("GATEWAY_MAX_UPLOAD_BYTES", kinds.size(1, 1 << 40), 64 * MIB)
    max_pixels: int = setting("GATEWAY_MAX_PIXELS", kinds.number(1, 1 << 31), 50_000_000)
    max_frames: int = setting("GATEWAY_MAX_FRAMES", kinds.number(1, 100_000), 256)
    max_files: int = setting("GATEWAY_MAX_FILES_PER_REQUEST", kinds.number(1, 10_000), 100)
    max_queued_jobs: int = setting("GATEWAY_MAX_QUEUED_JOBS", kinds.number(1, MOST), 1000)
    client_jobs: int = setting("GATEWAY_CLIENT_JOBS", kinds.number(1, MOST), ClientLimits().jobs)
    client_bytes_per_day: int = setting("GATEWAY_CLIENT_BYTES_PER_DAY", kinds.size(1, 1 << 50), ClientLimits().bytes_per_day)
    client_uploads: int = setting("GATEWAY_CLIENT_UPLOADS", kinds.number(1, MOST), ClientLimits().uploads)
    redis_prefix: str = setting("GATEWAY_REDIS_PREFIX", kinds.key_prefix(), "webp-gateway")
    redis_ca_file: Path | None = setting("GATEWAY_REDIS_CA_FILE", kinds.path(), None)
    redis_tls_verify: str = setting("GATEWAY_REDIS_TLS_VERIFY", kinds.one_of(*redis_urls.VERIFY_WORDS), "full")
    redis_max_bytes: int = setting("GATEWAY_REDIS_MAX_BYTES", kinds.size(16 * MIB, 1 << 50), quarter_of_memory)
    encode_timeout_s: int = setting("GATEWAY_ENCODE_TIMEOUT_S", kinds.seconds(1, 86_400), 60)
    retention_s: int = setting("GATEWAY_RETENTION_S", kinds.seconds(1, 10**9), 86_400)
    share_results: str = setting("GATEWAY_SHARE_RESULTS", kinds.one_of("on", "off"), "on")
    min_free_bytes: int = setting("GATEWAY_MIN_FREE_BYTES", kinds.size(0, 1 << 50), 256 * MIB)
    body_idle_s: int = setting("GATEWAY_BODY_IDLE_TIMEOUT_S", kinds.seconds(1, 3600), 15)
    body_min_bytes_per_s: int = setting("GATEWAY_BODY_MIN_BYTES_PER_S", kinds.number(0, 1 << 40), 10_000)
    watermarks_dir: Path | None = setting("GATEWAY_WATERMARKS_DIR", kinds.folder(), None)
    fetch: str = setting("GATEWAY_FETCH", kinds.one_of("on", "off"), "on")
    fetch_timeout_s: int = setting("GATEWAY_FETCH_TIMEOUT_S", kinds.seconds(1, 3600), 60)
    fetch_allowed_networks: tuple[Network, ...] = setting("GATEWAY_FETCH_ALLOWED_NETWORKS", kinds.networks(), ())
    webhook_secrets: tuple[bytes, ...] = setting("GATEWAY_WEBHOOK_SECRET", kinds.webhook_secrets(), ())
    given_webhook_networks: tuple[Network, ...] | None = setting("GATEWAY_WEBHOOK_ALLOWED_NETWORKS", kinds.networks(), None)
    webhook_timeout_s: int = setting("GATEWAY_WEBHOOK_TIMEOUT_S", kinds.seconds(1, 300), 20)
    webhook_pauses_s: tuple[int, ...] = setting("GATEWAY_WEBHOOK_PAUSES_S", kinds.pauses(), WEBHOOK_PAUSES_S)
    client_webhooks: int = setting("GATEWAY_CLIENT_WEBHOOKS", kinds.number(1, MOST), 10_000)
    connections_per_address: int = setting("GATEWAY_CONNECTIONS_PER_ADDRESS", kinds.number(0, 100_000), 1800)
    api_keys: tuple[str, ...] = setting("GATEWAY_API_KEYS", kinds.keys(), ())
    api_keys_file: Path | None = setting("GATEWAY_API_KEYS_FILE", kinds.path(), None)
    allowed_origins: tuple[str, ...] = setting("GATEWAY_ALLOWED_ORIGINS", kinds.origins(), ())
    allowed_hosts: tuple[str, ...] | None = setting("GATEWAY_ALLOWED_HOSTS", kinds.hosts(), None)
    public_url: str | None = setting("GATEWAY_PUBLIC_URL", kinds.public_url(), None)
    path_prefix: str | None = setting("GATEWAY_PATH_PREFIX", kinds.path_prefix(), None)
    rate_limit: tuple[int, int] | None = setting("GATEWAY_RATE_LIMIT", kinds.rate(), None)
    sandbox: Literal["require", "prefer", "off"] = setting("GATEWAY_SANDBOX", kinds.one_of("require", "prefer", "off"), "prefer")
    sentry_dsn: str | None = setting("GATEWAY_SENTRY_DSN", kinds.url("http", "https"), None)
    traces_endpoint: str | None = setting("GATEWAY_TRACES_ENDPOINT", kinds.url("http", "https"), None)
    log_dir: Path | None = setting("GATEWAY_LOG_DIR", kinds.folder(), None)
    log_max_bytes: int = setting("GATEWAY_LOG_MAX_BYTES", kinds.size(0, 1 << 50), 64 * MIB)
    log_files: int = setting("GATEWAY_LOG_FILES", kinds.number(1, 1000), 5)
    metrics_bind: tuple[str, int] | None = setting("GATEWAY_METRICS_BIND", kinds.bind(), None)
    log_format: str = setting("GATEWAY_LOG_FORMAT", kinds.one_of("text", "json"), lambda: "text" if sys.stdout.isatty() else "json")
    log_level: str = setting("GATEWAY_LOG_LEVEL", kinds.one_of("debug", "info", "warning", "error"), "info")

    given_run_dir: Path | None = None
    lasting_dir: Path | None = None
    """What outlives the workers of a start; None in a process that is none of them (``server/run_dir``)."""
    is_in_container: bool = False

    @property
    def limits(self) -> Limits:
        """What the flows check images against."""
        return Limits(self.max_upload_bytes, self.max_pixels, self.max_frames)

    @property
    def client_limits(self) -> ClientLimits:
        """Of a client whose key has none of its own."""
        return ClientLimits(self.client_jobs, self.client_bytes_per_day, self.client_uploads)

    @property
    def webhook_allowed_networks(self) -> tuple[Network, ...]:
        return self.fetch_allowed_networks if self.given_webhook_networks is None else self.given_webhook_networks

    @property
    def encoders_min(self) -> int:
        return min(2, self.encoders) if self.given_encoders_min is None else self.given_encoders_min

    @property
    def log_style(self) -> dict[str, Any]:
        """The arguments of ``logs.Style``."""
        names = {"error": "error.log", "access": "access.log"}
        targets = {kind: str(self.log_dir / name) if self.log_dir else "-" for kind, name in names.items()}
        return {"format": self.log_format, "level": self.log_level, "max_bytes": self.log_max_bytes, "files": self.log_files, **targets}

    @property
    def store_dir(self) -> Path:
        """The store's folder; with S3, the folder for uploads and results on their way."""
        if self.storage_url is None:
            return self.data_dir / "store"
        scheme = scheme_of(self.storage_url)
        return Path(unquote(urlsplit(self.storage_url).path)) if scheme is not None and scheme.is_folder else self.data_dir / "spool"

    @property
    def has_bucket(self) -> bool:
        """Whether the store is no folder."""
        scheme = scheme_of(self.storage_url or "")
        return scheme is not None and not scheme.is_folder

    @property
    def run_dir(self) -> Path:
        """Sockets and process files; emptied at each start. It is in the data folder, unless that path is too long for a socket: then in
        ``TMPDIR``, or in ``/tmp`` where ``TMPDIR`` is too long as well."""
        if self.given_run_dir is not None:
            return self.given_run_dir
        run = self.data_dir / "run"
        elsewhere = f"webp-gateway-{hashlib.sha256(str(run).encode()).hexdigest()[:16]}"
        choices = [run, Path(tempfile.gettempdir()) / elsewhere, Path("/tmp") / elsewhere]
        return next((each for each in choices if len(os.fsencode(each)) + SOCKET_NAME_BYTES <= SUN_PATH_BYTES), choices[-1])

    @property
    def kept_api_keys(self) -> Path | None:
        """The keys that ``GATEWAY_API_KEYS_FILE`` held when it could last be used, for a worker that begins while it cannot."""
        return self.lasting_dir / "api_keys.json" if self.lasting_dir else None

    @property
    def broker_url(self) -> str:
        """``REDIS_URL`` with what the other settings say of TLS, or the embedded server's socket."""
        if self.redis_url is None:
            return f"unix://{quote(str(self.run_dir / 'redis.sock'))}"
        ca_file = str(self.redis_ca_file) if self.redis_ca_file else None
        return redis_urls.with_tls_defaults(self.redis_url, ca_file=ca_file, verify=self.redis_tls_verify)

    @property
    def key_prefix(self) -> str:
        """What each of this deployment's keys and channels in Redis begins with. The braces put all keys into one slot of a Redis Cluster, so that
        scripts may touch several; and no prefix can be the beginning of another."""
        return f"{{{self.redis_prefix}}}:"

    @property
    def prefix(self) -> str:
        """The path under which clients see the gateway: empty, or such as ``/images``."""
        return self.path_prefix or urlsplit(self.public_url or "").path

    @property
    def public_origin(self) -> str:
        """Scheme and host of ``GATEWAY_PUBLIC_URL``; empty without one."""
        return self.public_url.removesuffix(urlsplit(self.public_url).path) if self.public_url else ""

    @property
    def host_patterns(self) -> tuple[str, ...]:
        """As ``core.host_names.allowed_hosts`` takes them. Keys, or a proxy, keep a page that was rebound from reading anything."""
        if self.allowed_hosts is not None:
            return self.allowed_hosts
        return (host_names.ANY,) if self.api_keys or self.api_keys_file or self.proxy_hops else ()

    @property
    def given_names(self) -> tuple[str, ...]:
        """What the operator calls this gateway in other settings."""
        return (self.host, *((self.metrics_bind[0],) if self.metrics_bind else ()), urlsplit(self.public_url or "").hostname or "")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """An empty variable is as good as an unset one. Raises ``SettingsError``."""
        values: dict[str, Any] = {}
        given, problems = secret_files.read(FILES, environment)
        problems += unknown_names(environment)
        for each in table():
            name, kind = each.metadata["env"], each.metadata["kind"]
            if given.get(name):
                try:
                    values[each.name] = kind.read(given[name])
                except (ValueError, OSError):
                    variable, shown = secret_files.place(name, environment) or (name, presentable(name, given[name]))
                    problems.append(WrongSetting(variable, shown, kind.accepted, **kind.params))
        run_dir = environment.get("GATEWAY_RUN_DIR")
        lasting_dir = environment.get("GATEWAY_WORKERS_DIR") or run_dir
        settings = cls(
            **values,
            given_run_dir=Path(run_dir) if run_dir else None,
            lasting_dir=Path(lasting_dir) if lasting_dir else None,
            is_in_container=bool(environment.get("GATEWAY_IN_CONTAINER")),
        )
        problems += contradictions(settings)
        if problems:
            raise SettingsError(*problems)
        return settings


def table() -> list[Field[Any]]:
    """The rows; what the supervisor adds for its children is none."""
    return [each for each in fields(Settings) if "env" in each.metadata]


def presentable(name: str, value: str) -> str:
    """A value as it may stand in a log: without keys, and without the password of an address."""
    return "…" if re.search("KEY|SECRET|TOKEN|PASSWORD|DSN", name) and not name.endswith("_FILE") else repr(redis_urls.without_secrets(value))


def unknown_names(environment: Mapping[str, str]) -> Iterator[WrongSetting]:
    known = {each.metadata["env"] for each in table()} | FILES.keys()
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known | INTERNAL:
            shown, near = presentable(name, environment[name]), nearest(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in known])
            if near:
                yield WrongSetting(name, shown, "no_such_setting", near=near if near in known else PREFIX + near)
            else:
                yield WrongSetting(name, shown, "no_setting_like_it")


def contradictions(settings: Settings) -> Iterator[WrongSetting]:
    """What only several settings, or a setting and this machine, can have wrong."""
    most, least = settings.encoders, settings.given_encoders_min
    if least is not None and least > most:
        yield WrongSetting("GATEWAY_ENCODERS_MIN", repr(str(least)), "at_most_encoders", most=most)
    if settings.metrics_bind and settings.metrics_bind[1] == settings.port:
        address, port = settings.metrics_bind
        yield WrongSetting("GATEWAY_METRICS_BIND", repr(f"{address}:{port}"), "another_port", port=port)
    if settings.path_prefix and urlsplit(settings.public_url or "").path not in ("", settings.path_prefix):
        yield WrongSetting("GATEWAY_PATH_PREFIX", repr(settings.path_prefix), "path_of_public_url", url=settings.public_url)
    for attribute, (name, package, module) in EXTRAS.items():
        if getattr(settings, attribute) and not is_installed(module):
            yield WrongSetting(name, None, "package", package=package, command=f".venv/bin/python -m pip install {package}")
    yield from problems_of_redis(settings)
    if settings.api_keys_file and settings.api_keys:
        yield WrongSetting("GATEWAY_API_KEYS_FILE", None, "one_of_two", other="GATEWAY_API_KEYS")
    if settings.api_keys_file and not (settings.kept_api_keys and settings.kept_api_keys.exists()):
        yield from problems_of_keys(settings.api_keys_file)


def problems_of_redis(settings: Settings) -> Iterator[WrongSetting]:
    """Files of TLS that cannot be read. Without this, each connection would fail with a sentence on sockets."""
    tls = redis_urls.parse(settings.broker_url).tls
    for path in tls.files if tls else ():
        if not os.access(path, os.R_OK):
            yield WrongSetting("GATEWAY_REDIS_CA_FILE" if path == str(settings.redis_ca_file) else "REDIS_URL", repr(path), "file")
    if settings.redis_ca_file and settings.redis_url and not tls:
        yield WrongSetting("GATEWAY_REDIS_CA_FILE", repr(str(settings.redis_ca_file)), "redis_tls_url")


def is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def problems_of_keys(path: Path) -> Iterator[WrongSetting]:
    """Each names the file, or the key and its field."""
    try:
        key_file.parse(path.read_bytes())
    except OSError:
        yield WrongSetting(key_file.NAME, repr(str(path)), "file")
    except SettingsError as error:
        for each in error.problems:
            is_whole = each.name == key_file.NAME and each.value is None
            yield WrongSetting(each.name, repr(str(path)) if is_whole else each.value, each.accepted, **each.params)


def problem_lines(error: SettingsError) -> list[str]:
    """One line a problem: variable, value and what is accepted."""
    return [
        f"{each.name}{f'={each.value}' if each.value else ''}: {operator.text(f'accepted.{each.accepted}', **each.params)}" for each in error.problems
    ]


def rows(language: str) -> list[tuple[str, str, str]]:
    """Variable, default and meaning of each setting, for the documentation."""
    return [(each.metadata["env"], default_in(each, language), texts.text(f"settings.{each.metadata['env']}.meaning", language)) for each in table()]


def default_in(each: Field[Any], language: str) -> str:
    """In words where there are some, else as one would write the value."""
    name, value = each.metadata["env"], each.default
    if texts.has(f"settings.{name}.default"):
        return texts.text(f"settings.{name}.default", language)
    if isinstance(value, int) and name.endswith("_BYTES") and value >= MIB and value % MIB == 0:
        return f"{value // MIB} MiB"
    if isinstance(value, tuple) and value:
        return f"`{','.join(map(str, value))}`"
    return texts.text("settings.unset", language) if value is None or value == () else str(value)
