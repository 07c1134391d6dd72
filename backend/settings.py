"""Every setting, in one table: name, default, how it is read, what it means in both languages.

The only reader of the environment. A wrong value or an unknown ``GATEWAY_`` name is a ``SettingsError`` that lists all problems at once;
nothing is corrected in silence. The README's settings table is made from here.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from backend.core.addresses import Network
from backend.core.limits import Limits
from backend.core.store_schemes import SCHEMES, scheme_of
from backend.errors import SettingsError

PREFIX = "GATEWAY_"
API_PORT = 5000
MIB = 1 << 20
SUN_PATH_BYTES = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS (sockaddr_un.sun_path)."""
SOCKET_NAME_BYTES = 40
SECRET = {"GATEWAY_SENTRY_DSN", "GATEWAY_API_KEYS"}
INTERNAL = {"GATEWAY_RUN_DIR", "GATEWAY_SUPERVISED", "GATEWAY_WORKERS_DIR"}
"""Set by the supervisor or ``gunicorn.conf.py`` for their own children."""


EXTRAS = {
    "sentry_dsn": ("GATEWAY_SENTRY_DSN", "sentry-sdk", "sentry_sdk"),
    "traces_endpoint": ("GATEWAY_TRACES_ENDPOINT", "opentelemetry-exporter-otlp-proto-http", "opentelemetry.exporter.otlp.proto.http"),
}
"""Settings that need a package which is not among the locked ones."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``accepted`` and ``chinese`` say what is taken, as the end of a sentence."""

    accepted: str
    chinese: str
    read: Callable[[str], Any]

    @property
    def expected(self) -> str:
        return expected(self.accepted, self.chinese)


def expected(english: str, chinese: str) -> str:
    """What each problem ends with: one line, both languages."""
    return f"expected {english}. 应为{chinese}。"


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _number(low: int, high: int, unit: str = "") -> Kind:
    def read(text: str) -> int:
        return int(text) if re.fullmatch(r"\d{1,18}", text) and low <= int(text) <= high else _refuse(text)

    return Kind(f"a whole number from {low} to {high}{' ' + unit if unit else ''}", f" {low} 到 {high} 的整数{'（秒）' if unit else ''}", read)


_UNITS = {"": 1, "B": 1, "K": 1 << 10, "KiB": 1 << 10, "M": 1 << 20, "MiB": 1 << 20, "G": 1 << 30, "GiB": 1 << 30}


def _bytes(low: int, high: int) -> Kind:
    def read(text: str) -> int:
        match = re.fullmatch(r"(\d{1,15})\s?([A-Za-z]*)", text)
        number = int(match[1]) * _UNITS[match[2]] if match and match[2] in _UNITS else -1
        return number if low <= number <= high else _refuse(text)

    return Kind(f"bytes from {low} to {high}, such as 67108864 or 64MiB", f" {low} 到 {high} 的字节数，如 67108864 或 64MiB", read)


def _choice(*words: str) -> Kind:
    return Kind("one of " + ", ".join(words), "下列之一：" + "、".join(words), lambda text: text if text in words else _refuse(text))


def _url(*schemes: str) -> Kind:
    def read(text: str) -> str:
        parts = urlsplit(text)
        return text if parts.scheme in schemes and (parts.netloc or parts.path) else _refuse(text)

    starts = [f"{each}://" for each in schemes]
    return Kind("an address that begins with " + ", ".join(starts), f"以 {'、'.join(starts)} 开头的地址", read)


def _storage_url() -> Kind:
    def read(text: str) -> str:
        return text if scheme_of(text) else _refuse(text)

    examples = [each.example for each in SCHEMES.values()]
    return Kind(f"an address such as {' or '.join(examples)}", f"地址，如 {' 或 '.join(examples)}", read)


def _host() -> Kind:
    return Kind("a host name or an IP address", "主机名或 IP 地址", lambda text: text if re.fullmatch(r"[0-9A-Za-z.:_-]+", text) else _refuse(text))


