"""What a role finds in its environment."""

from __future__ import annotations

import pytest

from backend.settings import Settings, table
from backend.settings.role_environment import SECRET_NAME, encoder_environment, redis_environment

ALL = {
    "PATH": "/bin",
    "LANG": "C.UTF-8",
    "REDIS_URL": "redis://:password@redis/0",
    "GATEWAY_STORAGE_URL": "s3://bucket",
    "GATEWAY_ENCODERS": "4",
    "GATEWAY_SENTRY_DSN": "https://public@sentry.example/1",
    "GUNICORN_KEEPALIVE": "5",
    "OTEL_SERVICE_NAME": "x",
    "AWS_REGION": "eu-central-1",
    "AWS_SECRET_ACCESS_KEY": "s",
    "GATEWAY_API_KEYS": "k",
    "GATEWAY_API_KEYS_FILE": "/etc/keys",
    "GATEWAY_WEBHOOK_SECRET": "whsec_x",
    "GATEWAY_URL_KEYS": "00",
    "GATEWAY_IMGPROXY_KEY": "00",
    "GATEWAY_IMGPROXY_SALT": "00",
    "GITHUB_TOKEN": "t",
    "pgpassword": "p",
}
FIRST_SECRET = 8


def test_an_encoder_gets_no_secret_but_those_of_redis_store_and_reports() -> None:
    own = encoder_environment(ALL, has_bucket=True)
    assert list(own) == list(ALL)[: FIRST_SECRET + 2]


def test_credentials_of_a_bucket_go_to_no_encoder_without_one() -> None:
    assert list(encoder_environment(ALL, has_bucket=False)) == list(ALL)[:FIRST_SECRET]


def test_redis_gets_nothing_of_ours() -> None:
    assert redis_environment(ALL) == {"PATH": "/bin", "LANG": "C.UTF-8"}


def test_no_setting_that_an_encoder_reads_is_taken_for_a_secret() -> None:
    """A new name that looks like a secret is the gateway's alone until it is listed."""
    assert {each.metadata["env"] for each in table() if SECRET_NAME.search(each.metadata["env"])} >= {"GATEWAY_API_KEYS", "GATEWAY_SENTRY_DSN"}
    read = {"REDIS_URL", "GATEWAY_STORAGE_URL", "GATEWAY_SENTRY_DSN", "GATEWAY_SANDBOX", "GATEWAY_ENCODE_TIMEOUT_S", "GATEWAY_MAX_PIXELS"}
    assert encoder_environment(dict.fromkeys(read, "x"), has_bucket=False).keys() == read


@pytest.mark.parametrize(("url", "has_bucket"), [(None, False), ("file:///srv/images", False), ("s3://bucket/prefix", True)])
def test_a_store_is_a_folder_or_a_bucket(url: str | None, has_bucket: bool) -> None:
    assert Settings(storage_url=url).has_bucket is has_bucket
