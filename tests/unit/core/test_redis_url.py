"""``REDIS_URL``: each form is understood as a whole, or refused."""

from __future__ import annotations

import pytest

from backend.core.redis_url import RedisUrl, Tls, encoded, parse, with_tls_defaults, without_secrets

UNDERSTOOD = {
    "redis://localhost": RedisUrl((("localhost", 6379),)),
    "redis://": None,
    "redis:///3": RedisUrl((("localhost", 6379),), database=3),
    "redis://10.0.0.5:6380/2": RedisUrl((("10.0.0.5", 6380),), database=2),
    "redis://[::1]:6380/0": RedisUrl((("::1", 6380),)),
    "redis://me:p%40ss%2Fword@h/0": RedisUrl((("h", 6379),), username="me", password="p@ss/word"),
    "redis://:a@b@h": RedisUrl((("h", 6379),), password="a@b"),
    "rediss://h": RedisUrl((("h", 6379),), tls=Tls()),
    "rediss://h?ssl_cert_reqs=none": RedisUrl((("h", 6379),), tls=Tls("none")),
    "rediss://h?ssl_cert_reqs=CERT_REQUIRED": RedisUrl((("h", 6379),), tls=Tls("full")),
    "rediss://h/1?ssl_check_hostname=False&ssl_ca_certs=/a%20b.pem": RedisUrl((("h", 6379),), database=1, tls=Tls("ca", "/a b.pem")),
    "rediss://h?ssl_certfile=/c&ssl_keyfile=/k": RedisUrl((("h", 6379),), tls=Tls("full", None, "/c", "/k")),
    "unix:///run/redis.sock": RedisUrl(path="/run/redis.sock"),
    "unix://:pw@/run/a%20b.sock?db=4": RedisUrl(path="/run/a b.sock", database=4, password="pw"),
    "redis+sentinel://a,b:26380,[::1]/group/3": RedisUrl((("a", 26379), ("b", 26380), ("::1", 26379)), database=3, service="group"),
    "redis+sentinel://a/2?service=other": RedisUrl((("a", 26379),), database=2, service="other"),
    "sentinel://a": RedisUrl((("a", 26379),), service="mymaster"),
    "rediss+sentinel://u:p@a/g?sentinel_password=x&sentinel_username=y": RedisUrl(
        (("a", 26379),), username="u", password="p", tls=Tls(), service="g", sentinel_username="y", sentinel_password="x"
    ),
}
REFUSED = [
    "localhost:6379",
    "http://localhost",
    "redis://h:port",
    "redis://h:0",
    "redis://h:70000",
    "redis://a,b",
    "redis://h/none",
    "redis://h/1/2",
    "redis://h/1?db=2",
    "redis://h?ssl_cert_reqs=none",
    "redis://h?socket_timeout=5",
    "redis://h#fragment",
    "rediss://h?ssl_cert_reqs=maybe",
    "rediss://h?ssl_check_hostname=perhaps",
    "rediss://h?ssl_ca_certs",
    "rediss://h?ssl_keyfile=/k",
    "rediss://h?db=1&db=2",
    "redis+sentinel://a/g/x",
    "redis+sentinel://" + ",".join(["a"] * 33),
    "unix://",
    "unix://host/run/redis.sock",
    "unix:///run/redis.sock?db=first",
    "redis://:%ff@h",
]


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_each_form_is_understood(text: str) -> None:
    if UNDERSTOOD[text] is None:
        with pytest.raises(ValueError, match="REDIS_URL"):
            parse(text)
    else:
        assert parse(text) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_would_not_be_understood_as_a_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "verify", "then"),
    [
        ("rediss://h", "full", Tls("full", "/our ca.pem")),
        ("rediss://h", "ca", Tls("ca", "/our ca.pem")),
        ("rediss+sentinel://h/g", "none", Tls("none", "/our ca.pem")),
        ("rediss://h?ssl_cert_reqs=required", "none", Tls("full", "/our ca.pem")),
        ("rediss://h?ssl_ca_certs=/theirs", "full", Tls("full", "/theirs")),
        ("redis://h", "none", None),
    ],
)
def test_the_settings_count_where_the_address_says_nothing(text: str, verify: str, then: Tls | None) -> None:
    assert parse(with_tls_defaults(text, ca_file="/our ca.pem", verify=verify)).tls == then


def test_what_is_shown_has_no_secret_in_it() -> None:
    assert parse("rediss+sentinel://u:secret@a,[::1]/g/2?sentinel_password=secret").shown == "rediss+sentinel://a:26379,[::1]:26379/g/2"
    assert parse("unix://:secret@/run/redis.sock?db=1").shown == "unix:///run/redis.sock"
    for text in ("redis://u:a/secret@h", "rediss://u:secret@h?ssl_password=secret&db=1", "x://secret@h?sentinel_password=secret"):
        assert "secret" not in without_secrets(text)


def test_what_is_encoded_is_read_again() -> None:
    assert parse(f"unix://{encoded('/a b/ö%?#.sock')}").path == "/a b/ö%?#.sock"
