"""The file of API keys (``GATEWAY_API_KEYS_FILE``): TOML, or a plain list with one key a line.

    [keys.alice]
    sha256 = "…"                 64 hexadecimal digits
    role = "client"              or "operator"
    expires = 2027-01-01         a date (its first second in UTC) or an RFC 3339 time
    jobs = 50
    uploads = 10
    bytes_per_day = "5GiB"
    rate = "600/minute"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from backend.core.api_keys import MAX_FILE_BYTES, ROLES, ApiKey, plain_key
from backend.core.suggestions.likeness import nearest
from backend.errors import SettingsError, WrongSetting
from backend.settings import kinds
from backend.settings.kinds import Kind

NAME = "GATEWAY_API_KEYS_FILE"
TABLE = "keys"
MOST = 10**7
KEY_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
TOML_LINE = re.compile(r"""\[{1,2}[\w\s."'@-]+\]{1,2}\s*(#.*)?|[\w\s."'@-]+=\s*["'{\[].*""")
"""A table's head, or a value in quotes or brackets. A plain key that looks like this is not to be expected."""


TIME = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
"""RFC 3339 §5.6."""


def _expires(text: str) -> float:
    """Seconds since the epoch."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return datetime.combine(date.fromisoformat(text), time(), UTC).timestamp()
    return datetime.fromisoformat(kinds.matched(TIME, text)[0].upper()).timestamp()


FIELDS: dict[str, Kind] = {
    "sha256": Kind("sha256", lambda text: kinds.matched(r"[0-9a-f]{64}", text.lower())[0]),
    "role": kinds.one_of(*ROLES),
    "expires": Kind("expires", _expires),
    "jobs": kinds.number(1, MOST),
    "uploads": kinds.number(1, MOST),
    "bytes_per_day": kinds.size(1, 1 << 50),
    "rate": kinds.rate(),
}
LIMITS = ("jobs", "uploads", "bytes_per_day")
"""Fields of ``ClientLimits``."""


def parse(data: bytes) -> tuple[ApiKey, ...]:
    """At least one key. Raises ``SettingsError`` with all problems at once; none of them shows a key or a digest."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(WrongSetting(NAME, None, "file_of_keys")) from None
    if len(data) > MAX_FILE_BYTES:
        raise SettingsError(WrongSetting(NAME, None, "size_of_keys", most=MAX_FILE_BYTES))
    return _from_toml(text) if is_toml(text) else _from_lines(text)


def is_toml(text: str) -> bool:
    return any(TOML_LINE.fullmatch(line) for line in _significant(text))


def _significant(text: str) -> list[str]:
    """Without blank lines and comments."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _from_lines(text: str) -> tuple[ApiKey, ...]:
    try:
        return tuple(plain_key(each) for each in kinds.keys().read(",".join(_significant(text))))
    except ValueError:
        raise SettingsError(WrongSetting(NAME, None, "file_of_keys")) from None


def _from_toml(text: str) -> tuple[ApiKey, ...]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise SettingsError(WrongSetting(NAME, None, "toml", line=line[1] if line else "?")) from None
    problems = [WrongSetting(NAME, repr(name[:100]), "table_of_keys") for name in found if name != TABLE]
    tables = found.get(TABLE, {})
    keys: dict[str, ApiKey] = {}
    for name, table in tables.items() if isinstance(tables, dict) else ():
        values, wrong = _fields(name, table)
        problems += wrong
        if not wrong:
            key = _key(name, values)
            if key.digest in keys:
                problems.append(WrongSetting(f"{NAME} {TABLE}.{name}.sha256", None, "another_digest", other=keys[key.digest].name))
            keys[key.digest] = key
    if not problems and not keys:
        problems.append(WrongSetting(NAME, None, "table_of_keys"))
    if problems:
        raise SettingsError(*problems)
    return tuple(keys.values())


def _fields(name: str, table: object) -> tuple[dict[str, Any], list[WrongSetting]]:
    """The values of one key's table, and what is wrong with it."""
    path = f"{NAME} {TABLE}.{name}"
    if not KEY_NAME.fullmatch(name) or not isinstance(table, dict):
        return {}, [WrongSetting(f"{NAME} {TABLE}", repr(name[:100]), "name_of_key")]
    values: dict[str, Any] = {}
    problems = list(_unknown(path, table))
    for field, kind in FIELDS.items():
        try:
            if field in table:
                values[field] = kind.read(_as_text(table[field]))
        except (ValueError, OverflowError):
            shown = None if field == "sha256" else repr(str(table[field]))
            problems.append(WrongSetting(f"{path}.{field}", shown, kind.accepted, **kind.params))
    if "sha256" not in table:
        problems.append(WrongSetting(f"{path}.sha256", None, FIELDS["sha256"].accepted))
    return values, problems


def _unknown(path: str, table: Mapping[str, object]) -> Iterator[WrongSetting]:
    for field in table:
        if field not in FIELDS:
            if near := nearest(field[:100], FIELDS):
                yield WrongSetting(path, repr(field[:100]), "no_such_field", near=near, known=tuple(FIELDS))
            else:
                yield WrongSetting(path, repr(field[:100]), "no_field_like_it", known=tuple(FIELDS))


def _as_text(value: object) -> str:
    """A value of TOML as one would write it in an environment variable. Raises ``ValueError`` for a kind that no field has."""
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        raise ValueError(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _key(name: str, values: Mapping[str, Any]) -> ApiKey:
    given = {"role": values.get("role"), "expires_at": values.get("expires"), "rate_limit": values.get("rate")}
    limits = {field: values[field] for field in LIMITS if field in values}
    return ApiKey(values["sha256"], name, own_limits=limits, **{field: value for field, value in given.items() if value is not None})
