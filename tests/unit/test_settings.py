"""Every setting: read, refused with its accepted form, all problems at once, no secret told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from backend import texts
from backend.core.api_keys import plain_key
from backend.core.limits import Limits
from backend.errors import SettingsError
from backend.settings import SECRET, Settings, key_file, problem_lines, rows

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-long-secret-key"
WHSEC = "whsec_" + 8 * "a2tr"
MIB = 1 << 20
READ: dict[str, list[tuple[str, Any]]] = {
    "API_HOST": [("0.0.0.0", "0.0.0.0"), ("::1", "::1"), ("gateway.example", "gateway.example")],
    "API_PORT": [("1", 1), ("8080", 8080), ("65535", 65535)],
    "REDIS_URL": [
        ("redis://10.0.0.5:6379/0", "redis://10.0.0.5:6379/0"),
        ("rediss://user:pass@example.com", "rediss://user:pass@example.com"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
    "GUNICORN_WORKERS": [("1", 1), ("9", 9)],
    "GUNICORN_WORKER_CONNECTIONS": [("10", 10), ("2000", 2000)],
    "GUNICORN_TIMEOUT": [("120", 120)],
    "GUNICORN_GRACEFUL_TIMEOUT": [("30", 30)],
    "GUNICORN_KEEPALIVE": [("0", 0), ("5", 5)],
    "GUNICORN_MAX_REQUESTS": [("0", 0), ("1000", 1000)],
    "GUNICORN_MAX_REQUESTS_JITTER": [("0", 0), ("50", 50)],
    "GUNICORN_BACKLOG": [("1", 1), ("4096", 4096)],
    "GATEWAY_PROXY_HOPS": [("0", 0), ("2", 2)],
    "GATEWAY_PEER_ADDRESS": [("off", "off"), ("10.0.0.2:5000", "10.0.0.2:5000"), ("[fd00::1]:80", "[fd00::1]:80")],
    "GATEWAY_DATA_DIR": [("/srv/webp", Path("/srv/webp")), ("relative", Path("relative").absolute()), ("~/webp", Path.home() / "webp")],
    "GATEWAY_STORAGE_URL": [("file:///srv/store", "file:///srv/store")],
    "GATEWAY_ENCODERS": [("1", 1), ("64", 64)],
    "GATEWAY_ENCODERS_MIN": [("1", 1)],
    "GATEWAY_ENCODERS_IDLE_S": [("1", 1), ("600", 600)],
    "GATEWAY_MAX_UPLOAD_BYTES": [("1", 1), ("67108864", 64 * MIB), ("64MiB", 64 * MIB), ("64 MiB", 64 * MIB), ("2G", 2048 * MIB), ("10K", 10240)],
    "GATEWAY_MAX_PIXELS": [("1", 1), ("100000000", 100_000_000)],
    "GATEWAY_REDIS_CA_FILE": [("/etc/ssl/ca.pem", Path("/etc/ssl/ca.pem"))],
    "GATEWAY_REDIS_TLS_VERIFY": [("full", "full"), ("ca", "ca"), ("none", "none")],
    "GATEWAY_REDIS_PREFIX": [("a", "a"), ("team-b.staging:2_x", "team-b.staging:2_x"), ("x" * 64, "x" * 64)],
    "GATEWAY_MAX_FRAMES": [("1", 1)],
    "GATEWAY_MAX_FILES_PER_REQUEST": [("1", 1)],
    "GATEWAY_MAX_QUEUED_JOBS": [("1", 1)],
    "GATEWAY_CLIENT_JOBS": [("1", 1), ("50", 50)],
    "GATEWAY_CLIENT_BYTES_PER_DAY": [("1", 1), ("20GiB", 20 << 30)],
    "GATEWAY_CLIENT_UPLOADS": [("1", 1)],
    "GATEWAY_REDIS_MAX_BYTES": [("64MiB", 64 * MIB), ("2G", 2 << 30)],
    "GATEWAY_ENCODE_TIMEOUT_S": [("5", 5)],
    "GATEWAY_RETENTION_S": [("60", 60)],
    "GATEWAY_FETCH": [("on", "on"), ("off", "off")],
    "GATEWAY_FETCH_TIMEOUT_S": [("5", 5), ("90", 90)],
    "GATEWAY_FETCH_ALLOWED_NETWORKS": [("10.1.0.0/16, fd00::/8", (ip_network("10.1.0.0/16"), ip_network("fd00::/8")))],
    "GATEWAY_SHARE_RESULTS": [("on", "on"), ("off", "off")],
    "GATEWAY_MIN_FREE_BYTES": [("0", 0), ("1GiB", 1024 * MIB)],
    "GATEWAY_BODY_IDLE_TIMEOUT_S": [("15", 15)],
    "GATEWAY_BODY_MIN_BYTES_PER_S": [("0", 0)],
    "GATEWAY_WEBHOOK_SECRET": [(WHSEC, (b"k" * 24,)), (f"{WHSEC}, whsec_{64 * 'a'}aa==", (b"k" * 24, b"i\xa6\x9a" * 16 + b"i"))],
    "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": [("127.0.0.0/8, fd00::/8", (ip_network("127.0.0.0/8"), ip_network("fd00::/8")))],
    "GATEWAY_WEBHOOK_TIMEOUT_S": [("1", 1), ("300", 300)],
    "GATEWAY_WEBHOOK_PAUSES_S": [("0", (0,)), ("0, 5,300", (0, 5, 300))],
    "GATEWAY_CLIENT_WEBHOOKS": [("1", 1)],
    "GATEWAY_CONNECTIONS_PER_ADDRESS": [("0", 0), ("64", 64)],
    "GATEWAY_API_KEYS": [(KEY, (KEY,)), (f"{KEY}, another-key", (KEY, "another-key"))],
    "GATEWAY_ALLOWED_ORIGINS": [
        ("https://example.com", ("https://example.com",)),
        ("http://a:8080/, https://B", ("http://a:8080", "https://b")),
        ("null", ("null",)),
    ],
    "GATEWAY_ALLOWED_HOSTS": [
        ("images.example.com, .example.org,*.example.net", ("images.example.com", ".example.org", "*.example.net")),
        ("NAS.Example., bücher.example, xn--fa-hia.example", ("nas.example", "xn--bcher-kva.example", "xn--fa-hia.example")),
        ("192.168.1.5, [::1], fe80::1, my_nas", ("192.168.1.5", "::1", "fe80::1", "my_nas")),
        ("*", ("*",)),
    ],
    "GATEWAY_PUBLIC_URL": [
        ("https://example.com", "https://example.com"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://example.com:444/images/", "https://example.com:444/images"),
    ],
    "GATEWAY_PATH_PREFIX": [("/images", "/images"), ("/a/b-c_d~e.f/", "/a/b-c_d~e.f"), ("/apis", "/apis")],
    "GATEWAY_RATE_LIMIT": [("600/minute", (600, 60)), ("1/second", (1, 1)), ("5/hour", (5, 3600)), ("9/day", (9, 86400))],
    "GATEWAY_SANDBOX": [(each, each) for each in ("require", "prefer", "off")],
    "GATEWAY_SENTRY_DSN": [],
    "GATEWAY_TRACES_ENDPOINT": [],
    "GATEWAY_LOG_DIR": [("/var/log/webp", Path("/var/log/webp"))],
    "GATEWAY_WATERMARKS_DIR": [("/srv/marks", Path("/srv/marks")), ("marks", Path("marks").absolute())],
    "GATEWAY_LOG_MAX_BYTES": [("0", 0), ("10M", 10 * MIB)],
    "GATEWAY_LOG_FILES": [("1", 1), ("30", 30)],
    "GATEWAY_METRICS_BIND": [("127.0.0.1:9102", ("127.0.0.1", 9102)), ("[::1]:80", ("::1", 80))],
    "GATEWAY_LOG_FORMAT": [("text", "text"), ("json", "json")],
    "GATEWAY_LOG_LEVEL": [(each, each) for each in ("debug", "info", "warning", "error")],
}
REFUSED: dict[str, list[str]] = {
    "API_HOST": ["http://here", "a b", "/tmp/socket"],
    "API_PORT": ["0", "65536", "-1", "http", "80.5", " 80", "1e3", "0x50", "+80"],
    "REDIS_URL": ["redis://h?socket_timeout=5", "rediss://h?ssl_cert_reqs=maybe", "localhost:6379", "http://localhost", "redis://", "redis"],
    "GUNICORN_WORKERS": ["0", "auto", "513"],
    "GUNICORN_WORKER_CONNECTIONS": ["9", "many"],
    "GUNICORN_TIMEOUT": ["0", "2m"],
    "GUNICORN_GRACEFUL_TIMEOUT": ["0", "-1"],
    "GUNICORN_KEEPALIVE": ["-1", "3601"],
    "GUNICORN_MAX_REQUESTS": ["-1"],
    "GUNICORN_MAX_REQUESTS_JITTER": ["x"],
    "GUNICORN_BACKLOG": ["0", "65536"],
    "GATEWAY_PROXY_HOPS": ["-1", "all"],
    "GATEWAY_PEER_ADDRESS": ["on", "10.0.0.2", "10.0.0.2:0", ":5000"],
    "GATEWAY_DATA_DIR": [],
    "GATEWAY_STORAGE_URL": ["/srv/store", "ftp://host/x", "file://", "file://store", "file://host/srv/store"],
    "GATEWAY_ENCODERS": ["0", "all"],
    "GATEWAY_ENCODERS_MIN": ["0", "513"],
    "GATEWAY_ENCODERS_IDLE_S": ["0"],
    "GATEWAY_MAX_UPLOAD_BYTES": ["0", "64MB", "64mib", "1.5G", "-1", "lots", "9999999999999999"],
    "GATEWAY_MAX_PIXELS": ["0", "50M"],
    "GATEWAY_REDIS_CA_FILE": ["a\0b"],
    "GATEWAY_REDIS_TLS_VERIFY": ["no", "off"],
    "GATEWAY_REDIS_PREFIX": ["a b", "{a}", "a*", "a/b", "é", "x" * 65],
    "GATEWAY_MAX_FRAMES": ["0"],
    "GATEWAY_MAX_FILES_PER_REQUEST": ["0"],
    "GATEWAY_MAX_QUEUED_JOBS": ["0", "1000 "],
    "GATEWAY_CLIENT_JOBS": ["0", "many"],
    "GATEWAY_CLIENT_BYTES_PER_DAY": ["0", "20GB"],
    "GATEWAY_CLIENT_UPLOADS": ["0", "-1"],
    "GATEWAY_REDIS_MAX_BYTES": ["0", "1M", "half"],
    "GATEWAY_ENCODE_TIMEOUT_S": ["0", "60s"],
    "GATEWAY_RETENTION_S": ["0", "1d"],
    "GATEWAY_FETCH": ["yes"],
    "GATEWAY_FETCH_TIMEOUT_S": ["0", "soon"],
    "GATEWAY_FETCH_ALLOWED_NETWORKS": ["10.1.0.0/8", "everything"],
    "GATEWAY_SHARE_RESULTS": ["yes", "1"],
    "GATEWAY_MIN_FREE_BYTES": ["-1", "5%"],
    "GATEWAY_BODY_IDLE_TIMEOUT_S": ["0"],
    "GATEWAY_BODY_MIN_BYTES_PER_S": ["-1"],
    "GATEWAY_WEBHOOK_SECRET": [
        "secret",
        "whsec_",
        "whsec_c2hvcnQ=",
        f"{WHSEC},",
        f"whsec_{100 * 'a'}",
        "whsec_" + 31 * "a",
        "whsec_" + 31 * "a" + "-",
    ],
    "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": ["10.1.0.0/8"],
    "GATEWAY_WEBHOOK_TIMEOUT_S": ["0", "301"],
    "GATEWAY_WEBHOOK_PAUSES_S": ["0,", "-1", "0,5s", "604801", ",".join(60 * "1")],
    "GATEWAY_CLIENT_WEBHOOKS": ["0"],
    "GATEWAY_CONNECTIONS_PER_ADDRESS": ["-1", "many"],
    "GATEWAY_API_KEYS": ["short", "with space in it", f"{KEY},", f"{KEY},,another-key", "ключ-ключ-ключ"],
    "GATEWAY_API_KEYS_FILE": ["/no/such/file", "/"],
    "GATEWAY_ALLOWED_ORIGINS": ["*", "example.com", "https://example.com/path", "https://a,", "ftp://a"],
    "GATEWAY_ALLOWED_HOSTS": [
        *("https://example.com", "example.com:5000", "example.com/path", "a b", "a,,b", ",", "*example.com", "a.*.com", "**", "*.", ".", "-a.com"),
        *("a..b", "[::1", "10.0.0.999", "straße.example", "user@example.com", 64 * "a", 50 * "abcde." + "com", "*.*.com", "\x7f.com"),
    ],
    "GATEWAY_PUBLIC_URL": [
        "example.com",
        "ftp://example.com",
        "https://",
        "https://example.com:port",
        "https://example.com/a?b",
        "https://example.com/#a",
        "https://example.com//a",
        "https://example.com/api",
        "https://exa mple.com",
    ],
    "GATEWAY_PATH_PREFIX": ["images", "/", "//images", "/a//b", "/a/../b", "/a b", "/a?b", "/api", "/static/x", "https://a/b", "/" + 250 * "a"],
    "GATEWAY_RATE_LIMIT": ["600", "600/min", "0/minute", "-1/hour", "minute/600"],
    "GATEWAY_SANDBOX": ["on", "Prefer", "none"],
    "GATEWAY_SENTRY_DSN": [],
    "GATEWAY_TRACES_ENDPOINT": ["127.0.0.1:4318", "grpc://127.0.0.1:4317"],
    "GATEWAY_LOG_DIR": [],
    "GATEWAY_WATERMARKS_DIR": [],
    "GATEWAY_LOG_MAX_BYTES": ["-1", "big"],
    "GATEWAY_LOG_FILES": ["0", "1001"],
    "GATEWAY_METRICS_BIND": ["9102", ":9102", "127.0.0.1:0", "127.0.0.1"],
    "GATEWAY_LOG_FORMAT": ["xml", "JSON"],
    "GATEWAY_LOG_LEVEL": ["trace", "INFO"],
}
A_SECRET = {"GATEWAY_WEBHOOK_SECRET": WHSEC, "REDIS_URL": "rediss://:pass@example.com", "GATEWAY_SENTRY_DSN": "https://key@sentry.example/7"}
BY_ENV = {each.metadata["env"]: each for each in fields(Settings) if each.metadata}


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(environment)
    return problem_lines(raised.value)


def expected(name: str) -> str:
    """What the line of a wrong value says is accepted."""
    kind = BY_ENV[name].metadata["kind"]
    return texts.in_every_language(f"accepted.{kind.accepted}", **kind.params)


def test_more_encoders_at_least_than_at_most_are_a_contradiction() -> None:
    (line,) = problems({"GATEWAY_ENCODERS": "2", "GATEWAY_ENCODERS_MIN": "3"})
    assert line.startswith("GATEWAY_ENCODERS_MIN='3': expected at most GATEWAY_ENCODERS, which is 2. ")
    assert "应为不大于 GATEWAY_ENCODERS（2）的数。" in line
    assert Settings.from_environment({"GATEWAY_ENCODERS": "1"}).encoders_min == 1
    assert Settings.from_environment({"GATEWAY_ENCODERS": "64"}).encoders_min == 2


def test_the_metrics_own_address_has_a_port_of_its_own() -> None:
    (line,) = problems({"API_PORT": "9464", "GATEWAY_METRICS_BIND": "127.0.0.2:9464"})
    assert line.startswith("GATEWAY_METRICS_BIND='127.0.0.2:9464': expected another port than API_PORT, which is 9464. ") and "应为" in line
    (line,) = problems({"GATEWAY_METRICS_BIND": "127.0.0.1:5000"})
    assert "which is 5000" in line


def test_webhooks_may_go_where_is_fetched_from_unless_that_is_said_apart() -> None:
    fetching = {"GATEWAY_FETCH_ALLOWED_NETWORKS": "10.0.0.0/8"}
    assert Settings.from_environment(fetching).webhook_allowed_networks == (ip_network("10.0.0.0/8"),)
    apart = Settings.from_environment({**fetching, "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"})
    assert apart.webhook_allowed_networks == (ip_network("127.0.0.0/8"),)
    assert Settings.from_environment({}).webhook_allowed_networks == ()


def test_the_prefix_is_the_public_addresss_path_unless_it_is_given() -> None:
    one = Settings.from_environment({"GATEWAY_PUBLIC_URL": "https://example.com/images/"})
    assert (one.public_origin, one.prefix) == ("https://example.com", "/images")
    other = Settings.from_environment({"GATEWAY_PUBLIC_URL": "https://example.com", "GATEWAY_PATH_PREFIX": "/images"})
    assert (other.public_origin, other.prefix) == ("https://example.com", "/images")
    assert Settings.from_environment({"GATEWAY_PUBLIC_URL": "https://example.com/a", "GATEWAY_PATH_PREFIX": "/a"}).prefix == "/a"
    assert (Settings().public_origin, Settings().prefix) == ("", "")
    assert "pass" not in problems({"GATEWAY_PUBLIC_URL": "https://user:pass@example.com"})[0]
    (line,) = problems({"GATEWAY_PUBLIC_URL": "https://example.com/a", "GATEWAY_PATH_PREFIX": "/b"})
    assert line.startswith("GATEWAY_PATH_PREFIX='/b': expected the path of GATEWAY_PUBLIC_URL (https://example.com/a), or to be unset. ")


@pytest.mark.parametrize("name", list(BY_ENV))
def test_what_a_setting_accepts_is_said_in_both_languages(name: str) -> None:
    assert re.fullmatch(r"expected [^一-鿿]+\. 应为.*[一-鿿].*。", expected(name))


def test_every_setting_is_tried_here() -> None:
    assert set(READ) | {"GATEWAY_API_KEYS_FILE"} == set(REFUSED) == set(BY_ENV)


@pytest.mark.parametrize(("name", "text", "value"), [(name, *pair) for name, pairs in READ.items() for pair in pairs])
def test_a_setting_is_read(name: str, text: str, value: Any) -> None:
    assert getattr(Settings.from_environment({name: text}), BY_ENV[name].name) == value


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_a_wrong_value_is_one_line_with_name_value_and_accepted_form(name: str, text: str) -> None:
    (line,) = problems({name: text})
    assert line.startswith(f"{name}=") and line.endswith(f": {expected(name)}")
    assert "\n" not in line
    if name not in ("GATEWAY_API_KEYS", "GATEWAY_WEBHOOK_SECRET"):
        assert repr(text) in line


def test_all_problems_are_told_at_once() -> None:
    told = problems({"API_PORT": "x", "GATEWAY_MAX_PIXELS": "-4", "GATEWAY_SANDBOX": "maybe", "GATEWAY_QUALITY": "80"})
    assert sorted(line.split("=")[0] for line in told) == ["API_PORT", "GATEWAY_MAX_PIXELS", "GATEWAY_QUALITY", "GATEWAY_SANDBOX"]


@pytest.mark.parametrize(
    ("name", "near"), [("GATEWAY_MAX_PIXLES", "GATEWAY_MAX_PIXELS"), ("GATEWAY_ENCODER", "GATEWAY_ENCODERS"), ("GATEWAY_", "GATEWAY_")]
)
def test_an_unknown_gateway_name_is_refused_and_the_nearest_named(name: str, near: str) -> None:
    (line,) = problems({name: "1"})
    assert line.startswith(f"{name}=") and "no such setting" in line and near in line


@pytest.mark.parametrize("name", ["PATH", "API_KEY", "GUNICORN_CMD_ARGS", "REDIS_PASSWORD", "gateway_max_pixels"])
def test_names_of_others_are_left_alone(name: str) -> None:
    assert Settings.from_environment({name: "anything"})


def test_an_empty_value_is_as_good_as_none() -> None:
    assert Settings.from_environment({"API_PORT": "", "GATEWAY_API_KEYS": ""}) == Settings.from_environment({})


def test_no_secret_is_told_wherever_it_was_written() -> None:
    wrong = {"GATEWAY_API_KEYS": f"{KEY},", "GATEWAY_API_KEY": KEY, "GATEWAY_SECRET_KEY": KEY, "REDIS_URL": f"http://user:{KEY}@example.com:6379"}
    told = problems({**wrong, "GATEWAY_WEBHOOK_SECRET": f"{WHSEC},{KEY}"})
    assert len(told) == 5
    assert WHSEC not in "".join(told)
    assert KEY not in "".join(told)
    assert "example.com:6379" in "".join(told)


def test_settings_that_are_logged_show_no_secret() -> None:
    settings = Settings.from_environment({"GATEWAY_API_KEYS": KEY, "REDIS_URL": f"redis://:{KEY}@example.com"})
    assert KEY not in repr(settings) + str(settings)


def test_the_defaults_are_the_contracts() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.redis_url) == ("127.0.0.1", 5000, None)
    assert settings.limits == Limits()
    assert (settings.worker_connections, settings.timeout_s, settings.graceful_timeout_s, settings.keepalive_s) == (2000, 120, 30, 5)
    assert (settings.max_requests, settings.max_requests_jitter) == (1000, 50)
    assert settings.workers == 2 * settings.encoders + 1 >= 3
    assert (settings.max_queued_jobs, settings.encode_timeout_s, settings.retention_s) == (1000, 60, 86400)
    assert (settings.api_keys, settings.api_keys_file, settings.allowed_origins) == ((), None, ())
    assert (settings.rate_limit, settings.sandbox) == (None, "prefer")
    assert settings.data_dir == Path("var").absolute()
    assert settings.store_dir == settings.data_dir / "store"


def test_the_store_is_where_the_storage_url_says() -> None:
    assert Settings.from_environment({"GATEWAY_STORAGE_URL": "file:///srv/my%20store"}).store_dir == Path("/srv/my store")


def test_without_a_redis_url_the_private_socket_is_the_broker_and_fits_into_an_address() -> None:
    short = Settings.from_environment({"GATEWAY_DATA_DIR": "/srv/webp"})
    assert short.broker_url == "unix:///srv/webp/run/redis.sock"
    long = Settings.from_environment({"GATEWAY_DATA_DIR": "/srv/" + "x" * 200})
    assert len(long.broker_url) < 103 + len("unix://")
    assert long.run_dir != Settings.from_environment({"GATEWAY_DATA_DIR": "/srv/" + "y" * 200}).run_dir


def test_a_long_temporary_folder_does_not_hold_sockets_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen on a machine whose TMPDIR was long too: Redis could not listen, and the start waited in vain."""
    folder = tmp_path / ("t" * 90)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    long = Settings.from_environment({"GATEWAY_DATA_DIR": f"/srv/{'图' * 40}"})
    assert len(long.broker_url.encode()) < 103 + len("unix://")


