"""The file of API keys: what of it is read, what is refused and how that is told."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from backend.core.api_keys import MAX_FILE_BYTES, ApiKey, digest_of, plain_key
from backend.errors import SettingsError
from backend.settings import problem_lines
from backend.settings.key_file import FIELDS, parse

A, B = "a" * 64, "b" * 64


def told(text: str | bytes) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        parse(text.encode() if isinstance(text, str) else text)
    return problem_lines(raised.value)


def test_every_field_is_read() -> None:
    (key,) = parse(
        f'''# the shop
        [keys."alice.shop"]
        sha256 = "{A.upper()}"
        role = "operator"
        expires = 2027-01-01
        jobs = 50
        uploads = "10"
        bytes_per_day = "5GiB"
        rate = "600/minute"
        '''.encode()
    )
    own = {"jobs": 50, "uploads": 10, "bytes_per_day": 5 << 30}
    assert key == ApiKey(A, "alice.shop", "operator", datetime(2027, 1, 1, tzinfo=UTC).timestamp(), own, (600, 60))


def test_a_digest_alone_is_enough() -> None:
    assert parse(f'keys.alice = {{sha256 = "{A}"}}\nkeys.bob = {{sha256 = "{B}"}}\n'.encode()) == (ApiKey(A, "alice"), ApiKey(B, "bob"))
    assert parse(f'[keys.alice]\nsha256 = "{A}"'.encode())[0].expires_at == math.inf


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027-01-01", "2027-01-01T00:00:00+00:00"),
        ('"2027-01-01"', "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T09:30:00Z", "2027-01-01T09:30:00+00:00"),
        ("2027-01-01 09:30:00+08:00", "2027-01-01T01:30:00+00:00"),
        ('"2027-01-01t09:30:00.5z"', "2027-01-01T09:30:00.500000+00:00"),
    ],
)
def test_an_expiry_is_a_date_or_a_time(text: str, at: str) -> None:
    assert parse(f'[keys.a]\nsha256="{A}"\nexpires={text}'.encode())[0].expires_at == datetime.fromisoformat(at).timestamp()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", '"short"'),
        ("sha256", "7"),
        ("sha256", f'["{A}"]'),
        ("role", '"admin"'),
        ("role", "true"),
        ("expires", '"soon"'),
        ("expires", "2027-01-01T09:30:00"),
        ("expires", "09:30:00"),
        ("expires", "20270101"),
        ("expires", '"2027-02-30"'),
        ("jobs", "0"),
        ("jobs", "-1"),
        ("jobs", "1.5"),
        ("jobs", "true"),
        ("uploads", '"many"'),
        ("bytes_per_day", '"5GB"'),
        ("bytes_per_day", "0"),
        ("rate", "600"),
        ("rate", '"600/fortnight"'),
    ],
)
def test_a_wrong_value_names_key_and_field(field: str, value: str) -> None:
    rest = "" if field == "sha256" else f'sha256 = "{A}"\n'
    (line,) = told(f"[keys.alice]\n{rest}{field} = {value}\n")
    assert line.startswith(f"GATEWAY_API_KEYS_FILE keys.alice.{field}") and "expected" in line and "应为" in line


def test_all_problems_are_told_at_once_and_none_shows_a_digest() -> None:
    lines = told(f'[keys.alice]\nsha256 = "{A[1:]}"\njobs = 0\n[keys.bob]\nexpiry = 2027-01-01\n[client.carol]\nsha256 = "{B}"\n')
    assert sorted(line.split(":")[0] for line in lines) == [
        "GATEWAY_API_KEYS_FILE keys.alice.jobs='0'",
        "GATEWAY_API_KEYS_FILE keys.alice.sha256",
        "GATEWAY_API_KEYS_FILE keys.bob.sha256",
        "GATEWAY_API_KEYS_FILE keys.bob='expiry'",
        "GATEWAY_API_KEYS_FILE='client'",
    ]
    assert A[1:] not in "".join(lines) and B not in "".join(lines)
    assert all(field in "".join(lines) for field in FIELDS)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[keys]\n", "at least one"),
        ("keys = []\n", "at least one"),
        (f'[[keys]]\nname = "alice"\nsha256 = "{A}"\n', "at least one"),
        ("keys.alice = [5]\n", "a table below it"),
        (f'[keys."a\\nb"]\nsha256 = "{A}"\n', "1 to 64 letters"),
        (f'[keys.alice]\nsha256 = "{A}\n', "line 2"),
        (f'[keys.alice]\nsha256 = "{A}"\n[keys.alice]\nsha256 = "{B}"\n', "line 3"),
        (f'[keys.alice]\nsha256 = "{A}"\n[keys.bob]\nsha256 = "{A}"\n', "that of alice"),
        (f'[key.alice]\nsha256="{A}"\n', "[keys.NAME]"),
    ],
)
def test_what_is_not_a_table_for_each_key_is_one_line(text: str, part: str) -> None:
    (line,) = told(text)
    assert part in line and "\n" not in line and A not in line


def test_a_plain_list_works_as_ever_whatever_its_keys_look_like() -> None:
    keys = ["a-long-secret-key", "c2VjcmV0a2V5MTIzNA==", "name=value-0", "[#8;x!]q", "x9!'\"]%[k"]
    assert parse(("\ufeff# ours\n\n" + "\n".join(keys) + "\n").encode()) == tuple(map(plain_key, keys))
    assert all(key.reads_figures for key in parse(b"a-long-secret-key"))


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"short\n", b"two words here\n", b"\xff\xfe\x00", b"# big\n" + b"k" * MAX_FILE_BYTES])
def test_what_is_neither_is_one_line(data: bytes) -> None:
    (line,) = told(data)
    assert line.startswith("GATEWAY_API_KEYS_FILE: expected a file ")


def test_the_digest_is_what_sha256sum_prints() -> None:
    """So an operator can take the keys of a plain list along."""
    assert digest_of("a-long-secret-key") == "dbefafb6a1be705e52febe3b5e76f2b1ebefbec46b1ce353008c3c5c08157d86"