def _bind() -> Kind:
    def read(text: str) -> tuple[str, int]:
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        return (_host().read(host), _number(1, 65535).read(port)) if colon else _refuse(text)

    return Kind("an address such as 127.0.0.1:9102 or [::1]:9102", "地址，如 127.0.0.1:9102 或 [::1]:9102", read)


def _path() -> Kind:
    return Kind("the path of a folder", "目录的路径", lambda text: Path(text).expanduser().absolute() if text and "\0" not in text else _refuse(text))


def _file() -> Kind:
    def read(text: str) -> Path:
        return Path(text) if os.access(text, os.R_OK) and Path(text).is_file() else _refuse(text)

    return Kind("the path of a readable file", "可读文件的路径", read)


def _keys() -> Kind:
    def read(text: str) -> tuple[str, ...]:
        keys = tuple(each.strip() for each in text.split(","))
        return keys if all(re.fullmatch(r"[\x21-\x2b\x2d-\x7e]{8,200}", each) for each in keys) else _refuse(text)

    return Kind("keys of 8 to 200 printable characters, separated by commas", "以逗号分隔的密钥，每个 8 到 200 个可打印字符", read)


def _origins() -> Kind:
    def read(text: str) -> tuple[str, ...]:
        origins = tuple(each.strip().rstrip("/") for each in text.split(","))
        return origins if all(re.fullmatch(r"https?://[0-9A-Za-z.:\[\]_-]+", each) for each in origins) else _refuse(text)

    return Kind("origins such as https://example.com, separated by commas", "以逗号分隔的来源，如 https://example.com", read)


def _networks() -> Kind:
    def read(text: str) -> tuple[Network, ...]:
        return tuple(ip_network(each.strip()) for each in text.split(","))

    return Kind("networks such as 10.1.0.0/16 or fd00::/8, separated by commas", "以逗号分隔的网段，如 10.1.0.0/16 或 fd00::/8", read)