def test_keys_come_from_a_file_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# for the shop\n{KEY}\n\n  another-key  \n")
    assert Settings.from_environment({"GATEWAY_API_KEYS_FILE": str(path)}).api_keys_file == path
    assert key_file.parse(path.read_bytes()) == (plain_key(KEY), plain_key("another-key"))


@pytest.mark.parametrize("text", ["", "# nothing\n", "short\n", "two words here\n"])
def test_a_file_without_usable_keys_stops_the_start_and_does_not_open_the_gateway(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    (line,) = problems({"GATEWAY_API_KEYS_FILE": str(path)})
    assert line.startswith("GATEWAY_API_KEYS_FILE=")


def test_keys_and_a_file_of_keys_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(KEY)
    (line,) = problems({"GATEWAY_API_KEYS_FILE": str(path), "GATEWAY_API_KEYS": KEY})
    assert "GATEWAY_API_KEYS" in line


def test_a_worker_of_a_running_start_may_begin_while_the_file_of_keys_is_broken(tmp_path: Path) -> None:
    """The earlier keys count for it. A start of its own has none, and is stopped."""
    path = tmp_path / "keys"
    path.write_text("short")
    for lasting in ("GATEWAY_RUN_DIR", "GATEWAY_WORKERS_DIR"):
        environment = {"GATEWAY_API_KEYS_FILE": str(path), lasting: str(tmp_path / lasting)}
        assert len(problems(environment)) == 1
        (tmp_path / lasting).mkdir()
        kept = tmp_path / lasting / "api_keys.json"
        kept.write_text("[]")
        assert Settings.from_environment(environment).kept_api_keys == kept


def test_a_wrong_file_of_keys_is_told_with_every_key_and_field(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[keys.alice]\nsha256 = "{KEY}"\njobs = "many"\n[keys.bob]\nsha = "{"a" * 64}"\n')
    told = problems({"GATEWAY_API_KEYS_FILE": str(path)})
    assert [line.split(":")[0] for line in told] == [
        "GATEWAY_API_KEYS_FILE keys.alice.sha256",
        "GATEWAY_API_KEYS_FILE keys.alice.jobs='many'",
        "GATEWAY_API_KEYS_FILE keys.bob='sha'",
        "GATEWAY_API_KEYS_FILE keys.bob.sha256",
    ]
    assert "perhaps sha256" in told[2] and KEY not in "".join(told)


@pytest.mark.parametrize("name", sorted(SECRET - {"GATEWAY_API_KEYS"}))
def test_every_secret_may_stand_in_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.settings.is_installed", lambda module: True)
    path = tmp_path / "secret"
    value = A_SECRET[name]
    path.write_text(f"{value}\n")
    settings = Settings.from_environment({f"{name}_FILE": str(path)})
    assert settings == Settings.from_environment({name: value}) != Settings.from_environment({})
    assert value not in repr(settings)
    assert f"`{name}_FILE`" in (ROOT / "docs/reference/settings.md").read_text("utf-8")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"rediss://a\0b", b"redis://" + b"x" * 70_000, b"http://:pass-word@host"])
def test_a_wrong_file_of_a_secret_is_one_line_that_shows_its_path_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    (line,) = problems({"REDIS_URL_FILE": str(path)})
    assert line.startswith(f"REDIS_URL_FILE={str(path)!r}: expected ") and "pass-word" not in line


def test_a_secret_and_its_file_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("redis://one")
    (line,) = problems({"REDIS_URL_FILE": str(path), "REDIS_URL": "redis://two"})
    assert line.startswith("REDIS_URL_FILE: expected to be unset while REDIS_URL is set; ")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_setting_has_its_row_for_the_documentation(language: str) -> None:
    table = rows(language)
    assert [name for name, _, _ in table] == list(BY_ENV)
    for _, default, meaning in table:
        assert default and meaning
        assert "<" not in default and "object at" not in default


def test_a_wrong_setting_ends_the_start_with_code_2_and_one_line_a_problem() -> None:
    environment = {"PATH": os.environ["PATH"], "API_PORT": "http", "GATEWAY_MAX_FRAMES": "0"}
    said = subprocess.run(
        [sys.executable, "-m", "backend.cli", "check", "all"], check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert said.returncode == 2
    port, frames = said.stderr.splitlines()
    assert port.startswith("API_PORT='http': expected a whole number from 1 to 65535. ") and "应为 1 到 65535 的整数。" in port
    assert frames.startswith("GATEWAY_MAX_FRAMES='0': expected a whole number from 1 to 100000. ") and "应为 1 到 100000 的整数。" in frames