def _rate() -> Kind:
    def read(text: str) -> tuple[int, int]:
        match = re.fullmatch(r"([1-9]\d{0,8})/(second|minute|hour|day)", text)
        return (int(match[1]), {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[match[2]]) if match else _refuse(text)

    return Kind("N/second, N/minute, N/hour or N/day, such as 600/minute", " N/second、N/minute、N/hour 或 N/day，如 600/minute", read)


def cores() -> int:
    """The cores this process may use; 4 where that is unknown."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 4


def _setting(env: str, kind: Kind, default: Any, english: str, chinese: str, shown: str | None = None) -> Any:
    """``default`` may be a function without arguments; ``shown`` is the default in words where the value differs by machine."""
    metadata = {"env": env, "kind": kind, "en": english, "zh-CN": chinese, "shown": shown}
    is_shown = env not in SECRET and env != "REDIS_URL"
    if callable(default):
        return field(default_factory=default, metadata=metadata, repr=is_shown)
    return field(default=default, metadata=metadata, repr=is_shown)


_S = 10**7


@dataclass(frozen=True, slots=True)
class Settings:
    """Read with ``Settings.from_environment()``; ``settings.limits`` is what the flows check images against."""

    host: str = _setting("API_HOST", _host(), "127.0.0.1", "address to listen on", "监听地址")
    port: int = _setting("API_PORT", _number(1, 65535), API_PORT, "port to listen on", "监听端口")
    redis_url: str | None = _setting(
        "REDIS_URL",
        _url("redis", "rediss", "unix"),
        None,
        "Redis 6.2+ or Valkey",
        "Redis 6.2+ 或 Valkey",
        "unset: embedded server on a private unix socket",
    )
    workers: int = _setting(
        "GUNICORN_WORKERS", _number(1, 512), lambda: 2 * cores() + 1, "gateway worker processes", "网关工作进程数", "cores × 2 + 1"
    )
    worker_connections: int = _setting("GUNICORN_WORKER_CONNECTIONS", _number(10, 100_000), 2000, "connections per worker", "每个工作进程的连接数")
    timeout_s: int = _setting(
        "GUNICORN_TIMEOUT", _number(1, _S, "s"), 120, "seconds of silence after which a worker is replaced", "工作进程无响应多少秒后被替换"
    )
    graceful_timeout_s: int = _setting(
        "GUNICORN_GRACEFUL_TIMEOUT", _number(1, _S, "s"), 30, "seconds a stopping worker may finish its requests", "停止中的工作进程完成请求的秒数"
    )
    keepalive_s: int = _setting("GUNICORN_KEEPALIVE", _number(0, 3600, "s"), 5, "seconds an idle connection is kept", "空闲连接保持的秒数")
    max_requests: int = _setting(
        "GUNICORN_MAX_REQUESTS", _number(0, _S), 1000, "recycle a worker after so many requests; 0: never", "工作进程处理多少请求后回收；0 为从不"
    )
    max_requests_jitter: int = _setting("GUNICORN_MAX_REQUESTS_JITTER", _number(0, _S), 50, "spread of the recycling", "回收次数的随机偏移")
    backlog: int = _setting("GUNICORN_BACKLOG", _number(1, 65_535), 2048, "connections that may wait to be accepted", "等待接受的连接数上限")
    proxy_hops: int = _setting(
        "GATEWAY_PROXY_HOPS",
        _number(0, 10),
        0,
        "proxies in front whose X-Forwarded-For and -Proto are believed",
        "前置代理的层数，信任其 X-Forwarded-For 与 -Proto",
    )
    data_dir: Path = _setting(
        "GATEWAY_DATA_DIR",
        _path(),
        lambda: Path("var").absolute(),
        "sources, results, manifests, logs, embedded Redis",
        "原图、结果、清单、日志与内嵌 Redis",
        "./var",
    )
    storage_url: str | None = _setting(
        "GATEWAY_STORAGE_URL",
        _storage_url(),
        None,
        "where sources and results are kept: file:///folder, or s3://bucket/prefix",
        "原图与结果的存放处：file:///目录，或 s3://存储桶/前缀",
        "file:// + data dir",
    )
    encoders: int = _setting("GATEWAY_ENCODERS", _number(1, 512), cores, "encodes at once on this machine", "本机同时编码数", "number of cores")
    given_encoders_min: int | None = _setting(
        "GATEWAY_ENCODERS_MIN",
        _number(1, 512),
        None,
        "encoder processes that stay when there is nothing to do; up to GATEWAY_ENCODERS as the load asks",
        "空闲时保留的编码进程数；随负载增加，最多为 GATEWAY_ENCODERS",
        "2, or GATEWAY_ENCODERS if that is less",
    )
    encoders_idle_s: int = _setting(
        "GATEWAY_ENCODERS_IDLE_S",
        _number(1, 86_400, "s"),
        60,
        "seconds without work after which encoders beyond those end",
        "多余编码进程空闲多少秒后结束",
    )
    max_upload_bytes: int = _setting("GATEWAY_MAX_UPLOAD_BYTES", _bytes(1, 1 << 40), 64 << 20, "bytes per image", "每张图片的字节数上限")
    max_pixels: int = _setting("GATEWAY_MAX_PIXELS", _number(1, 1 << 31), 50_000_000, "width × height × frames", "宽 × 高 × 帧数的上限")
    max_frames: int = _setting("GATEWAY_MAX_FRAMES", _number(1, 100_000), 256, "frames of an animation", "动图的帧数上限")
    max_files: int = _setting("GATEWAY_MAX_FILES_PER_REQUEST", _number(1, 10_000), 100, "images in one request", "单次请求的图片数上限")
    max_queued_jobs: int = _setting(
        "GATEWAY_MAX_QUEUED_JOBS", _number(1, _S), 1000, "jobs waiting; beyond it an upload gets 503", "排队任务上限，超出时上传返回 503"
    )
    encode_timeout_s: int = _setting("GATEWAY_ENCODE_TIMEOUT_S", _number(1, 86_400, "s"), 60, "wall clock of one encode", "单次编码的时间上限（秒）")
    retention_s: int = _setting(
        "GATEWAY_RETENTION_S", _number(1, 10**9, "s"), 86_400, "then source, result and record are really deleted", "到期后原图、结果与记录被真正删除"
    )
    share_results: str = _setting(
        "GATEWAY_SHARE_RESULTS", _choice("on", "off"), "on", "equal bytes with equal options share one encode", "相同内容与选项共用一次编码"
    )
    min_free_bytes: int = _setting(
        "GATEWAY_MIN_FREE_BYTES", _bytes(0, 1 << 50), 256 << 20, "free disk space below which uploads get 507", "磁盘剩余空间低于此值时上传返回 507"
    )
    body_idle_s: int = _setting("GATEWAY_BODY_IDLE_TIMEOUT_S", _number(1, 3600, "s"), 15, "seconds an upload may stand still", "上传停滞的秒数上限")
    body_min_bytes_per_s: int = _setting(
        "GATEWAY_BODY_MIN_BYTES_PER_S", _number(0, 1 << 40), 10_000, "slowest upload that is kept, after 5 s", "上传的最低速度（5 秒后起算）"
    )
    fetch: str = _setting("GATEWAY_FETCH", _choice("on", "off"), "on", "whether images are fetched by URL", "是否允许按 URL 获取图片")
    fetch_timeout_s: int = _setting(
        "GATEWAY_FETCH_TIMEOUT_S", _number(1, 3600, "s"), 60, "seconds for one image by URL", "按 URL 获取一张图片的秒数上限"
    )
    fetch_allowed_networks: tuple[Network, ...] = _setting(
        "GATEWAY_FETCH_ALLOWED_NETWORKS",
        _networks(),
        (),
        "networks beyond the public Internet that may be fetched from, such as 10.1.0.0/16",
        "除公共互联网外允许获取图片的网络，如 10.1.0.0/16",
        "unset: the public Internet alone",
    )
    connections_per_address: int = _setting(
        "GATEWAY_CONNECTIONS_PER_ADDRESS",
        _number(0, 100_000),
        1800,
        "connections of one client address per worker; 0, as behind a proxy: no bound",
        "每个工作进程中单个客户端地址的连接数；0 为不限（如在代理之后）",
    )
    api_keys: tuple[str, ...] = _setting(
        "GATEWAY_API_KEYS",
        _keys(),
        (),
        "comma-separated keys that clients must send",
        "客户端必须提供的密钥，逗号分隔",
        "unset: open, as on a laptop",
    )
    api_keys_file: Path | None = _setting(
        "GATEWAY_API_KEYS_FILE", _file(), None, "file with one key a line, instead", "或：每行一个密钥的文件", "unset"
    )
    allowed_origins: tuple[str, ...] = _setting(
        "GATEWAY_ALLOWED_ORIGINS",
        _origins(),
        (),
        "other sites whose pages may call, for REST and WebSocket alike",
        "允许调用的其他站点来源（REST 与 WebSocket 相同）",
        "same origin only",
    )
    rate_limit: tuple[int, int] | None = _setting(
        "GATEWAY_RATE_LIMIT",
        _rate(),
        None,
        "new jobs per key or client address, such as 600/minute",
        "每个密钥或客户端地址的新任务限额，如 600/minute",
        "unset",
    )
    sandbox: Literal["require", "prefer", "off"] = _setting(
        "GATEWAY_SANDBOX", _choice("require", "prefer", "off"), "prefer", "the seal around the decoder", "解码器沙箱"
    )
    sentry_dsn: str | None = _setting(
        "GATEWAY_SENTRY_DSN", _url("http", "https"), None, "where failures are reported to, as Sentry gives it", "错误上报地址（Sentry DSN）"
    )
    traces_endpoint: str | None = _setting(
        "GATEWAY_TRACES_ENDPOINT",
        _url("http", "https"),
        None,
        "OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318",
        "OpenTelemetry 收集器（OTLP/HTTP），如 http://127.0.0.1:4318",
    )
    log_dir: Path | None = _setting(
        "GATEWAY_LOG_DIR",
        _path(),
        None,
        "folder for access.log and error.log instead of stdout",
        "access.log 与 error.log 所在目录（代替标准输出）",
        "unset: stdout",
    )
    log_max_bytes: int = _setting(
        "GATEWAY_LOG_MAX_BYTES",
        _bytes(0, 1 << 50),
        64 << 20,
        "size at which a log file is put aside; 0: never, as with logrotate",
        "日志文件轮转的大小；0 为不轮转（如使用 logrotate）",
    )
    log_files: int = _setting("GATEWAY_LOG_FILES", _number(1, 1000), 5, "log files put aside that are kept", "保留的旧日志文件数")
    metrics_bind: tuple[str, int] | None = _setting(
        "GATEWAY_METRICS_BIND",
        _bind(),
        None,
        "address:port at which alone /metrics is answered, without a key",
        "仅在此 地址:端口 提供 /metrics（无需密钥）",
        "unset: with everything else, asking for a key where keys are set",
    )
    log_format: str = _setting(
        "GATEWAY_LOG_FORMAT",
        _choice("text", "json"),
        lambda: "text" if sys.stdout.isatty() else "json",
        "form of the log lines",
        "日志格式",
        "text on a terminal, else json",
    )
    log_level: str = _setting("GATEWAY_LOG_LEVEL", _choice("debug", "info", "warning", "error"), "info", "least level that is logged", "日志级别")

    given_run_dir: Path | None = None

    @property
    def limits(self) -> Limits:
        return Limits(self.max_upload_bytes, self.max_pixels, self.max_frames)

    @property
    def encoders_min(self) -> int:
        return min(2, self.encoders) if self.given_encoders_min is None else self.given_encoders_min

    @property
    def log_style(self) -> dict[str, Any]:
        """As ``logs.Style`` takes it."""
        names = {"error": "error.log", "access": "access.log"}
        targets = {kind: str(self.log_dir / name) if self.log_dir else "-" for kind, name in names.items()}
        return {"format": self.log_format, "level": self.log_level, "max_bytes": self.log_max_bytes, "files": self.log_files, **targets}

    @property
    def store_dir(self) -> Path:
        """The store itself; for a store elsewhere, the folder for bytes on their way."""
        if self.storage_url is None:
            return self.data_dir / "store"
        scheme = scheme_of(self.storage_url)
        return Path(unquote(urlsplit(self.storage_url).path)) if scheme is not None and scheme.is_folder else self.data_dir / "spool"

    @property
    def run_dir(self) -> Path:
        """Sockets and process files; emptied at each start. Elsewhere than in the data folder where that has too long a path for a socket,
        and elsewhere than in ``TMPDIR`` where that has one too."""
        if self.given_run_dir is not None:
            return self.given_run_dir
        run = self.data_dir / "run"
        elsewhere = f"webp-gateway-{hashlib.sha256(str(run).encode()).hexdigest()[:16]}"
        choices = [run, Path(tempfile.gettempdir()) / elsewhere, Path("/tmp") / elsewhere]
        return next((each for each in choices if len(os.fsencode(each)) + SOCKET_NAME_BYTES <= SUN_PATH_BYTES), choices[-1])

    @property
    def broker_url(self) -> str:
        """``REDIS_URL``, or the embedded server's socket."""
        return self.redis_url or f"unix://{self.run_dir / 'redis.sock'}"

    @property
    def keys(self) -> tuple[str, ...]:
        return self.api_keys + (_keys_of(self.api_keys_file) if self.api_keys_file else ())

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Raises ``SettingsError`` with one line a problem."""
        values: dict[str, Any] = {}
        problems = _unknown(environment)
        for each in _documented():
            name, kind = each.metadata["env"], each.metadata["kind"]
            if environment.get(name):
                try:
                    values[each.name] = kind.read(environment[name])
                except (ValueError, OSError):
                    problems.append(f"{name}={_told(name, environment[name])}: {kind.expected}")
        problems += _contradictions(values)
        if problems:
            raise SettingsError(problems)
        run_dir = environment.get("GATEWAY_RUN_DIR")
        return cls(**values, given_run_dir=Path(run_dir) if run_dir else None)


def _documented() -> list[Field[Any]]:
    return [each for each in fields(Settings) if "env" in each.metadata]


def _told(name: str, value: str) -> str:
    """A value as it may stand in a log: no key, and no password of an address."""
    return "…" if re.search("KEY|SECRET|TOKEN|PASSWORD|DSN", name) and not name.endswith("_FILE") else repr(re.sub(r"//[^/@]*@", "//…@", value))


def _unknown(environment: Mapping[str, str]) -> list[str]:
    known = {each.metadata["env"] for each in _documented()} | INTERNAL
    problems = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known - INTERNAL, n=1, cutoff=0.0)[0]
            said = expected(f"a documented name, perhaps {near}", f"文档中的名称，可能是 {near}")
            problems.append(f"{name}={_told(name, environment[name])}: there is no such setting; {said}")
    return problems


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    problems = []
    most, least = values.get("encoders", cores()), values.get("given_encoders_min", 1)
    if least > most:
        said = expected(f"at most GATEWAY_ENCODERS, which is {most}", f"不大于 GATEWAY_ENCODERS（{most}）的数")
        problems.append(f"GATEWAY_ENCODERS_MIN='{least}': {said}")
    port, metrics = values.get("port", API_PORT), values.get("metrics_bind")
    if metrics and metrics[1] == port:
        said = expected(f"another port than API_PORT, which is {port}", f"与 API_PORT（{port}）不同的端口")
        problems.append(f"GATEWAY_METRICS_BIND='{metrics[0]}:{port}': {said}")
    for field_name, (name, package, module) in EXTRAS.items():
        if values.get(field_name) and not _is_installed(module):
            command = f".venv/bin/pip install {package}"
            problems.append(f"{name}: {expected(f'the package {package} to be installed, as by {command}', f'先安装软件包 {package}：{command}')}")
    key_file = values.get("api_keys_file")
    if key_file and values.get("api_keys"):
        said = expected("to be unset while GATEWAY_API_KEYS is set; give one of the two", "空：已设置 GATEWAY_API_KEYS，两者只能给出一个")
        problems.append(f"GATEWAY_API_KEYS_FILE: {said}")
    if key_file:
        try:
            _keys_of(key_file)
        except (ValueError, OSError):
            said = expected("a file with one key of 8 to 200 printable characters a line", "每行一个密钥的文件，每个密钥 8 到 200 个可打印字符")
            problems.append(f"GATEWAY_API_KEYS_FILE={str(key_file)!r}: {said}")
    return problems


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _keys_of(path: Path) -> tuple[str, ...]:
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    return tuple(_keys().read(",".join(keys)))


def rows(language: str) -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of each setting: for documentation and ``--help``."""
    return [(each.metadata["env"], each.metadata["shown"] or _shown(each), each.metadata[language]) for each in _documented()]


def _shown(each: Field[Any]) -> str:
    """The default as one would write it."""
    value = each.default
    if isinstance(value, int) and each.metadata["env"].endswith("_BYTES") and value >= MIB and value % MIB == 0:
        return f"{value // MIB} MiB"
    return "unset" if value is None or value == () else str(value)
